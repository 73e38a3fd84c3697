// Kinds: which objects a configuration may hold, and what this version does with each.
#pragma once

#include "src/spec/complaints.h"

namespace jackdaw::spec {

enum class KindUse : unsigned char { inference_service, llm_inference_service, daemon, list, left_out };

// What to do with an object. Kinds that are left out are reported, kinds nobody knows are an error.
KindUse use_of(const Node& object, Complaints& complaints);

}  // namespace jackdaw::spec
