// Reads how a service scales, from fields that were checked against the schema already and from annotations.
#pragma once

#include "jackdaw/spec/scaling.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// KServe's checks and fields of a component (spec.predictor).
void read_component_scaling(const Node& component, Scaling& out, Complaints& complaints);
// spec.replicas or spec.scaling of an LLMInferenceService.
void read_llm_scaling(const Node& spec, Scaling& out, Complaints& complaints);
// serving.kserve.io/…, autoscaling.knative.dev/… and jackdaw.dev/… of either; after the fields, over which they win.
void read_scaling_annotations(const Node& object, Scaling& out, Complaints& complaints);

}  // namespace jackdaw::spec
