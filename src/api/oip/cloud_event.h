// CloudEvents 1.0 around V1 and V2 predictions, as KServe takes and answers them: binary mode (ce-* headers) and
// structured mode (content type application/cloudevents+json). Answers come back in the mode of the request, printed as
// Python's json module prints.
#pragma once

#include <string>
#include <string_view>

#include "src/api/call.h"

namespace jackdaw::api::oip {

enum class EventMode : unsigned char { none, binary, structured };

// Binary mode needs all four of ce-id, ce-source, ce-specversion and ce-type.
EventMode event_mode(const net::Request& request);

// Wraps an answer body (already printed in Python's style) for `mode`, which is not none.
net::Response event_response(const Call& call, EventMode mode, std::string_view model, std::string body);

}  // namespace jackdaw::api::oip
