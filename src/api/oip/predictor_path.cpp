// The paths that lead to a service's predictor past its transformer: /{namespace}/{name}-predictor, then the path of
// the protocol. For transformers that are given an address and cannot send the predictor's Host.
#include <utility>

#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"
#include "src/api/openai/openai.h"

namespace jackdaw::api::oip {
namespace {

// "iris-predictor.default": the Host that would mean the same as the path.
std::string host_of_path(const Call& call) {
  return call.path[1] + "-predictor." + call.path[0];
}

// Whether the model in the path is one of the service in the path.
bool is_there(const Call& call) {
  const auto snapshot = call.api->context.registry->snapshot();
  const serving::ServedModel* model = snapshot->find(call.path[2], host_of_path(call));
  return model != nullptr && model->namespace_name == call.path[0] && model->service_name == call.path[1];
}

// The endpoint with the path it expects, where the model's name comes first.
void at_predictor(Call call, Endpoint endpoint) {
  if (!is_there(call)) {
    return answer_error(call, 404,
                        fmt::format("The service {}/{} has no model {}.", call.path[0], call.path[1], call.path[2]));
  }
  call.predictor = host_of_path(call);
  call.path.values[0] = std::move(call.path.values[2]);
  call.path.count = 1;
  call.endpoint = endpoint;  // a call that is held comes again there
  endpoint(std::move(call));
}

}  // namespace

void predictor_v1_predict(Call call) {
  at_predictor(std::move(call), v1_predict);
}
void predictor_v1_explain(Call call) {
  at_predictor(std::move(call), v1_explain);
}
void predictor_v1_model_ready(Call call) {
  if (is_there(call)) return at_predictor(std::move(call), v1_model_ready);
  // Language models have such a path too, and one of them may be called "chat-predictor".
  call.path.values[1] += "-predictor";
  call.endpoint = openai::get_model;
  openai::get_model(std::move(call));
}
void predictor_v2_infer(Call call) {
  at_predictor(std::move(call), v2_infer);
}
void predictor_v2_model(Call call) {
  at_predictor(std::move(call), v2_model);
}
void predictor_v2_model_ready(Call call) {
  at_predictor(std::move(call), v2_model_ready);
}

}  // namespace jackdaw::api::oip
