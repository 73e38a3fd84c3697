// Tensors to response bodies: V1 predictions, V2 JSON in both dialects, and V2 with raw tensors.
#pragma once

#include <string>
#include <vector>

#include "jackdaw/engine/tensor.h"
#include "src/api/oip/request.h"

namespace jackdaw::api::oip {

// Whose printing: orjson's (compact, UTF-8 as it is) or that of Python's json module (", ", ASCII, repr of floats).
enum class JsonStyle : unsigned char { orjson, python };

// {"predictions": nested lists}; several outputs become a list of them.
std::string render_v1(const std::vector<engine::Tensor>& outputs, JsonStyle style = JsonStyle::orjson);

// {"explanations": [one per row], "feature_names": […], "classes": […]}. An explanation is {"values": […],
// "base_value": b, "prediction": p}: b plus the values is the model's raw answer. Models of several outputs have a list
// of values and a base value per output. Names and classes are left out where the model has none. `outputs` are those
// of Verb::explain (jackdaw/engine/explanation.h).
std::string render_explanations(const std::vector<engine::Tensor>& outputs, const std::vector<std::string>& classes,
                                JsonStyle style = JsonStyle::orjson);

struct V2Response {
  std::string body;
  std::size_t json_length = 0;  // 0: the body is JSON only; else raw tensors follow that many bytes
};

struct V2Names {
  std::string_view model;
  std::string_view version;  // "" = null or left out, by the dialect
  std::string_view id;
};

// Whether any output goes as raw tensors after the JSON.
bool answers_with_tensors(const V2Request& request, const std::vector<engine::Tensor>& outputs);

// The JSON answer as KServe puts it into a CloudEvent: printed by Python's json module, without nulls.
std::string render_v2_event(const V2Names& names, const std::vector<engine::Tensor>& outputs);

V2Response render_v2(const V2Names& names, const V2Request& request, std::vector<engine::Tensor>& outputs,
                     serving::Dialect dialect);

}  // namespace jackdaw::api::oip
