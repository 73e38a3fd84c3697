// The daemon's own endpoints: liveness at the root, Prometheus metrics, and what `jackdaw logs` and `jackdaw top` read.
#pragma once

#include "src/api/call.h"

namespace jackdaw::api::admin {

void alive(Call call);
void metrics(Call call);
// GET /admin/logs?namespace=&service=&since=SECONDS&tail=N&follow=true: log records as JSON lines.
void logs(Call call);
// GET /admin/stats: the daemon and every model at this moment, as JSON.
void stats(Call call);

}  // namespace jackdaw::api::admin
