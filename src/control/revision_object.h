// What of a service's object makes a revision, and the object as a revision sees it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "jackdaw/spec/json.h"

namespace jackdaw::control {

// A hash of all that decides how the predictor answers: the model's block without what only pods have, and the
// annotations that engines read. Labels, replicas, loggers, shares of traffic and the order of members are not in it.
std::string fingerprint_of(const spec::Json& object);

// What is remembered of a revision: {"spec": {...}, "annotations": {...}}, as the object had them.
spec::Json remembered(const spec::Json& object);
// The object as it would be with that revision as its predictor; metadata is today's.
spec::Json object_of(const spec::Json& object, const spec::Json& remembered);

// The object with one of spec.canary as its predictor, and no canaries.
spec::Json canary_object(const spec::Json& object, const spec::Json& canary);
// The object with its model at another storage URI, and no canaries.
spec::Json shadow_object(const spec::Json& object, const std::string& storage_uri);

}  // namespace jackdaw::control
