// WorkerPool: a few threads with one bounded queue, for predict calls too large for an io thread and for blocking work
// (model load). Thread-safe.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jackdaw::serving {

class WorkerPool {
 public:
  // `name` shows in top and gdb (15 characters at most).
  WorkerPool(std::string name, std::size_t threads, std::size_t queue_max);
  // Runs what is queued, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full or the pool is stopping; the work is then not run.
  [[nodiscard]] bool post(std::function<void()> work);
  std::size_t queued() const;

 private:
  void run();

  const std::size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace jackdaw::serving
