// The model repository extension: index, load, unload (Triton's extension_model_repository.md, MLServer, KServe).
#include <functional>
#include <string>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/access/admit.h"
#include "src/api/oip/json_document.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"

namespace jackdaw::api::oip {
namespace {

using serving::Dialect;

// Triton's filter {"ready": true} lists ready models only. A body that is empty or says nothing lists all.
Result<bool> ready_only(std::string_view body) {
  if (body.empty()) return false;
  JsonDocument document;
  if (const auto fault = document.parse(body))
    return make_error(Code::invalid_argument, "Unrecognized request format: {}", fault->text());
  bool ready = false;
  return document.root()["ready"].get(ready) == simdjson::SUCCESS && ready;
}

void append_row(std::string& out, const serving::ServedModel& model, const serving::ModelVersion& version) {
  if (out.size() > 1) out += ',';
  out += R"({"name":)";
  append_json_string(out, model.name);
  if (model.dialect == Dialect::kserve || model.versions.size() > 1) {
    out += R"(,"version":)";
    append_json_string(out, version.version);
  }
  out += R"(,"state":")";
  out += serving::state_name(version);
  out += R"(","reason":)";
  append_json_string(out, model.unloaded && model.dialect == Dialect::mlserver ? std::string_view() : version.reason);
  out += '}';
}

using Action = void (control::ModelControl::*)(std::string, std::string, std::function<void(Result<void>)>);

void answer_outcome(const Call& call, std::string_view verb, const Result<void>& outcome) {
  const std::string& name = call.path[0];
  const auto snapshot = call.api->context.registry->snapshot();
  const Dialect dialect = dialect_of(*snapshot, model_named(call, *snapshot, name).get());
  const bool unknown = !outcome && outcome.error().code == Code::not_found;
  // KServe finds out that there was nothing to load only when the model is not there afterwards.
  if (unknown && dialect == Dialect::kserve && verb == "load") {
    return answer_error(call, 503, "Model with name " + name + " is not ready.");
  }
  if (unknown) return answer_unknown_model(call, *snapshot, name, "");
  if (!outcome) return answer_error(call, 503, "Model with name " + name + " is not ready. " + outcome.error().text());
  if (dialect == Dialect::mlserver) return answer(call, net::Response{200, {}, {}, {}});
  std::string body = R"({"name":)";
  append_json_string(body, name);
  body += R"(,")";
  body += verb;
  answer_json(call, body + R"(":true})");
}

// Answers on the io thread once control has acted on its own thread. Whose model it is is decided here, once: control
// is told the service, not the name.
void act(Call call, std::string_view verb, Action action) {
  const auto snapshot = call.api->context.registry->snapshot();
  const serving::ServedModelPtr model = model_named(call, *snapshot, call.path[0]);
  if (model == nullptr) return answer_outcome(call, verb, make_error(Code::not_found, "There is no such model."));
  Executor& executor = call.exchange->executor();
  control::ModelControl& control = *call.api->context.control;
  (control.*action)(
      model->namespace_name, model->service_name, [call = std::move(call), verb, &executor](Result<void> outcome) {
        executor.post([call, verb, outcome = std::move(outcome)] { answer_outcome(call, verb, outcome); });
      });
}

}  // namespace

void v2_index(Call call) {
  const auto filter = ready_only(call.request().body());
  if (!filter) return answer_error(call, 400, filter.error().text());
  std::string body = "[";
  const auto snapshot = call.api->context.registry->snapshot();
  for (const auto& model : snapshot->models()) {
    if (!may_use(call, model->name, model->namespace_name)) continue;
    for (const serving::ModelVersion& version : model->versions) {
      if (*filter && !serving::is_available(version)) continue;
      append_row(body, *model, version);
    }
  }
  answer_json(call, body + "]");
}

void v2_load(Call call) {
  act(std::move(call), "load", &control::ModelControl::load);
}

void v2_unload(Call call) {
  act(std::move(call), "unload", &control::ModelControl::unload);
}

}  // namespace jackdaw::api::oip
