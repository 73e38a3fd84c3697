#include <utility>

#include "jackdaw/base/text.h"
#include "jackdaw/serving/batcher.h"
#include "src/api/oip/cloud_event.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"
#include "src/api/oip/response.h"
#include "src/api/oip/transformer_call.h"
#include "src/api/payload_log.h"

namespace jackdaw::api::oip {

void v1_list(Call call) {
  answer_json(call, model_names(call, *call.api->context.registry->snapshot()));
}

void v1_model_ready(Call call) {
  const Found found = find_available(call, call.path[0], "");
  if (found.model == nullptr || refuse_for_transformer(call, call.path[0])) return;
  std::string body = R"({"name":)";
  append_json_string(body, call.path[0]);
  answer_json(call, body + R"(,"ready":true})");
}

namespace {

bool answers_as_batcher(const Found& found, EventMode mode) {
  const serving::Batcher* batcher = found.version->batcher.get();
  return mode == EventMode::none && batcher != nullptr && batcher->options().rule == serving::BatchRule::collect;
}

// Go's http.Error.
void answer_plain(const Call& call, int status, std::string_view text) {
  net::Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.headers.push_back({"x-content-type-options", "nosniff"});
  response.body = std::string(text) + "\n";
  answer(call, std::move(response));
}

void answer_refused(const Call& call, const Found& found, Refusal refusal) {
  found.version->metrics->request_failure.add();
  if (found.batch_shape) {
    if (const auto text = batcher_refusal(call.request().body())) return answer_plain(call, 400, *text);
    return answer_batch_failure(call, refusal.status, refusal.body);
  }
  net::Response response;
  response.status = refusal.status;
  response.body = std::move(refusal.body);
  answer(call, std::move(response));
}

bool has_no_rows(const engine::InferenceRequest& request) {
  return request.inputs.empty() || request.inputs.front().shape.empty() || request.inputs.front().shape.front() == 0;
}

// {"predictions": …} as KServe's batcher hands it on.
std::string batcher_answer(const std::string& batch_id, std::string_view predictions) {
  std::string body = fmt::format(R"({{"message":"","batchId":"{}",)", batch_id);
  body += predictions.substr(1);
  return body;
}

void render(const Call& call, const Found& found, EventMode mode, const std::vector<engine::Tensor>& outputs) {
  if (mode != EventMode::none) {
    return answer(call, event_response(call, mode, found.model->name, render_v1(outputs, JsonStyle::python)));
  }
  std::string body = render_v1(outputs);
  answer_json(call, found.batch_shape ? batcher_answer(found.batch_id, body) : std::move(body));
}

}  // namespace

void v1_predict(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  if (forward_to_transformer(call, *snapshot, call.path[0])) return;
  call.measured = true;
  route_call(call, *snapshot, call.path[0]);
  Found found = find_predictive(call, call.path[0], "");
  if (found.model == nullptr) return;
  begin_payload_log(call, found.model->logger);
  const EventMode mode = event_mode(call.request());
  found.batch_shape = answers_as_batcher(found, mode);
  auto parsed = parse_v1(call.request().body(), mode == EventMode::structured);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return answer_refused(call, found, std::move(*refusal));
  auto request = std::make_shared<engine::InferenceRequest>(std::move(std::get<engine::InferenceRequest>(parsed)));
  if (found.batch_shape && has_no_rows(*request)) {
    found.version->metrics->request_failure.add();
    return answer_plain(call, 400, "no instances in the request");
  }
  predict(std::move(call), std::move(found), std::move(request),
          [mode](const Call& done, const Found& answered, std::vector<engine::Tensor> outputs) {
            render(done, answered, mode, outputs);
          });
}

void v1_explain(Call call) {
  Found found = find_predictive(call, call.path[0], "");
  if (found.model == nullptr) return;
  begin_payload_log(call, found.model->logger);
  const EventMode mode = event_mode(call.request());
  auto parsed = parse_v1(call.request().body(), mode == EventMode::structured);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return answer_refused(call, found, std::move(*refusal));
  auto request = std::make_shared<engine::InferenceRequest>(std::move(std::get<engine::InferenceRequest>(parsed)));
  request->verb = engine::Verb::explain;
  predict(std::move(call), std::move(found), std::move(request),
          [mode](const Call& done, const Found& answered, std::vector<engine::Tensor> outputs) {
            const auto& classes = answered.version->engine->metadata().classes;
            if (mode == EventMode::none) return answer_json(done, render_explanations(outputs, classes));
            answer(done, event_response(done, mode, answered.model->name,
                                        render_explanations(outputs, classes, JsonStyle::python)));
          });
}

}  // namespace jackdaw::api::oip
