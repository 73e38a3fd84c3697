// Request bodies of V1 and V2 to engine requests, and the refusals their readers give.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jackdaw/engine/engine.h"
#include "jackdaw/serving/registry.h"

namespace jackdaw::api::oip {

// A ready-made answer to a request that could not be read.
struct Refusal {
  int status = 400;
  std::string body;  // JSON
};

Refusal refuse(int status, std::string_view error);          // {"error": ...}
Refusal refuse_detail(int status, std::string_view detail);  // {"detail": ...}

// {"instances": [...]} or {"inputs": [...]}: rows, texts, or data frames in KServe's three shapes. `is_event`: the body
// is a structured CloudEvent whose "data" holds that object.
std::variant<engine::InferenceRequest, Refusal> parse_v1(std::string_view body, bool is_event = false);

struct RequestedOutput {
  std::string name;
  bool binary = false;
  std::string content_type;  // MLServer: "", "np", "pd", "str"
};

struct V2Request {
  engine::InferenceRequest request;  // `outputs` = the names in `requested`
  bool has_id = false;
  bool binary_output = false;  // request parameter binary_data_output
  std::vector<RequestedOutput> requested;
};

// `json_length`: the Inference-Header-Content-Length header, when there is one; raw tensors follow that many bytes.
std::variant<V2Request, Refusal> parse_v2(std::string_view body, std::optional<std::string_view> json_length,
                                          std::string_view model_name, serving::Dialect dialect);

}  // namespace jackdaw::api::oip
