// Request bodies of V1 and V2 to engine requests, and the refusals their readers give.
#pragma once

#include <cstdint>
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

// What KServe's batcher says of such a body before any model sees it ("can't Unmarshal body", "no instances in the
// request"); nullopt when it passes it on. Go's json.Unmarshal into {Instances []interface{}} is its reader.
std::optional<std::string_view> batcher_refusal(std::string_view body);

struct RequestedOutput {
  std::string name;
  bool binary = false;
  std::string content_type;  // MLServer: "", "np", "pd", "str"
};

struct V2Request {
  engine::InferenceRequest request;  // `outputs` = the names in `requested`
  bool has_id = false;
  bool binary_output = false;  // request parameter binary_data_output
  // Triton's request parameters "priority" and "timeout" (microseconds), for models with a queue; 0 = not given.
  std::uint64_t priority = 0;
  std::uint64_t timeout_us = 0;
  std::string queue_fault;  // why one of the two cannot be used, "" = they can
  std::vector<RequestedOutput> requested;
};

// The "data" of a structured CloudEvent, as JSON text; nullopt when the body is none.
std::optional<std::string> event_data(std::string_view body);

// `json_length`: the Inference-Header-Content-Length header, when there is one; raw tensors follow that many bytes.
std::variant<V2Request, Refusal> parse_v2(std::string_view body, std::optional<std::string_view> json_length,
                                          std::string_view model_name, serving::Dialect dialect);

}  // namespace jackdaw::api::oip
