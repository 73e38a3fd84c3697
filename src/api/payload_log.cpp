#include "src/api/payload_log.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "jackdaw/base/text.h"
#include "jackdaw/serving/payload_logger.h"
#include "src/api/call.h"

namespace jackdaw::api {
namespace {

using serving::PayloadLogger;

constexpr std::size_t id_bytes_max = 256;

// Counts what passes and keeps the beginning of it.
class TappedStream final : public net::EventStream {
 public:
  TappedStream(std::shared_ptr<net::EventStream> stream, std::function<void(std::string_view, bool cut)> at_end)
      : stream_(std::move(stream)), at_end_(std::move(at_end)) {}

  std::size_t send(std::string bytes) override {
    const std::size_t room = PayloadLogger::body_bytes_max - kept_.size();
    kept_.append(bytes, 0, room);
    cut_ = cut_ || bytes.size() > room;
    return stream_->send(std::move(bytes));
  }
  void end() override {
    stream_->end();
    if (const auto at_end = std::exchange(at_end_, nullptr)) at_end(kept_, cut_);
  }
  bool closed() const override { return stream_->closed(); }

 private:
  const std::shared_ptr<net::EventStream> stream_;
  std::function<void(std::string_view, bool cut)> at_end_;
  std::string kept_;
  bool cut_ = false;
};

// KServe's agent leaves the kubelet's probes out (pkg/logger: network.IsKubeletProbe).
bool is_probe(const net::Request& request) {
  return request.header("user-agent").value_or("").starts_with("kube-probe/") || request.header("k-kubelet-probe");
}

// {"X-User":["ada"]}, as Go marshals the headers; "" when none of them was sent.
std::string metadata_of(const net::Request& request, const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    const auto value = request.header(name);
    if (!value || !is_valid_utf8(*value)) continue;
    out += out.empty() ? '{' : ',';
    append_json_string(out, name);
    out += ":[";
    append_json_string(out, *value);
    out += ']';
  }
  return out.empty() ? out : out + "}";
}

std::string event_id(const Call& call) {
  const std::string_view given = call.request().header("ce-id").value_or("");
  const bool plain = std::all_of(given.begin(), given.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!given.empty() && given.size() <= id_bytes_max && plain) return std::string(given);
  return make_uuid(*call.api->context.random);
}

}  // namespace

PayloadLog::PayloadLog(std::shared_ptr<const PayloadLogger> logger, std::string id, std::string metadata, Clock& clock)
    : logger_(std::move(logger)), id_(std::move(id)), metadata_(std::move(metadata)), clock_(clock) {}

void PayloadLog::log(serving::EventKind kind, std::string_view content_type, std::string_view body, bool cut) {
  serving::PayloadEvent event;
  event.kind = kind;
  event.id = id_;
  event.metadata = metadata_;
  event.content_type = content_type;
  event.body = body.substr(0, PayloadLogger::body_bytes_max);
  event.truncated = cut || body.size() > PayloadLogger::body_bytes_max;
  event.time = clock_.wall();
  logger_->log(std::move(event));
}

void PayloadLog::request(const net::Request& request) {
  if (!logger_->takes_requests()) return;
  log(serving::EventKind::request, request.header("content-type").value_or(""), request.body(), false);
}

void PayloadLog::answered(int status, std::string_view content_type, std::string_view body) {
  if (status != 200 || !logger_->takes_responses()) return;
  log(serving::EventKind::response, content_type, body, false);
}

std::shared_ptr<net::EventStream> PayloadLog::tapped(std::shared_ptr<net::EventStream> stream, int status,
                                                     std::string_view content_type) {
  if (status != 200 || !logger_->takes_responses()) return stream;
  // A copy of what a log is: the call, and with it this one, may be gone before the stream ends.
  return std::make_shared<TappedStream>(
      std::move(stream), [self = *this, type = std::string(content_type)](std::string_view body, bool cut) mutable {
        self.log(serving::EventKind::response, type, body, cut);
      });
}

void begin_payload_log(Call& call, const std::shared_ptr<const PayloadLogger>& logger) {
  // A call that the gate has held comes by again.
  if (call.log != nullptr || logger == nullptr || is_probe(call.request())) return;
  call.log = std::make_shared<PayloadLog>(
      logger, event_id(call), metadata_of(call.request(), logger->metadata_headers()), *call.api->context.clock);
  call.log->request(call.request());
}

}  // namespace jackdaw::api
