// Cors: what web pages of other origins may do (Fetch standard, "CORS protocol"). Off while no origin is allowed.
#pragma once

#include "src/api/call.h"

namespace jackdaw::api {

// Answers the preflight of a browser; false when the call is none, or CORS is off.
bool answer_preflight(const Call& call);

// Lets the page read the answer, when its origin is an allowed one.
void add_cors_headers(const Call& call, net::Response& response);

}  // namespace jackdaw::api
