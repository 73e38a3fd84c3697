// A gate with a clock and an io thread that the test moves by hand, and requests that say what became of them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "jackdaw/serving/gate.h"

namespace jackdaw::serving {

class HandClock final : public Clock {
 public:
  Instant now() override { return now_; }
  WallTime wall() override { return WallTime{std::chrono::seconds(1'700'000'000)} + (now_ - Instant{}); }
  void pass(Duration time) { now_ += time; }

 private:
  Instant now_{std::chrono::hours(1)};
};

// Work posted from any thread waits until `run`; timers wait for `run_timers`.
class QueueExecutor final : public Executor {
 public:
  // A pass that goes with the work that held it lets the next one in, which is work again.
  ~QueueExecutor() override {
    timers_.clear();
    for (auto left = std::exchange(queue_, {}); !left.empty(); left = std::exchange(queue_, {})) left.clear();
  }
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  std::uint64_t at(Instant deadline, std::function<void()> work) override {
    timers_.emplace(++last_, std::pair(deadline, std::move(work)));
    return last_;
  }
  bool cancel(std::uint64_t timer) override { return timers_.erase(timer) > 0; }
  void run() {
    while (run_one()) {
    }
  }
  bool run_one() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      work = std::move(queue_.front());
      queue_.erase(queue_.begin());
    }
    work();
    return true;
  }
  void run_timers(Instant now) {
    for (auto at = timers_.begin(); at != timers_.end();) {
      if (at->second.first > now) {
        ++at;
        continue;
      }
      const auto work = std::move(at->second.second);
      timers_.erase(at);
      work();
      at = timers_.begin();
    }
  }
  std::size_t timers() const { return timers_.size(); }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> queue_;
  std::map<std::uint64_t, std::pair<Instant, std::function<void()>>> timers_;
  std::uint64_t last_ = 0;
};

// One held request.
class HeldCall {
 public:
  std::shared_ptr<Gate::Held> held;
  std::vector<Admission> answers;

  bool pending() const { return answers.empty(); }
  bool passed() const { return answers.size() == 1 && answers[0].pass.has_value(); }
  bool looks_again() const { return answers.size() == 1 && !answers[0].pass && !answers[0].refusal; }
  Error refusal() const {
    return answers.size() == 1 && answers[0].refusal ? *answers[0].refusal : make_error(Code::internal, "none");
  }
};

class HeldWorld {
 public:
  explicit HeldWorld(const GateLimits& limits)
      : gate(std::make_shared<Gate>(limits, clock, metrics, "default", "iris")) {
    gate->on_wake([this] { ++wakes; });
  }

  HandClock clock;
  MetricsRegistry metrics;
  QueueExecutor executor;
  std::shared_ptr<Gate> gate;
  int wakes = 0;

  Result<std::shared_ptr<HeldCall>> try_hold() {
    auto call = std::make_shared<HeldCall>();
    auto held = gate->hold({&executor,
                            [weak = std::weak_ptr(call)](Admission admission) {
                              if (const auto alive = weak.lock()) alive->answers.push_back(std::move(admission));
                            },
                            clock.now()});
    if (!held) return held.error();
    call->held = std::move(*held);
    return call;
  }
  std::shared_ptr<HeldCall> hold() { return *try_hold(); }
  void pass_time(Duration time) {
    clock.pass(time);
    executor.run_timers(clock.now());
    executor.run();
  }
};

}  // namespace jackdaw::serving
