// Gate: what stands between requests and one service's model. It counts who is at work, lets at most so many in at
// once, and holds the others: while every replica is busy, and while there is none because the service was scaled to
// zero. It outlives the engines: they come and go behind it.
//
// Facts: Knative Serving's queue-proxy (containerConcurrency, a queue of ten times that, "pending request queue full",
// time-weighted concurrency) and activator (requests held while there is no pod).
//
// Thread-safe. Entering and leaving an open gate take one atomic step each and no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"

namespace jackdaw::serving {

struct GateLimits {
  std::uint32_t concurrency = 0;                  // requests at work at once per replica; 0 = no limit
  std::uint32_t held_max = 1000;                  // requests that wait at most while there is no replica
  Duration hold_max = std::chrono::seconds(300);  // from when a request was received; then it is refused
};

class Gate;

// A request at work. Whoever has it may use the model; its end lets the next one in. Movable, any thread.
class Pass {
 public:
  Pass(Pass&&) noexcept = default;
  Pass& operator=(Pass&& from) noexcept;
  ~Pass();
  const Gate* gate() const { return gate_.get(); }

 private:
  friend class Gate;
  explicit Pass(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
  std::shared_ptr<Gate> gate_;
};

// What becomes of a request that was held. Neither pass nor refusal: the service has changed; look it up again.
struct Admission {
  std::optional<Pass> pass;
  std::optional<Error> refusal;  // not_ready: the model failed to load; deadline_exceeded: it waited too long
};

// A request that is to wait.
struct Waiting {
  Executor* executor = nullptr;           // of its io thread; kept alive by what `resume` holds
  std::function<void(Admission)> resume;  // called on that thread, once, unless it is forgotten before
  Instant received{};
};

struct GateObservation {
  double concurrency = 0;     // requests at work and held, averaged over the time since the last observation
  double per_second = 0;      // requests that came, a second
  std::uint32_t at_work = 0;  // now
  std::uint32_t held = 0;
  std::uint32_t replicas = 0;  // 0: closed
};

class Gate : public std::enable_shared_from_this<Gate> {
 public:
  // Begins closed: there is no replica yet. The names are labels of its metrics.
  Gate(const GateLimits& limits, Clock& clock, MetricsRegistry& metrics, std::string namespace_name,
       std::string service_name);
  ~Gate();

  // A pass when the gate is open, not full, and nobody waits; nothing otherwise: the request is to be held.
  std::optional<Pass> enter();

  class Held;
  // Holds a request; on the thread of its executor. The one that finds the gate closed wakes control. not_ready:
  // refused at once, because as many wait as may ("pending request queue full") or the model has just failed to load.
  Result<std::shared_ptr<Held>> hold(Waiting waiting);
  // The client has left: `resume` will not be called. On the thread of the request's executor. False when it was
  // called already.
  bool forget(const std::shared_ptr<Held>& held);

  // The rest is control's.

  // Called when a request waits and there is no replica, once until open, fail or close, but again when
  // none of them has come for long; any thread, with no lock held.
  void on_wake(std::function<void()> wake);
  // There are so many replicas, at least one: those that were held go on, first come first served.
  void open(std::uint32_t replicas);
  // Closes when nobody is at work or held; false otherwise. What enters later is held.
  bool close_if_idle();
  // Closes whatever is at work or held.
  void close();
  // The model could not be loaded: everyone held is refused with the reason, and so is who comes until `retry_at`.
  void fail(const Error& reason, Instant retry_at);
  // Everyone held looks the model up again: it was stopped, removed, or the daemon ends.
  void release();
  void configure(const GateLimits& limits);

  bool is_open() const;
  std::uint32_t replicas() const { return replicas_.load(std::memory_order_relaxed); }
  // When a request last entered, left or waited; of a gate nobody has used: when it was made.
  Instant last_used() const;
  // One caller: averages are over the time since its last call.
  GateObservation observe();

 private:
  friend class Pass;
  struct Metrics;
  void leave();
  bool try_count(bool overtaking);
  void admit_held();
  std::size_t held_bound() const;
  Error give_up(const std::shared_ptr<Held>& held, bool woke);
  void finish(const std::vector<std::shared_ptr<Held>>& all, const std::optional<Error>& refusal);
  void expire(const std::shared_ptr<Held>& held);
  std::vector<std::shared_ptr<Held>> take_all();
  void set_held_count();
  void resume(const std::shared_ptr<Held>& held, Admission admission);
  std::uint64_t micros(Instant at) const;
  Metrics& metrics();

  Clock& clock_;
  const Instant epoch_;
  // Who is at work, whether the gate is closed, and the sum of begins minus ends, in one word (gate.cpp).
  std::atomic<std::uint64_t> state_;
  std::atomic<std::uint32_t> limit_{0};  // at work at once, all replicas
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<std::uint32_t> replicas_{0};
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> last_used_{0};

  std::mutex mutex_;  // of everything below
  GateLimits limits_;
  std::map<std::uint64_t, std::shared_ptr<Held>> held_;  // in the order they came
  std::uint64_t held_last_ = 0;
  double held_integral_ = 0;  // request-seconds held until held_at_
  Instant held_at_;
  bool waking_ = false;
  Instant woken_at_{};
  std::optional<Error> failure_;
  Instant retry_at_{};
  std::function<void()> wake_;
  MetricsRegistry& registry_;
  const std::string namespace_name_, service_name_;
  std::unique_ptr<Metrics> metrics_;  // made when something is held or refused for the first time

  // The observer's.
  std::uint64_t seen_integral_ = 0;
  double seen_held_ = 0;
  std::uint64_t seen_begun_ = 0;
  Instant seen_at_;
};

}  // namespace jackdaw::serving
