// Reads the stages around a model: KServe's batcher and logger blocks, and the annotations that go with them.
#pragma once

#include "jackdaw/spec/inference_service.h"
#include "jackdaw/spec/serving_stages.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

struct StagesOf {
  const Node* object = nullptr;           // the whole document
  const Node* predictor = nullptr;        // spec.predictor; null for an LLMInferenceService
  bool generates = false;                 // a language model: it batches by itself, and answers are not cached
  const TextMap* mlserver_env = nullptr;  // of an MLServer runtime
};

// The object's fields were checked against the schema already.
void read_serving_stages(const StagesOf& of, ServingStages& out, Complaints& complaints);

// MLServer's variables that read_serving_stages looks at.
bool is_mlserver_batching_variable(std::string_view name);

}  // namespace jackdaw::spec
