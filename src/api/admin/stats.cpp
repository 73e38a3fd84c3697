#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/admin/admin.h"

namespace jackdaw::api::admin {
namespace {

void append_text(std::string& out, std::string_view key, std::string_view value) {
  fmt::format_to(std::back_inserter(out), R"("{}":)", key);
  append_json_string(out, value);
  out += ',';
}

void append_model(std::string& out, const serving::ServedModel& model, const serving::ModelVersion& version) {
  out += '{';
  append_text(out, "name", model.name);
  append_text(out, "namespace", model.namespace_name);
  append_text(out, "service", model.service_name);
  append_text(out, "version", version.version);
  append_text(out, "state", serving::state_name(version));
  append_text(out, "reason", version.reason);
  const engine::EngineStats stats = version.engine == nullptr ? engine::EngineStats{} : version.engine->stats();
  fmt::format_to(std::back_inserter(out),
                 R"("generates":{},"healthy":{},"in_flight":{},"running":{},"waiting":{},"kv_cache_usage":{:.4f},)"
                 R"("resident_bytes":{}}})",
                 model.generates, stats.healthy, stats.in_flight, stats.running, stats.waiting, stats.kv_cache_usage,
                 stats.resident_bytes);
}

}  // namespace

void stats(Call call) {
  const auto wall =
      std::chrono::duration_cast<std::chrono::seconds>(call.api->context.clock->wall().time_since_epoch());
  std::string body = "{";
  append_text(body, "version", call.api->options.version);
  fmt::format_to(std::back_inserter(body), R"("uptime_seconds":{},"models":[)", wall.count() - call.api->started);
  bool first = true;
  const auto snapshot = call.api->context.registry->snapshot();
  for (const auto& model : snapshot->models()) {
    for (const serving::ModelVersion& version : model->versions) {
      if (!std::exchange(first, false)) body += ',';
      append_model(body, *model, version);
    }
  }
  answer_json(call, body + "]}");
}

}  // namespace jackdaw::api::admin
