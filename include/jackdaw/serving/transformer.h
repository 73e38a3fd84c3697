// Transformer: the server that changes a service's requests before and its answers after the predictor. Clients' calls
// go to it, and it calls the predictor back; jackdaw does not start it, but knows where it is and whether it answers.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/net/async_client.h"

namespace jackdaw::serving {

struct TransformerSettings {
  std::string namespace_name, service_name;
  std::string url;                               // http[s]://host[:port][/path], without a slash at its end
  Duration timeout = std::chrono::seconds(300);  // of one call, all of it
  std::string probe_path;  // "/v1/models/iris"; any answer to a GET but 5xx is one of a ready server

  friend auto operator<=>(const TransformerSettings&, const TransformerSettings&) = default;
};

// What probes have said: as a kubelet would ask, but no more often than something can have changed.
class TransformerHealth {
 public:
  enum class State : unsigned char { unknown, ready, failing };

  static constexpr Duration interval = std::chrono::seconds(10);       // between probes; Kubernetes' periodSeconds
  static constexpr Duration retry_interval = std::chrono::seconds(1);  // after one that failed; doubled while it fails
  static constexpr int failures_max = 3;  // in a row, until a ready one is not: Kubernetes' failureThreshold

  State state() const { return state_; }
  // Why it is not ready; "" = it is, or nobody has asked yet.
  const std::string& fault() const { return fault_; }
  bool due(Instant now) const { return now >= next_; }
  // `fault`: "" = it answered.
  void probed(Instant now, std::string fault);

 private:
  State state_ = State::unknown;
  std::string fault_;
  int failures_ = 0;  // in a row
  Instant next_ = Instant::min();
};

class Transformer {
 public:
  Transformer(TransformerSettings settings, MetricsRegistry& metrics);

  const TransformerSettings& settings() const { return settings_; }
  bool is_ready() const;
  TransformerHealth health() const;
  // True when it is time for a probe and none is under way; then one is, until `probed`.
  bool begin_probe(Instant now);
  void probed(Instant now, std::string fault);
  // One that hangs must not take what others need: so many calls at once, further ones are refused.
  static constexpr int calls_max = 512;
  // False: as many are under way already. Each true wants an end_call.
  bool begin_call();
  void end_call() { calls_.fetch_sub(1, std::memory_order_relaxed); }
  // What became of a call. `result`: "answered", whatever the status; else the name of what went wrong.
  void count(std::string_view result);

 private:
  const TransformerSettings settings_;
  MetricsRegistry& metrics_;
  Gauge& ready_;
  std::atomic<int> calls_{0};
  mutable std::mutex mutex_;
  TransformerHealth health_;
  bool probing_ = false;
};

// All transformers of the daemon. Whoever declares one gets it here; it is forgotten when nobody has it any more.
class Transformers {
 public:
  // All of it must outlive this; what a probe still says afterwards comes to nothing.
  Transformers(net::AsyncClient& client, Clock& clock, MetricsRegistry& metrics)
      : client_(client), clock_(clock), metrics_(metrics) {}

  // The one with these settings: a service that is declared again keeps what is known of its transformer. A new one is
  // probed at once.
  std::shared_ptr<Transformer> get(const TransformerSettings& settings);
  // To be called once a second: sends the probes that are due.
  void tick();

 private:
  void probe(const std::shared_ptr<Transformer>& transformer);

  net::AsyncClient& client_;
  Clock& clock_;
  MetricsRegistry& metrics_;
  std::mutex mutex_;
  std::map<TransformerSettings, std::weak_ptr<Transformer>> known_;
};

}  // namespace jackdaw::serving
