#include "src/api/admin/admin.h"

#include <utility>

#include "src/api/admin/process_metrics.h"

namespace jackdaw::api::admin {

void alive(Call call) {
  answer_json(call, R"({"status":"alive"})");
}

void metrics(Call call) {
  net::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = call.api->context.metrics->expose() + process_metrics_text(process_usage(), call.api->started);
  response.body += serving::expose_revisions(*call.api->context.registry->snapshot());
  answer(call, std::move(response));
}

}  // namespace jackdaw::api::admin
