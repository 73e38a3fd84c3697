// Metadata of an object: names by Kubernetes' and KServe's rules, and what its annotations are worth here.
#pragma once

#include "jackdaw/spec/inference_service.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// Reads `metadata` of `object`; a missing or refused name is an error. The fields themselves were checked already.
ObjectMeta read_metadata(const Node& object, Complaints& complaints);

// Reports annotations of KServe and Knative without effect; an unknown jackdaw.dev/ annotation is an error.
void check_annotations(const Node& object, Complaints& complaints);

}  // namespace jackdaw::spec
