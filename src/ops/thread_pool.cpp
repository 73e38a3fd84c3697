#include "jackdaw/ops/thread_pool.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <mutex>
#include <thread>
#include <vector>

namespace jackdaw::ops {
namespace {

using Clock = std::chrono::steady_clock;

// Longer than a barrier between balanced workers takes, shorter than a wake-up from the kernel (5 to 50 us here).
constexpr std::chrono::microseconds spin_time{20};
constexpr int looks_per_clock = 32;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// A word that waiters watch: it spins for a while, then sleeps until the word is no longer what it was.
class alignas(64) Watched {
 public:
  std::uint32_t value(std::memory_order order = std::memory_order_acquire) const { return word_.load(order); }

  // One writer at a time.
  void advance() {
    word_.fetch_add(1, std::memory_order_seq_cst);
    // A sleeper counts itself before it looks at the word for the last time, so either it sees the new value or we see
    // it.
    if (sleepers_.load(std::memory_order_seq_cst) != 0) futex(FUTEX_WAKE_PRIVATE, INT_MAX);
  }

  void wait_past(std::uint32_t old) {
    if (spin_past(old)) return;
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (word_.load(std::memory_order_seq_cst) == old) futex(FUTEX_WAIT_PRIVATE, old);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  bool spin_past(std::uint32_t old) const {
    if (looks_past(old)) return true;
    const Clock::time_point begin = Clock::now();
    bool yielded = false;
    for (;;) {
      if (looks_past(old)) return true;
      const auto waited = Clock::now() - begin;
      if (waited >= spin_time) return false;
      // Halfway: whom we wait for may need this very CPU.
      if (!yielded && waited >= spin_time / 2) {
        yielded = true;
        sched_yield();
      }
    }
  }

  bool looks_past(std::uint32_t old) const {
    for (int i = 0; i < looks_per_clock; ++i) {
      if (value() != old) return true;
      relax();
    }
    return false;
  }

  void futex(int operation, std::uint32_t argument) {
    static_assert(sizeof(word_) == sizeof(std::uint32_t));
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word_), operation, argument, nullptr, nullptr, 0);
  }

  std::atomic<std::uint32_t> word_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace

// The barrier's phase is its sense: a worker reads it before it arrives, and it cannot change until all have arrived.
struct ThreadPool::State final : Team {
  explicit State(int wanted) : threads(std::max(wanted, 1)) {}

  int size() const override { return threads; }

  void barrier() override {
    if (threads == 1) return;
    const std::uint32_t before = phase.value(std::memory_order_relaxed);
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
      arrived.store(0, std::memory_order_relaxed);
      phase.advance();
    } else {
      phase.wait_past(before);
    }
  }

  void serve(int worker) {
    for (std::uint32_t seen = 0;; ++seen) {
      generation.wait_past(seen);
      if (stopping) return;
      (*work)(worker, *this);
      barrier();
    }
  }

  const int threads;
  alignas(64) std::atomic<int> arrived{0};
  Watched phase;
  Watched generation;
  // Written before `generation` moves, read after.
  const std::function<void(int, Team&)>* work = nullptr;
  bool stopping = false;
  std::mutex running;
  std::vector<std::thread> workers;
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>(threads)) {
  for (int worker = 1; worker < state_->threads; ++worker) {
    state_->workers.emplace_back([state = state_.get(), worker] { state->serve(worker); });
  }
}

ThreadPool::~ThreadPool() {
  state_->stopping = true;
  state_->generation.advance();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::size() const {
  return state_->threads;
}

void ThreadPool::run(const std::function<void(int worker, Team& team)>& work) {
  const std::lock_guard lock(state_->running);
  state_->work = &work;
  if (state_->threads > 1) state_->generation.advance();
  work(0, *state_);
  state_->barrier();
}

}  // namespace jackdaw::ops
