// Reads spec of an LLMInferenceService whose fields were checked against the schema already.
#pragma once

#include "jackdaw/spec/llm_inference_service.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// Fills everything but metadata, base_dir and node from service.node and service.metadata.
void read_llm_service(LlmInferenceService& service, Complaints& complaints);

}  // namespace jackdaw::spec
