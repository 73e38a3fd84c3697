// Strands: blocking work on a few threads, in order for each service and side by side for different ones. Slow work
// (language models) has a thread of its own, so that a small model never waits behind a large one.
//
// Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "jackdaw/serving/worker_pool.h"

namespace jackdaw::control {

enum class Lane : unsigned char { quick, slow };

class Strands {
 public:
  static constexpr std::size_t waiting_max = 100'000;

  Strands();
  // Lets what is running end; what waits is not run any more.
  ~Strands();

  // Runs `work` once everything posted for `key` before has ended. False when too much waits; it is then not run.
  [[nodiscard]] bool post(const std::string& key, Lane lane, std::function<void()> work);

 private:
  struct Task {
    Lane lane;
    std::function<void()> work;
  };
  serving::WorkerPool& pool(Lane lane) { return lane == Lane::slow ? slow_ : quick_; }
  void run(const std::string& key);
  bool take(const std::string& key, Task& task);

  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::map<std::string, std::deque<Task>> strands_;  // the first of each is running
  std::size_t waiting_ = 0;
  serving::WorkerPool quick_, slow_;  // last: their threads use everything above
};

}  // namespace jackdaw::control
