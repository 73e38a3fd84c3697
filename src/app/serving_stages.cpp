#include "src/app/serving_stages.h"

#include <filesystem>
#include <utility>

#include "jackdaw/api/api.h"
#include "jackdaw/base/file.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "jackdaw/serving/batcher.h"
#include "jackdaw/serving/payload_logger.h"
#include "jackdaw/serving/response_cache.h"
#include "jackdaw/serving/warm_up.h"

namespace jackdaw::app {
namespace {

constexpr std::size_t warm_up_bytes_max = std::size_t{64} << 20;

serving::BatcherOptions batcher_options(const spec::BatchingSpec& from) {
  serving::BatcherOptions to;
  const bool kserve = *from.kind == spec::BatchingKind::kserve;
  to.rule = kserve ? serving::BatchRule::collect : serving::BatchRule::queue;
  to.max_batch_size = static_cast<std::size_t>(*from.max_batch_size);
  to.max_delay = *from.max_delay;
  for (const std::int64_t size : *from.preferred_sizes) to.preferred_sizes.push_back(static_cast<std::size_t>(size));
  to.instances = static_cast<std::size_t>(*from.instances);
  to.queue_max = static_cast<std::size_t>(*from.queue_size);
  to.queue_timeout = *from.queue_timeout;
  if (*from.timeout_delays) to.timeout_action = serving::TimeoutAction::delay;
  to.priority_levels = static_cast<std::uint32_t>(*from.priority_levels);
  const std::uint32_t middle = (to.priority_levels + 1) / 2;
  to.default_priority = *from.default_priority > 0 ? static_cast<std::uint32_t>(*from.default_priority) : middle;
  return to;
}

serving::BatcherContext batcher_context(const StageContext& context, const std::string& model,
                                        const serving::ModelVersion& version) {
  serving::BatcherContext to;
  to.engine = version.engine;
  to.clock = context.clock;
  to.random = context.random;
  to.pool = [pool = context.cpu_pool](std::function<void()> work) { return pool->post(std::move(work)); };
  to.inline_ns_max = context.inline_ns_max;
  to.metrics = context.metrics;
  to.model = model;
  to.version = version.version;
  return to;
}

Result<std::string> file_text(const std::string& path) {
  Result<std::string> text = read_file(path, warm_up_bytes_max);
  if (text) return text;
  return make_error(text.error().code, "The warm-up request {} {}.", path, text.error().message);
}

// A file's request must be answered: it is what the owner of the service says clients will send.
Result<void> predict_file(engine::Engine& engine, const std::string& path) {
  JACKDAW_ASSIGN(const std::string body, file_text(path));
  const auto answered = [&]() -> Result<void> {
    JACKDAW_ASSIGN(const engine::InferenceRequest request, api::read_predict_body(body));
    JACKDAW_TRY(engine.predict(request));
    return {};
  }();
  if (answered) return {};
  return make_error(answered.error().code, "The warm-up request {} was refused: {}", path, answered.error().text());
}

Result<void> warm(serving::ModelVersion& version, const std::string& model, const spec::WarmUpSpec& spec,
                  const std::string& base_dir, const StageContext& context) {
  if (*spec.kind == spec::WarmUpKind::none) return {};
  const Instant begin = context.clock->now();
  if (*spec.kind == spec::WarmUpKind::file) {
    JACKDAW_TRY(predict_file(*version.engine, (std::filesystem::path(base_dir) / spec.file).string()));
  } else {
    serving::WarmUpOptions options;
    options.rows = static_cast<std::size_t>(spec.rows);
    if (*spec.kind == spec::WarmUpKind::random) options.fill = serving::WarmUpFill::random;
    // Made-up values may be none that the model takes (an unknown category): then it is as warm as that makes it.
    if (const auto done = serving::warm_up(*version.engine, options, *context.random); !done) {
      log_warning("warm-up refused", {{"model", model}, {"reason", done.error().text()}});
    }
  }
  const std::chrono::duration<double, std::milli> took = context.clock->now() - begin;
  log_info("model warmed up", {{"model", model}, {"version", version.version}, {"warm_up_ms", took.count()}});
  return {};
}

// {"team":"birds"}: the annotations asked for that the service has; "" when there are none.
std::string annotations_json(const spec::LoggerSpec& spec, const spec::ObjectMeta& metadata) {
  std::string out;
  for (const std::string& name : spec.metadata_annotations) {
    const auto found = metadata.annotations.find(name);
    if (found == metadata.annotations.end()) continue;
    out += out.empty() ? '{' : ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, *found->second);
  }
  return out.empty() ? out : out + "}";
}

std::shared_ptr<serving::PayloadLogger> payload_logger(const control::DeclaredModel& model,
                                                       const spec::LoggerSpec& spec, const spec::ObjectMeta& metadata,
                                                       const std::string& base_dir, const StageContext& context) {
  if (!spec.enabled()) return nullptr;
  serving::PayloadLoggerOptions options;
  options.requests = spec.takes_requests();
  options.responses = spec.takes_responses();
  options.metadata_headers = spec.metadata_headers;
  options.origin.service_name = model.service_name;
  options.origin.namespace_name = model.namespace_name;
  options.origin.source = model.service_name + "-predictor";
  options.origin.annotations = annotations_json(spec, metadata);
  std::vector<std::string> urls;
  if (!spec.url->empty()) urls.push_back(*spec.url);
  if (!spec.file->empty()) {
    const auto path = std::filesystem::absolute(std::filesystem::path(base_dir) / *spec.file).lexically_normal();
    urls.push_back("file://" + path.string());
  }
  for (const std::string& url : urls) {
    options.destinations.push_back(context.event_sender->destination(url, *spec.file_bytes_max));
  }
  return std::make_shared<serving::PayloadLogger>(std::move(options), *context.event_sender);
}

}  // namespace

void add_stages(control::DeclaredModel& model, const spec::ServingStages& stages, const spec::ObjectMeta& metadata,
                const std::string& base_dir, const StageContext& context) {
  model.logger = payload_logger(model, stages.logger, metadata, base_dir, context);
  model.prepare = [name = model.name, stages, base_dir, context](serving::ModelVersion& version) -> Result<void> {
    JACKDAW_TRY(warm(version, name, stages.warm_up, base_dir, context));
    if (*stages.cache.bytes > 0) {
      const serving::ResponseCacheOptions options{*stages.cache.bytes, *stages.cache.ttl};
      version.cache = std::make_shared<serving::ResponseCache>(options, *context.clock, *context.random,
                                                               *context.metrics, name, version.version);
    }
    if (*stages.batching.kind != spec::BatchingKind::none) {
      version.batcher =
          serving::make_batcher(batcher_options(stages.batching), batcher_context(context, name, version));
    }
    return {};
  };
}

}  // namespace jackdaw::app
