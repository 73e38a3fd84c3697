// A watch as a stream of JSON lines, {"type": "ADDED", "object": {...}}, until the client goes or its time is over.
#pragma once

#include "src/api/resources/resource_call.h"

namespace jackdaw::api::resources {

void start_watch(Call call, const Addressed& target, const Query& query, View view);

}  // namespace jackdaw::api::resources
