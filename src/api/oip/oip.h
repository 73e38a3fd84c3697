// KServe's V1 protocol and the Open Inference Protocol (V2) with the binary tensor and repository extensions.
// Wire facts: KServe python server 0.21, MLServer 1.7.1 (recorded in tests/data/oip), Triton's extension documents.
#pragma once

#include "src/api/call.h"

namespace jackdaw::api::oip {

void v1_list(Call call);
void v1_model_ready(Call call);
void v1_predict(Call call);
void v1_explain(Call call);

void v2_server(Call call);
void v2_live(Call call);
void v2_ready(Call call);
void v2_list(Call call);
void v2_model(Call call);
void v2_model_ready(Call call);
void v2_infer(Call call);

// /{namespace}/{name}-predictor/...: the service's own predictor, past its transformer.
void predictor_v1_predict(Call call);
void predictor_v1_explain(Call call);
void predictor_v1_model_ready(Call call);
void predictor_v2_infer(Call call);
void predictor_v2_model(Call call);
void predictor_v2_model_ready(Call call);

void v2_index(Call call);
void v2_load(Call call);
void v2_unload(Call call);

}  // namespace jackdaw::api::oip
