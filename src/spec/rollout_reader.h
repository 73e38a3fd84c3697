// Reads how a changed service comes into effect, of an object whose fields were checked against the schema already.
#pragma once

#include "jackdaw/spec/inference_service.h"
#include "jackdaw/spec/llm_inference_service.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// canaryTrafficPercent, deploymentStrategy, spec.canary and the annotations. Each canary's predictor is read as one
// that stands alone, so that what is wrong with it is said before it is loaded.
void read_rollout(InferenceService& service, Complaints& complaints);
// The annotations, which have the fields' part here.
void read_rollout(LlmInferenceService& service, Complaints& complaints);

}  // namespace jackdaw::spec
