// BatchRun: how both rules of waiting run what they have gathered: where, as how many calls, and who gets which rows.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "jackdaw/serving/batcher.h"

namespace jackdaw::serving {

// A request in a batcher's hands.
struct Waiting {
  std::uint64_t ticket = 0;
  BatchItem item;
  std::size_t rows = 1;
  bool joinable = false;
  Instant since{};
  Instant expires = Instant::max();
};

// Why a batch left when it did; the values of the label `reason`.
enum class FlushReason : unsigned char { idle, full, preferred, delay, shape, alone, drain };

class BatchMetrics {
 public:
  BatchMetrics(MetricsRegistry& registry, std::string_view model, std::string_view version);
  void count(FlushReason reason, const std::vector<Waiting>& batch);

 private:
  Histogram& rows_;
  Histogram& requests_;
  std::vector<Counter*> reasons_;  // by FlushReason
};

// Thread-safe; must be kept alive by what it runs (see `keep`).
class BatchRun {
 public:
  explicit BatchRun(BatcherContext context);

  // Runs requests of one signature as one call and answers each. `here` is the executor of the calling thread, null on
  // the pool. A small batch runs before this returns when `here` is given and `inline_here` says so, else on the
  // executor of its first request; a large one on the pool. `after` runs when all are answered, with the executor of
  // the thread it runs on; `keep` stays alive until then.
  void start(std::vector<Waiting> batch, std::string batch_id, Executor* here, bool inline_here,
             std::shared_ptr<const void> keep, std::function<void(Executor* here)> after);

  // Every request is counted in once when it is submitted, and out when it is answered.
  void count_in() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  std::size_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  // Answers one request without running it.
  void refuse(Waiting waiting, Error error, Executor* here);
  // The same for one whose client has gone; on the thread of its executor.
  void cancelled(Waiting waiting);

  std::string new_batch_id() const;
  Instant now() const { return context_.clock->now(); }
  BatchMetrics& metrics() { return metrics_; }

 private:
  using Outcomes = std::vector<Result<std::vector<engine::Tensor>>>;
  struct Executed {
    Outcomes outcomes;  // one per request
    std::size_t calls = 0;
  };

  bool is_small(const std::vector<Waiting>& batch) const;
  void run(std::vector<Waiting>& batch, const std::string& batch_id, Executor* here);
  Executed execute(const std::vector<Waiting>& batch) const;
  bool execute_joined(const std::vector<Waiting>& batch, Executed& out) const;
  Result<std::vector<engine::Tensor>> execute_one(const Waiting& waiting) const;
  void answer(Waiting& waiting, BatchAnswer result, Executor* here);

  BatcherContext context_;
  BatchMetrics metrics_;
  std::atomic<std::size_t> in_flight_{0};
};

}  // namespace jackdaw::serving
