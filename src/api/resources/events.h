// core/v1 Events: what happened to declared objects, for `kubectl describe` and `kubectl get events`.
#pragma once

#include <string_view>

#include "src/api/call.h"

namespace jackdaw::api::resources {

// `namespace_name`: "" = all. fieldSelector compares involvedObject's members, type and reason.
void list_events(const Call& call, std::string_view namespace_name);

}  // namespace jackdaw::api::resources
