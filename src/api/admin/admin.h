// The daemon's own endpoints: liveness at the root and Prometheus metrics.
#pragma once

#include "src/api/call.h"

namespace jackdaw::api::admin {

void alive(Call call);
void metrics(Call call);

}  // namespace jackdaw::api::admin
