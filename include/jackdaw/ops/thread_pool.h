// ThreadPool: the one set of CPU workers that all CPU backends share. Static partition: every worker runs the same
// function with its own number; workers meet at barriers. Waiting spins for some 20 us, then sleeps on a futex.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace jackdaw::ops {

// What one worker of a run knows.
class Team {
 public:
  virtual ~Team() = default;
  virtual int size() const = 0;
  // All workers of the run meet here; nobody goes on before the last has come. Memory written before is seen after.
  virtual void barrier() = 0;
};

class ThreadPool {
 public:
  // `threads` counts the caller of run() as one of them: 2 starts one more thread. `spin` = 0 sleeps at once.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  // Runs work(worker, team) on every worker, worker 0 on the calling thread; returns when all are done. One run at a
  // time: a second caller waits. `work` must not throw.
  void run(const std::function<void(int worker, Team& team)>& work);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The part [begin, end) of `count` items that worker `index` of `size` gets; parts differ by at most `multiple` items
// and begin at multiples of it.
struct Part {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};
constexpr Part part_of(std::int64_t count, int index, int size, std::int64_t multiple = 1) {
  const std::int64_t units = (count + multiple - 1) / multiple;
  const std::int64_t begin = units * index / size * multiple;
  const std::int64_t end = units * (index + 1) / size * multiple;
  return {begin < count ? begin : count, end < count ? end : count};
}

}  // namespace jackdaw::ops
