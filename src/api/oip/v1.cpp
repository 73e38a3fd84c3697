#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/oip/cloud_event.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"
#include "src/api/oip/response.h"

namespace jackdaw::api::oip {

void v1_list(Call call) {
  answer_json(call, model_names(*call.api->context.registry->snapshot()));
}

void v1_model_ready(Call call) {
  const Found found = find_ready(call, call.path[0], "");
  if (found.model == nullptr) return;
  std::string body = R"({"name":)";
  append_json_string(body, call.path[0]);
  answer_json(call, body + R"(,"ready":true})");
}

void v1_predict(Call call) {
  Found found = find_predictive(call, call.path[0], "");
  if (found.model == nullptr) return;
  const EventMode mode = event_mode(call.request());
  auto parsed = parse_v1(call.request().body(), mode == EventMode::structured);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) {
    found.version->metrics->request_failure.add();
    net::Response response;
    response.status = refusal->status;
    response.body = std::move(refusal->body);
    answer(call, std::move(response));
    return;
  }
  auto request = std::make_shared<engine::InferenceRequest>(std::move(std::get<engine::InferenceRequest>(parsed)));
  predict(std::move(call), std::move(found), std::move(request),
          [mode](const Call& done, const Found& answered, std::vector<engine::Tensor> outputs) {
            if (mode == EventMode::none) return answer_json(done, render_v1(outputs));
            answer(done, event_response(done, mode, answered.model->name, render_v1(outputs, JsonStyle::python)));
          });
}

void v1_explain(Call call) {
  const Found found = find_ready(call, call.path[0], "");
  if (found.model == nullptr) return;
  answer_error(call, 501, "Could not find explainer_host.");
}

}  // namespace jackdaw::api::oip
