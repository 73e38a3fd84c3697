// The batchers among real threads: several io threads and a pool at once. What ThreadSanitizer looks at.
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "jackdaw/serving/batcher.h"
#include "jackdaw/serving/worker_pool.h"
#include "tests/unit/serving/simulation.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace jackdaw::serving::testing;

namespace {

// An io thread: work and timers in order, until it is told to end and has nothing left to do.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() : thread_([this] { run(); }) {}
  ~ThreadExecutor() override { join(); }

  void post(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(work));
    }
    changed_.notify_one();
  }
  std::uint64_t at(Instant deadline, std::function<void()> work) override {
    timers_.emplace(deadline, std::move(work));  // this thread's own
    return timers_.size();
  }
  bool cancel(std::uint64_t) override { return false; }
  void join() {
    if (!thread_.joinable()) return;
    post([this] { ending_ = true; });
    thread_.join();
  }

 private:
  void run() {
    while (!ending_ || !timers_.empty()) {
      for (const auto& work : take()) work();
      while (!timers_.empty() && timers_.begin()->first <= std::chrono::steady_clock::now()) {
        const auto work = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        work();
      }
    }
  }
  std::deque<std::function<void()>> take() {
    std::unique_lock lock(mutex_);
    const auto some = [this] { return !posted_.empty(); };
    if (timers_.empty()) {
      changed_.wait(lock, some);
    } else {
      changed_.wait_until(lock, timers_.begin()->first, some);
    }
    return std::exchange(posted_, {});
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> posted_;
  std::multimap<Instant, std::function<void()>> timers_;
  bool ending_ = false;
  std::thread thread_;
};

// RowEngine keeps its calls, which one thread may look at; this one answers the same and keeps nothing.
class StatelessEngine final : public engine::Engine {
 public:
  explicit StatelessEngine(std::uint64_t ns) : ns_(ns) {}
  const engine::ModelMetadata& metadata() const override { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest>, std::shared_ptr<engine::ResponseStream>) override {}
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) override {
    return RowEngine().predict(request);
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return ns_; }
  engine::EngineStats stats() const override { return {}; }
  void drain(Instant) override {}

 private:
  const std::uint64_t ns_;
  engine::ModelMetadata metadata_;
};

void hammer(const BatcherOptions& options, std::uint64_t ns_per_call) {
  constexpr int threads = 3;
  constexpr int requests_each = 400;
  MetricsRegistry metrics;
  std::vector<std::unique_ptr<ThreadExecutor>> io;  // before the pool, which posts to them
  for (int t = 0; t < threads; ++t) io.push_back(std::make_unique<ThreadExecutor>());
  WorkerPool pool("test", 2, 64);
  BatcherContext context;
  context.engine = std::make_shared<StatelessEngine>(ns_per_call);
  context.clock = &system_clock();
  context.random = &system_random();
  context.metrics = &metrics;
  context.model = "m";
  context.version = "1";
  context.pool = [&pool](std::function<void()> work) { return pool.post(std::move(work)); };
  const auto batcher = make_batcher(options, std::move(context));
  std::atomic<int> answered{0}, wrong{0};
  for (int i = 0; i < threads * requests_each; ++i) {
    Executor* const executor = io[static_cast<std::size_t>(i % threads)].get();
    executor->post([&, executor, i] {
      BatchItem item;
      item.request = std::make_shared<engine::InferenceRequest>(rows_request({static_cast<double>(i)}));
      item.executor = executor;
      item.done = [&, i, thread = std::this_thread::get_id()](const BatchAnswer& answer) {
        ++answered;
        const bool refused = !answer.outputs && answer.outputs.error().code != Code::invalid_argument;
        const bool right = refused || (answer.outputs && numbers((*answer.outputs)[0])[0] == 2.0 * i + 1);
        if (!right || std::this_thread::get_id() != thread) ++wrong;
      };
      const std::uint64_t ticket = batcher->submit(std::move(item));
      if (i % 7 == 0) batcher->cancel(ticket);
    });
  }
  const Instant give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (answered < threads * requests_each && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(answered == threads * requests_each);
  CHECK(wrong == 0);
  CHECK(batcher->in_flight() == 0);
}

}  // namespace

TEST_CASE("BatchersAnswerEveryRequestOnItsThreadAmongManyThreads") {
  for (const std::uint64_t ns : {std::uint64_t{1000}, std::uint64_t{1'000'000}}) {  // inline and on the pool
    BatcherOptions collect;
    collect.rule = BatchRule::collect;
    collect.max_batch_size = 7;
    collect.max_delay = std::chrono::milliseconds(1);
    hammer(collect, ns);
    BatcherOptions queue;
    queue.max_batch_size = 5;
    queue.max_delay = std::chrono::microseconds(300);
    queue.queue_timeout = std::chrono::milliseconds(2);
    queue.instances = 2;
    hammer(queue, ns);
    hammer(BatcherOptions{}, ns);
  }
}
