#include "jackdaw/api/api.h"
#include "src/api/oip/request.h"

namespace jackdaw::api {

using namespace oip;

// V2 first: to V1, "inputs" with objects would be a data frame.
Result<engine::InferenceRequest> read_predict_body(std::string_view body) {
  auto v2 = parse_v2(body, std::nullopt, "", serving::Dialect::kserve);
  if (auto* request = std::get_if<V2Request>(&v2)) return std::move(request->request);
  auto v1 = parse_v1(body);
  if (auto* request = std::get_if<engine::InferenceRequest>(&v1)) return std::move(*request);
  const bool is_v1 = body.find("\"instances\"") != std::string_view::npos;
  const Refusal& refusal = is_v1 ? std::get<Refusal>(v1) : std::get<Refusal>(v2);
  return make_error(Code::invalid_argument, "{}", refusal.body);
}

}  // namespace jackdaw::api
