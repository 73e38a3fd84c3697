// KServe's rule of waiting; see batcher.h.
#pragma once

#include <mutex>

#include "src/serving/batch_run.h"

namespace jackdaw::serving {

class CollectingBatcher final : public Batcher, public std::enable_shared_from_this<CollectingBatcher> {
 public:
  CollectingBatcher(BatcherOptions options, BatcherContext context);

  std::uint64_t submit(BatchItem item) override;
  void cancel(std::uint64_t ticket) override;
  void drain() override;
  std::size_t in_flight() const override { return run_.in_flight(); }
  const BatcherOptions& options() const override { return options_; }

 private:
  // Requests that run together, and their rows.
  using Collection = std::vector<Waiting>;

  Collection take();             // under the lock
  void arm(Executor& executor);  // on its thread
  void on_timer(Executor& executor);
  void run(Collection collection, FlushReason reason, Executor* here);

  const BatcherOptions options_;
  BatchRun run_;
  std::mutex mutex_;
  Collection waiting_;  // in order of arrival; the first one is the oldest
  std::size_t rows_ = 0;
  std::uint64_t ticket_last_ = 0;
  bool timer_armed_ = false;  // one timer at a time; it looks at the oldest when it fires
  bool draining_ = false;
};

}  // namespace jackdaw::serving
