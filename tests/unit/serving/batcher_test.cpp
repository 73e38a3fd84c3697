#include "jackdaw/serving/batcher.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "src/serving/joined_request.h"
#include "tests/unit/serving/simulation.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace jackdaw::serving::testing;

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

struct Sent {
  std::vector<double> rows;
  std::optional<BatchAnswer> answer;
  int answers = 0;
  std::uint64_t ticket = 0;

  std::vector<double> got() const { return numbers((*answer->outputs)[0]); }
  bool failed() const { return answer.has_value() && !answer->outputs; }
};

class World {
 public:
  SimClock clock;
  SeededRandom random{1};
  MetricsRegistry metrics;
  std::shared_ptr<RowEngine> engine = std::make_shared<RowEngine>();
  std::vector<std::unique_ptr<SimExecutor>> io;
  std::deque<std::function<void()>> pool;
  std::size_t pool_max = 1000;
  std::shared_ptr<Batcher> batcher;
  std::vector<std::unique_ptr<Sent>> sent;

  explicit World(BatcherOptions options, std::size_t threads = 1) {
    for (std::size_t i = 0; i < threads; ++i) io.push_back(std::make_unique<SimExecutor>(clock));
    BatcherContext context;
    context.engine = engine;
    context.clock = &clock;
    context.random = &random;
    context.metrics = &metrics;
    context.model = "m";
    context.version = "1";
    context.pool = [this](std::function<void()> work) {
      if (pool.size() >= pool_max) return false;
      pool.push_back(std::move(work));
      return true;
    };
    batcher = make_batcher(std::move(options), std::move(context));
  }

  Sent& send(std::vector<double> rows, std::size_t thread = 0, std::uint32_t priority = 0, Duration timeout = {},
             std::size_t width = 1) {
    sent.push_back(std::make_unique<Sent>());
    Sent& mine = *sent.back();
    mine.rows = rows;
    BatchItem item;
    item.request = std::make_shared<engine::InferenceRequest>(rows_request(rows, width));
    item.executor = io[thread].get();
    item.priority = priority;
    item.timeout = timeout;
    item.done = [&mine](BatchAnswer answer) {
      ++mine.answers;
      mine.answer = std::move(answer);
    };
    mine.ticket = batcher->submit(std::move(item));
    return mine;
  }

  void run_io() {
    while (std::any_of(io.begin(), io.end(), [](const auto& executor) { return executor->run_one(); })) {
    }
  }
  bool run_pool() {
    if (pool.empty()) return false;
    const auto work = std::move(pool.front());
    pool.pop_front();
    work();
    run_io();
    return true;
  }
  void advance(Duration by) {
    clock.time += by;
    run_io();
  }
};

BatcherOptions collect(std::size_t size, Duration latency) {
  BatcherOptions options;
  options.rule = BatchRule::collect;
  options.max_batch_size = size;
  options.max_delay = latency;
  return options;
}

BatcherOptions queue(std::size_t size, Duration delay = Duration{0}) {
  BatcherOptions options;
  options.max_batch_size = size;
  options.max_delay = delay;
  return options;
}

}  // namespace

TEST_CASE("CollectingWaitsUntilTheBatchIsFull") {
  World world(collect(4, milliseconds(5000)));
  Sent& a = world.send({1});
  Sent& b = world.send({2, 3});
  CHECK_FALSE(a.answer);
  Sent& c = world.send({4});
  REQUIRE(world.engine->calls == std::vector<std::size_t>{4});
  CHECK(a.got() == std::vector<double>{3});
  CHECK(b.got() == std::vector<double>{5, 7});
  CHECK(c.got() == std::vector<double>{9});
  CHECK(a.answer->batch_id.size() == 36);
  CHECK(a.answer->batch_id == c.answer->batch_id);
  CHECK(a.answer->executions + b.answer->executions + c.answer->executions == 1);
  CHECK(a.answers == 1);
}

TEST_CASE("CollectingWaitsNoLongerThanTheOldestMay") {
  World world(collect(32, milliseconds(500)));
  Sent& a = world.send({1});
  world.advance(milliseconds(499));
  Sent& b = world.send({2});
  CHECK_FALSE(a.answer);
  world.advance(milliseconds(1));
  CHECK(a.got() == std::vector<double>{3});
  CHECK(b.got() == std::vector<double>{5});
  // The next collection has a wait of its own, and there is one timer at a time.
  Sent& c = world.send({3});
  world.advance(milliseconds(499));
  CHECK_FALSE(c.answer);
  world.advance(milliseconds(1));
  CHECK(c.answer);
  CHECK(world.io[0]->timers() == 0);
}

TEST_CASE("CollectingKeepsOneTimerWhateverTheRate") {
  World world(collect(2, milliseconds(5000)));
  for (int i = 0; i < 1001; ++i) world.send({1});
  CHECK(world.io[0]->timers() == 1);
  world.advance(milliseconds(5000));
  CHECK(world.sent.back()->answers == 1);
  CHECK(world.io[0]->timers() == 0);
}

TEST_CASE("ABadRequestDoesNotSpoilItsMates") {
  World world(collect(3, milliseconds(5000)));
  Sent& a = world.send({1});
  Sent& bad = world.send({poison});
  Sent& c = world.send({3});
  CHECK(a.got() == std::vector<double>{3});
  CHECK(c.got() == std::vector<double>{7});
  REQUIRE(bad.failed());
  CHECK(bad.answer->outputs.error().message == "row 0 is poisoned");
  CHECK(a.answer->executions + bad.answer->executions + c.answer->executions == 4);
}

TEST_CASE("OtherShapesRunInTheSameBatchAsCallsOfTheirOwn") {
  World world(collect(4, milliseconds(5000)));
  Sent& a = world.send({1});
  Sent& wide = world.send({2}, 0, 0, {}, 3);
  Sent& c = world.send({3});
  Sent& wide2 = world.send({4}, 0, 0, {}, 3);
  CHECK(world.engine->calls == std::vector<std::size_t>{2, 2});
  CHECK(a.answer->batch_id == wide.answer->batch_id);
  CHECK(c.got() == std::vector<double>{7});
  CHECK(wide2.got() == std::vector<double>{9});
}

TEST_CASE("AnswersThatDoNotGoByRowsAreNotTakenApart") {
  World world(collect(2, milliseconds(5000)));
  world.engine->stacked = true;
  Sent& a = world.send({1});
  Sent& b = world.send({2});
  CHECK((*a.answer->outputs)[0].shape == std::vector<std::int64_t>{1, 1, 1});
  CHECK(b.got() == std::vector<double>{5});
}

TEST_CASE("ARequestWithoutRowsDoesNotWait") {
  World world(collect(32, milliseconds(5000)));
  Sent& none = world.send({});
  CHECK(none.answer);
  CHECK(none.ticket == 0);
}

TEST_CASE("ACancelledRequestLeavesTheCollection") {
  World world(collect(3, milliseconds(5000)));
  Sent& a = world.send({1, 1});
  world.batcher->cancel(a.ticket);
  REQUIRE(a.failed());
  CHECK(a.answer->outputs.error().code == Code::cancelled);
  Sent& b = world.send({2});
  CHECK_FALSE(b.answer);
  world.batcher->cancel(a.ticket);
  CHECK(a.answers == 1);
  world.advance(milliseconds(5000));
  CHECK(b.got() == std::vector<double>{5});
}

TEST_CASE("DrainingLetsNothingWait") {
  for (const BatcherOptions& options : {collect(32, milliseconds(5000)), queue(32, milliseconds(5000))}) {
    World world(options);
    Sent& a = world.send({1});
    CHECK_FALSE(a.answer);
    CHECK(world.batcher->in_flight() == 1);
    world.batcher->drain();
    world.run_io();
    CHECK(world.batcher->in_flight() == 0);
    CHECK(a.got() == std::vector<double>{3});
    Sent& b = world.send({2});
    CHECK(b.got() == std::vector<double>{5});
  }
}

TEST_CASE("AnswersComeOnTheThreadOfTheirRequest") {
  World world(collect(2, milliseconds(5000)), 2);
  Sent& a = world.send({1}, 0);
  Sent& b = world.send({2}, 1);
  CHECK(b.answer);        // ran here
  CHECK_FALSE(a.answer);  // posted to its own thread
  world.run_io();
  CHECK(a.got() == std::vector<double>{3});
}

TEST_CASE("WithoutDelayOnlyWhatQueuedUpIsJoined") {
  World world(queue(8));
  world.engine->ns_per_row = 1'000'000;  // large: on the pool
  Sent& first = world.send({1});
  REQUIRE(world.pool.size() == 1);
  for (int i = 0; i < 5; ++i) world.send({static_cast<double>(i)});
  CHECK(world.pool.size() == 1);  // one instance is busy
  CHECK(world.run_pool());
  CHECK(first.got() == std::vector<double>{3});
  CHECK(world.run_pool());
  CHECK(world.engine->calls == std::vector<std::size_t>{1, 5});
  CHECK(world.sent[3]->got() == std::vector<double>{5});
  CHECK_FALSE(world.run_pool());
}

TEST_CASE("ABatchNeverExceedsItsLargestSize") {
  World world(queue(4));
  world.engine->ns_per_row = 1'000'000;
  world.send({1});
  world.send({1, 2, 3});
  world.send({4, 5});
  world.send({1, 2, 3, 4, 5, 6});  // larger than a batch: alone
  while (world.run_pool()) {
  }
  CHECK(world.engine->calls == std::vector<std::size_t>{1, 3, 2, 6});
  for (const auto& sent : world.sent) CHECK(sent->answers == 1);
}

TEST_CASE("AQueueDelayWaitsForAPreferredSize") {
  BatcherOptions options = queue(8, milliseconds(10));
  options.preferred_sizes = {4, 8};
  World world(options);
  Sent& a = world.send({1});
  world.send({2});
  world.advance(milliseconds(3));
  CHECK_FALSE(a.answer);
  world.send({3, 4});  // four rows: preferred
  CHECK(world.engine->calls == std::vector<std::size_t>{4});
  Sent& b = world.send({5});
  world.advance(milliseconds(9));
  CHECK_FALSE(b.answer);
  world.advance(milliseconds(1));  // its wait is over, whatever the size
  CHECK(b.got() == std::vector<double>{11});
  CHECK(world.metrics.expose().find(R"(jackdaw_batches_total{model="m",version="1",reason="preferred"} 1.0)") !=
        std::string::npos);
}

TEST_CASE("PriorityIsServedFirstAndTheDefaultStandsInForWhatIsNoLevel") {
  BatcherOptions options = queue(1);
  options.priority_levels = 3;
  options.default_priority = 2;
  World world(options);
  world.engine->ns_per_row = 1'000'000;
  world.send({0});  // runs
  world.send({1}, 0, 3);
  world.send({2}, 0, 0);
  world.send({3}, 0, 99);
  world.send({4}, 0, 1);
  std::vector<double> order;
  while (world.run_pool()) {
    for (const auto& sent : world.sent) {
      const double row = sent->rows[0];
      if (sent->answer && std::find(order.begin(), order.end(), row) == order.end()) order.push_back(row);
    }
  }
  CHECK(order == std::vector<double>{0, 4, 2, 3, 1});
}

TEST_CASE("AFullQueueRefuses") {
  BatcherOptions options = queue(8);
  options.queue_max = 2;
  World world(options);
  world.engine->ns_per_row = 1'000'000;
  for (int i = 0; i < 3; ++i) world.send({1});
  Sent& refused = world.send({2});
  REQUIRE(refused.failed());
  CHECK(refused.answer->outputs.error().code == Code::not_ready);
  CHECK(refused.answer->outputs.error().message == "Exceeds maximum queue size");
}

TEST_CASE("ARequestWhoseTimeIsOverIsRejectedOrServedLast") {
  for (const TimeoutAction action : {TimeoutAction::reject, TimeoutAction::delay}) {
    BatcherOptions options = queue(1);
    options.queue_timeout = milliseconds(50);
    options.timeout_action = action;
    World world(options);
    world.engine->ns_per_row = 1'000'000;
    world.send({0});
    Sent& late = world.send({1});
    Sent& shorter = world.send({2}, 0, 0, milliseconds(10));
    world.advance(milliseconds(10));
    CHECK(shorter.failed() == (action == TimeoutAction::reject));
    world.advance(milliseconds(40));
    CHECK(late.failed() == (action == TimeoutAction::reject));
    Sent& fresh = world.send({3});
    world.run_pool();
    world.run_pool();
    CHECK(fresh.answer);  // before those that were put behind
    while (world.run_pool()) {
    }
    CHECK(late.answers == 1);
    if (action == TimeoutAction::reject) {
      CHECK(late.answer->outputs.error().message == "Request timeout expired");
    } else {
      CHECK(late.got() == std::vector<double>{3});
      CHECK(shorter.got() == std::vector<double>{5});
    }
  }
}

TEST_CASE("APoolThatIsFullRefusesTheBatchAndTheQueueGoesOn") {
  World world(queue(8));
  world.engine->ns_per_row = 1'000'000;
  world.pool_max = 0;
  Sent& a = world.send({1});
  world.run_io();
  REQUIRE(a.failed());
  CHECK(a.answer->outputs.error().code == Code::not_ready);
  world.pool_max = 10;
  Sent& b = world.send({2});
  world.run_pool();
  CHECK(b.got() == std::vector<double>{5});
}

TEST_CASE("ColumnsAreJoinedByNameAndKind") {
  engine::InferenceRequest a;
  a.form = engine::InputForm::columns;
  engine::Tensor column;
  column.name = "age";
  column.dtype = DType::bytes;
  column.shape = {2};
  column.strings = {"x", "y"};
  a.inputs = {column};
  engine::InferenceRequest b = a;
  CHECK(same_signature(a, b));
  const std::vector<const engine::InferenceRequest*> both{&a, &b};
  const auto all = joined(both);
  CHECK(all.inputs[0].strings == std::vector<std::string>{"x", "y", "x", "y"});
  CHECK(all.inputs[0].shape == std::vector<std::int64_t>{4});
  b.inputs[0].missing = {0, 1};
  CHECK_FALSE(same_signature(a, b));
  b = a;
  b.inputs[0].name = "size";
  CHECK_FALSE(same_signature(a, b));
  b = a;
  b.outputs = {"predict"};
  CHECK_FALSE(same_signature(a, b));
  b = a;
  b.inputs.push_back(column);
  b.inputs[1].shape = {1};
  b.inputs[1].strings = {"z"};
  CHECK_FALSE(joinable_rows(b));  // columns of two lengths
  b.inputs[1].shape = {3};
  CHECK_FALSE(joinable_rows(b));  // shape and data differ
  CHECK(joinable_rows(a) == 2);
}

// Random arrivals on several threads, of several shapes and sizes, some poisoned, with priorities, timeouts and clients
// that leave, while io threads, timers and the pool take their turns in random order.
TEST_CASE("EveryRequestIsAnsweredExactlyOnceWhateverHappens") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    BatcherOptions options = random.below(2) == 0 ? collect(1 + random.below(16), microseconds(random.below(3000)))
                                                  : queue(1 + random.below(16), microseconds(random.below(3000)));
    options.queue_max = 1 + random.below(40);
    options.instances = 1 + random.below(3);
    options.priority_levels = 1 + static_cast<std::uint32_t>(random.below(3));
    if (random.below(2) == 0) options.preferred_sizes = {1 + random.below(options.max_batch_size)};
    if (random.below(3) == 0) options.queue_timeout = microseconds(1 + random.below(2000));
    if (random.below(2) == 0) options.timeout_action = TimeoutAction::delay;
    const Duration longest = options.max_delay;
    World world(options, 1 + random.below(3));
    world.engine->ns_per_row = random.below(2) == 0 ? 1000 : 200'000;
    world.pool_max = random.below(4) == 0 ? 1 : 1000;
    for (int step = 0; step < 400; ++step) {
      switch (random.below(6)) {
        case 0:
        case 1: {
          std::vector<double> rows(1 + random.below(5), static_cast<double>(random.below(100)));
          if (random.below(10) == 0) rows.back() = poison;
          world.send(rows, random.below(world.io.size()), static_cast<std::uint32_t>(random.below(5)),
                     microseconds(random.below(3) == 0 ? random.below(1000) : 0), 1 + random.below(2));
          break;
        }
        case 2:
          world.io[random.below(world.io.size())]->run_one();
          break;
        case 3:
          if (!world.pool.empty()) {
            const auto work = std::move(world.pool.front());
            world.pool.pop_front();
            work();
          }
          break;
        case 4:
          world.clock.time += microseconds(random.below(500));
          break;
        case 5:
          if (!world.sent.empty() && random.below(5) == 0) {
            world.batcher->cancel(world.sent[random.below(world.sent.size())]->ticket);
          }
          break;
      }
    }
    // Everything that still waits is due after its longest wait.
    for (int round = 0; round < 3; ++round) {
      world.advance(longest + milliseconds(3));
      while (world.run_pool()) {
      }
    }
    INFO("seed " << seed);
    REQUIRE(world.batcher->in_flight() == 0);
    for (const auto& sent : world.sent) {
      REQUIRE(sent->answers == 1);
      if (!sent->answer->outputs) continue;
      REQUIRE(sent->got().size() == sent->rows.size());
      for (std::size_t i = 0; i < sent->rows.size(); ++i) REQUIRE(sent->got()[i] == 2 * sent->rows[i] + 1);
    }
  }
}
