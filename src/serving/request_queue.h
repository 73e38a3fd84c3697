// RequestQueue: what waits in a dynamic batcher, by priority, and which of it makes the next batch. Pure decisions; the
// owner locks.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "src/serving/batch_run.h"

namespace jackdaw::serving {

class RequestQueue {
 public:
  explicit RequestQueue(const BatcherOptions& options);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void push(Waiting waiting, std::uint32_t priority);
  std::optional<Waiting> remove(std::uint64_t ticket);

  // Requests whose time is over: taken out to be refused, or (TimeoutAction::delay) put behind all others.
  std::vector<Waiting> expire(Instant now);

  struct Batch {
    std::vector<Waiting> requests;
    FlushReason reason = FlushReason::idle;
  };
  // Triton's GetDynamicBatch: the batch to run now, or nullopt when it pays to wait until `wake_at`.
  std::optional<Batch> next(Instant now, Duration max_delay);
  // When a batch that `next` let wait is due; Instant::max() when there is none. Valid right after `next`.
  Instant due_at() const { return grow_until_; }
  // When `expire` may have something to do.
  Instant expires_at() const { return closest_expiry_; }
  // The executor of the request that is next in line. Not empty.
  Executor& first_executor() const;

 private:
  using Level = std::deque<Waiting>;
  struct Scan {
    std::size_t count = 0;            // requests from the front that fit together
    std::size_t preferred_count = 0;  // of them, up to the largest preferred size reached; 0 = none
    std::size_t rows = 0;
    Instant oldest = Instant::max();
    FlushReason closed = FlushReason::idle;  // why it cannot grow: full, shape, alone; idle = it can
  };
  Scan scan() const;
  void look_at(Scan& scan, const Waiting& waiting, const Waiting& first) const;
  std::vector<Waiting> take(std::size_t count);

  const BatcherOptions& options_;
  const std::size_t preferred_max_;  // rows; a batch that large does not wait to grow
  std::vector<Level> levels_;        // by priority; the last one holds what is served when nothing else waits
  std::size_t size_ = 0;
  Instant closest_expiry_ = Instant::max();  // never later than the true one
  Instant grow_until_ = Instant::max();      // of the batch that `next` let wait
};

}  // namespace jackdaw::serving
