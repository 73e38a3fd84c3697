// Call: one request on its way through an endpoint, and the table row that brought it there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "jackdaw/api/api.h"
#include "jackdaw/net/exchange.h"
#include "jackdaw/serving/gate.h"

namespace jackdaw::api {

class PayloadLog;

namespace oip {
class TransformerCalls;
}

// Shared state of all endpoints; immutable but for what knows itself how to be shared.
struct Api {
  ApiContext context;
  ApiOptions options;
  std::int64_t started = 0;  // seconds since the epoch
  std::shared_ptr<oip::TransformerCalls> transformer_calls;
};

// Values of the {placeholders} of a route, percent-decoded, in order of appearance.
struct PathValues {
  std::array<std::string, 5> values;
  std::size_t count = 0;
  const std::string& operator[](std::size_t i) const { return values[i]; }
};

struct Call;
using Endpoint = void (*)(Call call);

struct Call {
  std::shared_ptr<const Api> api;
  std::shared_ptr<net::Exchange> exchange;
  PathValues path;
  bool service_path = false;             // the route starts with /{namespace}/{name}
  std::shared_ptr<PayloadLog> log = {};  // null: nobody is told of it
  GrantPtr grant = {};                   // what the caller may use; null: everything
  // Who answers, once that is known: named in x-jackdaw-revision.
  serving::ServedModelPtr revision;
  bool measured = false;  // a prediction or generation: its answer counts for the revision
  bool refused = false;   // by the model itself, whatever the status
  Endpoint endpoint = nullptr;
  std::shared_ptr<serving::Pass> pass;  // of the model's gate, until the answer is out
  // "iris-predictor.default" where the path leads past a transformer; "": the Host header counts.
  std::string predictor = {};

  const net::Request& request() const { return exchange->request(); }
  // Which of several models of one name is meant, and whether its predictor is.
  std::string_view host() const {
    return predictor.empty() ? request().header("host").value_or("") : std::string_view(predictor);
  }
};

using Endpoint = void (*)(Call call);

// Sends an answer: passes x-request-id and traceparent through, names and counts the revision, and writes the access
// log.
void answer(const Call& call, net::Response response);
// The same for a streamed answer: its head leaves at once. Counting and the access log are the streamer's, when the
// answer ends.
std::shared_ptr<net::EventStream> answer_events(const Call& call, net::Response head);
// {"error": "..."} with that status.
void answer_error(const Call& call, int status, std::string_view message);
// {"detail": "..."}: FastAPI's shape for routing errors.
void answer_detail(const Call& call, int status, std::string_view detail);
void answer_json(const Call& call, std::string body);

// What the access log says of a request, kept for answers that outlive it.
struct AccessRecord {
  std::string method, path, peer, request_id, traceparent;
  std::size_t bytes_in = 0;
  Instant received{};
  std::string identity;  // the name of the caller's grant
};
AccessRecord access_record(const Call& call);
void log_access(const Api& api, const AccessRecord& record, int status, std::size_t bytes_out);

// The HTTP status of an error, as KServe and MLServer answer it.
int http_status(Code code);

}  // namespace jackdaw::api
