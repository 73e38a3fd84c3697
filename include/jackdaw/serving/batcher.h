// Batcher: joins predict calls of one model version into one call of its engine, and takes the answer apart again.
//
// Two rules of waiting. `collect` is KServe's batcher (pkg/batcher/handler.go): requests are collected until
// max_batch_size rows are together or the oldest has waited max_delay; all of them then run. `queue` is Triton's
// dynamic batching (dynamic_batch_scheduler.cc, GetDynamicBatch): `instances` calls run at a time; what queues up
// meanwhile is joined up to max_batch_size, and max_delay lets a batch wait to grow to a preferred size.
//
// Only requests of one signature are joined: form, columns, dtypes, trailing shapes, outputs asked for. Rows of an
// answer are given back as the engine computed them. When a joined call fails, or its answer cannot be taken apart by
// rows, every request runs alone and keeps its own answer or error.
//
// Thread-safe. `submit` and `cancel` are called on the thread of the item's executor, and the answer comes there. Small
// batches run on that thread, large ones on the pool. No lock is held while an engine or a caller runs. Bounds: at most
// queue_max requests wait; none waits longer than max_delay for others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

enum class BatchRule : unsigned char { collect, queue };

// What becomes of a request whose time in the queue is over.
enum class TimeoutAction : unsigned char {
  reject,  // Code::not_ready, "Request timeout expired"
  delay,   // served when nothing else waits
};

struct BatcherOptions {
  BatchRule rule = BatchRule::queue;
  std::size_t max_batch_size = 32;  // rows
  Duration max_delay{0};            // 0: nothing waits for others (collect: every request runs at once)
  // Only with BatchRule::queue.
  std::vector<std::size_t> preferred_sizes;  // rows, each at most max_batch_size
  std::size_t instances = 1;                 // calls of the engine at a time
  std::size_t queue_max = 1024;              // requests; more are refused with Code::not_ready
  Duration queue_timeout{0};                 // a request's longest wait in the queue; 0 = none
  TimeoutAction timeout_action = TimeoutAction::reject;
  std::uint32_t priority_levels = 1;  // 1 is served first
  std::uint32_t default_priority = 1;
};

// What a batcher works with; all of it must outlive the batcher.
struct BatcherContext {
  std::shared_ptr<engine::Engine> engine;
  Clock* clock = nullptr;
  Random* random = nullptr;  // batch ids
  // Runs work off the io threads; false when it cannot take it.
  std::function<bool(std::function<void()>)> pool;
  std::uint64_t inline_ns_max = 300'000;  // batches estimated above this go to the pool
  MetricsRegistry* metrics = nullptr;
  std::string model, version;  // labels
};

struct BatchAnswer {
  Result<std::vector<engine::Tensor>> outputs;
  std::string batch_id;        // BatchRule::collect: shared by all that ran together; "" when the request never ran
  std::size_t executions = 0;  // calls of the engine this answer stands for: sums up to the calls really made
  Instant started{};           // of the engine's call
  Instant finished{};
};

struct BatchItem {
  std::shared_ptr<const engine::InferenceRequest> request;
  Executor* executor = nullptr;           // of the calling thread
  std::uint32_t priority = 0;             // 0 or above the levels = the default one
  Duration timeout{0};                    // shortens queue_timeout; 0 = not
  std::function<void(BatchAnswer)> done;  // exactly once, on the executor's thread; possibly before submit returns
};

class Batcher {
 public:
  virtual ~Batcher() = default;
  // Returns what `cancel` takes, or 0 when the request does not wait.
  virtual std::uint64_t submit(BatchItem item) = 0;
  // Takes a waiting request out; it is answered Code::cancelled. Nothing happens when it does not wait any more.
  virtual void cancel(std::uint64_t ticket) = 0;
  // From now on nothing waits for others; what waits runs at once, on its own threads. Any thread.
  virtual void drain() = 0;
  // Requests that were submitted and have no answer yet. Any thread.
  virtual std::size_t in_flight() const = 0;
  virtual const BatcherOptions& options() const = 0;
};

std::shared_ptr<Batcher> make_batcher(BatcherOptions options, BatcherContext context);

}  // namespace jackdaw::serving
