// Api: every HTTP endpoint of the daemon. Parses requests, asks serving and control, renders answers.
//
// The handler runs on io threads and is thread-safe. Parse, route, predict, render: small predictions do all four on
// the io thread; a prediction estimated above `inline_ns_max` goes to the cpu pool and is rendered back on the io
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/api/access.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/log_ring.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/control/event_log.h"
#include "jackdaw/control/model_control.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/net/async_client.h"
#include "jackdaw/net/exchange.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/serving/shadow.h"
#include "jackdaw/serving/worker_pool.h"

namespace jackdaw::api {

// Web pages of other origins; off while allowed_origins is empty.
struct CorsOptions {
  std::vector<std::string> allowed_origins;  // "https://app.example.com", or "*"
  std::vector<std::string> allowed_headers;  // empty = what the page asks for
  std::vector<std::string> allowed_methods;  // empty = all that are used here
  std::chrono::seconds max_age{600};
  bool allow_credentials = false;
};

struct ApiOptions {
  std::string version = "0.0.0";          // jackdaw's own
  std::uint64_t inline_ns_max = 300'000;  // predictions estimated above this leave the io thread
  bool access_log = false;
  bool trust_request_chat_template = false;         // vLLM's --trust-request-chat-template
  std::size_t inline_prompt_bytes_max = 16 * 1024;  // longer prompts are tokenized off the io thread
  CorsOptions cors;
  Duration ping_interval = std::chrono::seconds(10);   // a comment on streams that are silent that long; 0 = none
  std::size_t stream_queue_bytes_max = 64 * 1024;      // unwritten bytes of a stream; above, tokens are merged
  std::size_t stream_waiting_bytes_max = 1024 * 1024;  // merged tokens of a slow reader; above, it is cut off
};

// Everything the endpoints need; all of it must outlive the handler.
struct ApiContext {
  serving::Registry* registry = nullptr;
  control::ModelControl* control = nullptr;
  serving::WorkerPool* cpu_pool = nullptr;
  MetricsRegistry* metrics = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  control::ResourceStore* resources = nullptr;  // null: no resource API
  serving::WorkerPool* store_pool = nullptr;    // one thread; runs the store's writes
  const control::EventLog* events = nullptr;    // what happened to declared objects; null: nothing is known
  const Access* access = nullptr;               // null: everyone may do everything
  const LogRing* log = nullptr;                 // null: GET /admin/logs is a 404
  serving::Shadow* shadow = nullptr;            // null: no request is copied
  // Of calls to transformers; needed as soon as a model has one. All calls of the handler must have ended before the
  // server does.
  net::AsyncClient* transformer_client = nullptr;
};

// A predict request of V2 or V1 as an engine takes it, from its JSON body alone. The error is what a client would read.
Result<engine::InferenceRequest> read_predict_body(std::string_view body);

net::Handler make_handler(ApiContext context, ApiOptions options);

}  // namespace jackdaw::api
