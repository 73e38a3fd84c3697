// Reads spec.predictor of an InferenceService whose fields were checked against the schema already.
#pragma once

#include "jackdaw/spec/inference_service.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// Fills service.predictor, service.runtime and service.stopped from service.node and service.metadata.
void read_predictor(InferenceService& service, Complaints& complaints);
// The same from another node than spec.predictor.
void read_predictor(InferenceService& service, const Node& predictor, Complaints& complaints);

// The block's args and env, and what they and the annotations come to (served name, predict_proba, predict_fn).
// Needs service.runtime. (model_settings.cpp)
void read_model_settings(const Node& block, InferenceService& service, Complaints& complaints);

// The one source of the model from storageUri, storageUris or storage. (model_source.cpp)
void read_model_source(const Node& predictor, const Node& block, Predictor& out, Complaints& complaints);

}  // namespace jackdaw::spec
