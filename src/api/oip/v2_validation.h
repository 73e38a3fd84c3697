// What is wrong with a V2 body, in the shape FastAPI and pydantic give it: {"detail":[{type, loc, msg, input}]}.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>

#include "jackdaw/serving/registry.h"
#include "src/api/oip/json_fault.h"

namespace jackdaw::api::oip {

// Nullopt when the body has the protocol's shape; otherwise the whole 422 body.
std::optional<std::string> validate_v2(simdjson::dom::element root, serving::Dialect dialect);

// 422 body for a text that is no JSON.
std::string invalid_json_detail(const JsonFault& fault);
// 422 body for an empty body.
std::string missing_body_detail();
// 422 body for a body that was not sent as JSON, so that a reader sees text where an object belongs.
std::string not_json_detail(std::string_view body);

}  // namespace jackdaw::api::oip
