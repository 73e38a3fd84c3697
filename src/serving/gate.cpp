#include "jackdaw/serving/gate.h"

#include <algorithm>
#include <array>
#include <utility>

#include "jackdaw/base/guarded.h"

namespace jackdaw::serving {
namespace {

// The word of a gate: how many are at work (20 bits), whether it is closed (1 bit), and S (43 bits), the sum of the
// times at which requests began minus the times at which they ended, in microseconds, modulo 2^43. One addition counts
// a request and dates it, so both always belong together, and the time spent at work by all requests until t is
// n * t - S: each that is at work contributes t - begin, each that has ended contributes end - begin.
constexpr std::uint64_t count_mask = (1u << 20) - 1;
constexpr std::uint64_t closed_bit = 1u << 20;
constexpr int sum_shift = 21;
constexpr int sum_bits = 64 - sum_shift;
constexpr std::uint32_t at_work_max = (1u << 20) - 2;
constexpr std::uint32_t queue_per_concurrency = 10;        // queue-proxy's
constexpr Duration wake_again = std::chrono::seconds(60);  // at the earliest, when nothing came of the last time

std::uint64_t at_work(std::uint64_t state) {
  return state & count_mask;
}

std::uint64_t dated(std::uint64_t micros) {
  return (micros << sum_shift) + 1;
}

// n * t - S modulo 2^43.
std::uint64_t integral(std::uint64_t state, std::uint64_t micros) {
  const std::uint64_t mask = (std::uint64_t{1} << sum_bits) - 1;
  return (at_work(state) * micros - (state >> sum_shift)) & mask;
}

// The difference of two integrals; one that is negative by a request that ended while the clock was read counts as 0.
double elapsed(std::uint64_t from, std::uint64_t to) {
  const auto difference = static_cast<std::int64_t>((to - from) << sum_shift) >> sum_shift;
  return std::max(static_cast<double>(difference), 0.0) * 1e-6;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

class Gate::Held {
 public:
  std::uint64_t id = 0;
  Instant since{};
  // Owner: the request's io thread.
  Waiting waiting;
  std::uint64_t timer = 0;
  bool over = false;  // resumed or forgotten
};

struct Gate::Metrics {
  static constexpr std::array<std::string_view, 2> labels{"namespace_name", "service_name"};
  using Values = std::array<std::string_view, 2>;

  Metrics(MetricsRegistry& registry, const Values& of)
      : held_seconds(registry.histogram("jackdaw_held_seconds",
                                        "How long requests were held before the model took them.",
                                        default_latency_buckets(), labels, of)),
        refused(registry.counter("jackdaw_held_refused_total", "Requests refused because as many were held as may be.",
                                 labels, of)),
        expired(registry.counter("jackdaw_held_expired_total", "Requests that were held until their time was over.",
                                 labels, of)) {}

  Histogram& held_seconds;
  Counter& refused;
  Counter& expired;
};

Pass::~Pass() {
  if (gate_ != nullptr) gate_->leave();
}

Pass& Pass::operator=(Pass&& from) noexcept {
  Pass old(std::move(*this));
  gate_ = std::move(from.gate_);
  return *this;
}

Gate::Gate(const GateLimits& limits, Clock& clock, MetricsRegistry& metrics, std::string namespace_name,
           std::string service_name)
    : clock_(clock),
      epoch_(clock.now()),
      state_(closed_bit),
      limits_(limits),
      held_at_(epoch_),
      registry_(metrics),
      namespace_name_(std::move(namespace_name)),
      service_name_(std::move(service_name)),
      seen_at_(epoch_) {}

Gate::~Gate() = default;

std::uint64_t Gate::micros(Instant at) const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(at - epoch_).count());
}

Gate::Metrics& Gate::metrics() {
  if (metrics_ == nullptr)
    metrics_ = std::make_unique<Metrics>(registry_, Metrics::Values{namespace_name_, service_name_});
  return *metrics_;
}

// Counts one more at work, when there is room. Those who wait are not overtaken.
bool Gate::try_count(bool overtaking) {
  std::uint64_t state = state_.load();
  std::uint64_t now = 0;
  for (;;) {
    if ((state & closed_bit) != 0 || at_work(state) >= limit_.load(std::memory_order_relaxed)) return false;
    if (!overtaking && waiting_.load() > 0) return false;
    if (now == 0) now = micros(clock_.now());
    if (state_.compare_exchange_weak(state, state + dated(now))) break;
  }
  last_used_.store(now, std::memory_order_relaxed);
  return true;
}

std::optional<Pass> Gate::enter() {
  if (!try_count(false)) return std::nullopt;
  begun_.fetch_add(1, std::memory_order_relaxed);
  return Pass(shared_from_this());
}

void Gate::leave() {
  const std::uint64_t now = micros(clock_.now());
  last_used_.store(now, std::memory_order_relaxed);
  // Either this sees the one that has begun to wait, or that one sees the place that is free (both are sequentially
  // consistent).
  state_.fetch_sub(dated(now));
  if (waiting_.load() > 0) admit_held();
}

std::size_t Gate::held_bound() const {
  const std::size_t queued =
      std::size_t{queue_per_concurrency} * limits_.concurrency * std::max<std::uint32_t>(replicas(), 1);
  return is_open() && queued > 0 ? queued : std::max<std::size_t>(queued, limits_.held_max);
}

// With the lock held, before and after the number of those who wait changes.
void Gate::set_held_count() {
  const Instant now = clock_.now();
  held_integral_ += seconds(now - held_at_) * waiting_.load(std::memory_order_relaxed);
  held_at_ = now;
  waiting_.store(static_cast<std::uint32_t>(held_.size()));
}

Result<std::shared_ptr<Gate::Held>> Gate::hold(Waiting waiting) {
  auto held = std::make_shared<Held>();
  std::function<void()> wake;
  const Instant now = clock_.now();
  const Instant deadline = waiting.received + limits_.hold_max;
  Executor& executor = *waiting.executor;
  {
    const std::lock_guard lock(mutex_);
    if (!is_open() && failure_ && now < retry_at_) return *failure_;
    if (held_.size() >= held_bound()) {
      metrics().refused.add();
      return make_error(Code::not_ready, "pending request queue full");
    }
    held->id = ++held_last_;
    held->since = now;
    held->waiting = std::move(waiting);
    held_.emplace(held->id, held);
    set_held_count();
    begun_.fetch_add(1, std::memory_order_relaxed);
    // Who was woken may have failed without a word.
    const bool overdue = now - woken_at_ >= std::max(limits_.hold_max, wake_again);
    if (!is_open() && (!std::exchange(waking_, true) || overdue)) {
      wake = wake_;
      woken_at_ = now;
    }
  }
  const bool waits = guarded("holding a request", [&] {
    held->timer = executor.at(deadline, [weak = weak_from_this(), held] {
      if (const auto gate = weak.lock()) gate->expire(held);
    });
    if (wake) wake();
  });
  if (!waits) return give_up(held, wake != nullptr);
  admit_held();
  return held;
}

// What a request that could not wait has begun is undone.
Error Gate::give_up(const std::shared_ptr<Held>& held, bool woke) {
  forget(held);
  if (woke) {
    const std::lock_guard lock(mutex_);
    waking_ = false;
  }
  return {Code::not_ready, "The request cannot wait for the model: the server is out of memory.", {}};
}

bool Gate::forget(const std::shared_ptr<Held>& held) {
  if (std::exchange(held->over, true)) return false;
  held->waiting.executor->cancel(held->timer);
  {
    const std::lock_guard lock(mutex_);
    if (held_.erase(held->id) > 0) set_held_count();
  }
  held->waiting.resume = nullptr;
  return true;
}

void Gate::expire(const std::shared_ptr<Held>& held) {
  Duration hold_max;
  {
    const std::lock_guard lock(mutex_);
    if (held_.erase(held->id) == 0) return;  // it is being resumed
    set_held_count();
    metrics().expired.add();
    hold_max = limits_.hold_max;
  }
  held->over = true;
  const auto resume = std::exchange(held->waiting.resume, nullptr);
  resume({std::nullopt, make_error(Code::deadline_exceeded, "The request waited for the model for {:g} s, no longer.",
                                   seconds(hold_max))});
}

// Any thread; the lock is not held.
void Gate::resume(const std::shared_ptr<Held>& held, Admission admission) {
  Executor& executor = *held->waiting.executor;
  auto carried = std::make_shared<Admission>(std::move(admission));
  executor.post([held, carried] {
    if (std::exchange(held->over, true)) return;  // its client has left; the pass ends with `carried`
    held->waiting.executor->cancel(held->timer);
    const auto go_on = std::exchange(held->waiting.resume, nullptr);
    go_on(std::move(*carried));
  });
}

// Lets in as many as there is room for, in the order they came.
void Gate::admit_held() {
  std::vector<std::shared_ptr<Held>> admitted;
  {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    while (!held_.empty() && try_count(true)) {
      admitted.push_back(std::move(held_.begin()->second));
      held_.erase(held_.begin());
      metrics().held_seconds.observe(seconds(now - admitted.back()->since));
    }
    if (!admitted.empty()) set_held_count();
  }
  for (const auto& held : admitted) {
    Pass pass(shared_from_this());
    guarded("resuming a request", [&] { resume(held, {std::move(pass), std::nullopt}); });
  }
}

std::vector<std::shared_ptr<Gate::Held>> Gate::take_all() {
  std::vector<std::shared_ptr<Held>> all;
  for (auto& [id, held] : held_) all.push_back(std::move(held));
  held_.clear();
  set_held_count();
  return all;
}

void Gate::finish(const std::vector<std::shared_ptr<Held>>& all, const std::optional<Error>& refusal) {
  for (const auto& held : all) guarded("refusing a request", [&] { resume(held, {std::nullopt, refusal}); });
}

void Gate::on_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Gate::open(std::uint32_t replicas) {
  {
    const std::lock_guard lock(mutex_);
    replicas_.store(replicas, std::memory_order_relaxed);
    const std::uint64_t most = std::uint64_t{limits_.concurrency} * replicas;
    limit_.store(most == 0 ? at_work_max : static_cast<std::uint32_t>(std::min<std::uint64_t>(most, at_work_max)),
                 std::memory_order_relaxed);
    waking_ = false;
    failure_.reset();
    state_.fetch_and(~closed_bit);
  }
  admit_held();
}

bool Gate::close_if_idle() {
  const std::lock_guard lock(mutex_);
  if (!held_.empty()) return false;
  std::uint64_t state = state_.load();
  do {
    if (at_work(state) > 0) return false;
  } while (!state_.compare_exchange_weak(state, state | closed_bit));
  replicas_.store(0, std::memory_order_relaxed);
  waking_ = false;
  return true;
}

void Gate::close() {
  const std::lock_guard lock(mutex_);
  state_.fetch_or(closed_bit);
  replicas_.store(0, std::memory_order_relaxed);
  waking_ = false;
}

void Gate::fail(const Error& reason, Instant retry_at) {
  std::vector<std::shared_ptr<Held>> all;
  {
    const std::lock_guard lock(mutex_);
    waking_ = false;
    failure_ = reason;
    retry_at_ = retry_at;
    all = take_all();
  }
  finish(all, reason);
}

void Gate::release() {
  std::vector<std::shared_ptr<Held>> all;
  {
    const std::lock_guard lock(mutex_);
    waking_ = false;
    all = take_all();
  }
  finish(all, std::nullopt);
}

void Gate::configure(const GateLimits& limits) {
  {
    const std::lock_guard lock(mutex_);
    limits_ = limits;
    failure_.reset();
  }
  if (is_open()) open(replicas());
}

bool Gate::is_open() const {
  return (state_.load() & closed_bit) == 0;
}

Instant Gate::last_used() const {
  return epoch_ + std::chrono::microseconds(last_used_.load(std::memory_order_relaxed));
}

GateObservation Gate::observe() {
  GateObservation out;
  const std::uint64_t state = state_.load();
  const Instant now = clock_.now();
  const std::uint64_t worked = integral(state, micros(now));
  const std::uint64_t begun = begun_.load(std::memory_order_relaxed);
  double held_seconds = 0;
  {
    const std::lock_guard lock(mutex_);
    held_seconds = held_integral_ + seconds(now - held_at_) * static_cast<double>(held_.size());
    out.held = static_cast<std::uint32_t>(held_.size());
  }
  const double span = seconds(now - seen_at_);
  if (span > 0) {
    out.concurrency = (elapsed(seen_integral_, worked) + held_seconds - seen_held_) / span;
    out.per_second = static_cast<double>(begun - seen_begun_) / span;
  }
  seen_integral_ = worked;
  seen_held_ = held_seconds;
  seen_begun_ = begun;
  seen_at_ = now;
  out.at_work = static_cast<std::uint32_t>(at_work(state));
  out.replicas = replicas();
  return out;
}

}  // namespace jackdaw::serving
