// spec.transformer, and the annotation that says where it runs.
#pragma once

#include "jackdaw/spec/inference_service.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

inline constexpr const char* transformer_annotation = "jackdaw.dev/transformer-url";

// Reads both; the predictor has been read. A transformer that runs nowhere, in the predictor's pod too, is an error.
void read_transformer(InferenceService& service, Complaints& complaints);

// For kinds that have none.
void report_transformer(const ObjectMeta& metadata, Complaints& complaints);

}  // namespace jackdaw::spec
