// Triton's dynamic batching; see batcher.h.
#pragma once

#include <mutex>

#include "src/serving/request_queue.h"

namespace jackdaw::serving {

class DynamicBatcher final : public Batcher, public std::enable_shared_from_this<DynamicBatcher> {
 public:
  DynamicBatcher(BatcherOptions options, BatcherContext context);

  std::uint64_t submit(BatchItem item) override;
  void cancel(std::uint64_t ticket) override;
  void drain() override;
  std::size_t in_flight() const override { return run_.in_flight(); }
  const BatcherOptions& options() const override { return options_; }

 private:
  Waiting waiting_for(BatchItem item);
  // Starts every batch that is due and has an instance to run on. `inline_here`: the first may run before this returns.
  void pump(Executor* here, bool inline_here);
  std::optional<RequestQueue::Batch> next_batch(Instant now);  // under the lock
  void start(RequestQueue::Batch batch, Executor* here, bool inline_here);
  void finished(Executor* here);
  // Under the lock: sees to it that `pump` runs when the queue next has something to do.
  void wake_later(Executor* here);
  void set_timer(Instant deadline, Executor& executor);

  const BatcherOptions options_;
  BatchRun run_;
  std::mutex mutex_;
  RequestQueue queue_;
  std::size_t running_ = 0;  // calls of the engine
  std::uint64_t ticket_last_ = 0;
  Instant timer_at_ = Instant::max();  // the earliest timer that is set
  bool draining_ = false;
};

}  // namespace jackdaw::serving
