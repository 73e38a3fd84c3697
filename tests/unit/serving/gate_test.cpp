#include "jackdaw/serving/gate.h"

#include <catch2/catch.hpp>
#include <new>
#include <thread>

#include "tests/unit/serving/held_world.h"

namespace jackdaw::serving {
namespace {

using namespace std::chrono_literals;

TEST_CASE("AnOpenGateWithoutALimitLetsEveryoneIn") {
  HeldWorld world({});
  world.gate->open(1);
  std::vector<Pass> passes;
  for (int i = 0; i < 500; ++i) {
    auto pass = world.gate->enter();
    REQUIRE(pass.has_value());
    passes.push_back(std::move(*pass));
  }
  CHECK(world.gate->observe().at_work == 500);
  passes.clear();
  CHECK(world.gate->observe().at_work == 0);
}

TEST_CASE("AClosedGateHoldsWhoComesAndWakesControlOnce") {
  HeldWorld world({});
  CHECK_FALSE(world.gate->enter().has_value());
  auto first = world.hold();
  auto second = world.hold();
  CHECK(world.wakes == 1);
  CHECK(first->pending());
  world.gate->open(1);
  CHECK(first->pending());  // answered on its own thread, not by who opens
  world.executor.run();
  CHECK(first->passed());
  CHECK(second->passed());
  CHECK(world.gate->observe().at_work == 2);
}

TEST_CASE("ContainerConcurrencyTimesReplicasAreAtWorkAtOnceInTheOrderTheyCame") {
  HeldWorld world({.concurrency = 2});
  world.gate->open(1);
  auto a = world.gate->enter();
  auto b = world.gate->enter();
  REQUIRE((a && b));
  CHECK_FALSE(world.gate->enter().has_value());
  auto first = world.hold();
  auto second = world.hold();
  world.executor.run();
  CHECK(first->pending());
  a.reset();
  CHECK_FALSE(world.gate->enter().has_value());  // the place is the first one's
  world.executor.run();
  CHECK(first->passed());
  CHECK(second->pending());
  world.gate->open(2);  // room for two more
  world.executor.run();
  CHECK(second->passed());
  CHECK(world.gate->enter().has_value());
}

TEST_CASE("OverflowIsRefusedInKnativesWordsAtTenTimesTheConcurrency") {
  HeldWorld world({.concurrency = 1});
  world.gate->open(1);
  auto pass = world.gate->enter();
  std::vector<std::shared_ptr<HeldCall>> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(world.hold());
  const auto refused = world.try_hold();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::not_ready);
  CHECK(refused.error().message == "pending request queue full");
}

TEST_CASE("AtZeroTheQueueIsTheLargerOfBothBounds") {
  HeldWorld world({.concurrency = 1, .held_max = 12});
  std::vector<std::shared_ptr<HeldCall>> calls;
  for (int i = 0; i < 12; ++i) calls.push_back(world.hold());
  CHECK_FALSE(world.try_hold().has_value());
}

TEST_CASE("WhoIsHeldTooLongIsRefusedAndTheOthersStay") {
  HeldWorld world({.hold_max = 10s});
  auto first = world.hold();
  world.pass_time(6s);
  auto second = world.hold();
  world.pass_time(4s);
  CHECK(first->refusal().code == Code::deadline_exceeded);
  CHECK(first->refusal().message == "The request waited for the model for 10 s, no longer.");
  CHECK(second->pending());
  CHECK(world.gate->observe().held == 1);
}

TEST_CASE("AClientThatLeavesIsForgottenAlsoWhenItsPassIsOnTheWay") {
  HeldWorld world({.concurrency = 1});
  auto first = world.hold();
  auto second = world.hold();
  world.gate->forget(first->held);
  CHECK(world.gate->observe().held == 1);
  world.gate->open(1);
  world.gate->forget(second->held);  // its pass is posted already
  world.executor.run();
  CHECK(first->pending());
  CHECK(second->pending());
  CHECK(world.gate->observe().at_work == 0);
  CHECK(world.executor.timers() == 0);
}

TEST_CASE("AFailedLoadRefusesEveryoneHeldAndWhoComesUntilItMayBeTriedAgain") {
  HeldWorld world({});
  auto first = world.hold();
  world.gate->fail(make_error(Code::not_ready, "broken file"), world.clock.now() + 1s);
  world.executor.run();
  CHECK(first->refusal().message == "broken file");
  CHECK(world.try_hold().error().message == "broken file");
  CHECK(world.wakes == 1);
  world.clock.pass(1s);
  auto second = world.hold();
  CHECK(world.wakes == 2);
  world.gate->open(1);
  world.executor.run();
  CHECK(second->passed());
}

TEST_CASE("AGateClosesOnlyWhenNobodyIsThere") {
  HeldWorld world({});
  world.gate->open(1);
  auto pass = world.gate->enter();
  CHECK_FALSE(world.gate->close_if_idle());
  pass.reset();
  CHECK(world.gate->close_if_idle());
  CHECK_FALSE(world.gate->is_open());
  auto held = world.hold();
  CHECK_FALSE(world.gate->close_if_idle());
  CHECK(world.wakes == 1);
}

TEST_CASE("ReleaseSendsEveryoneToLookAgain") {
  HeldWorld world({});
  auto held = world.hold();
  world.gate->release();
  world.executor.run();
  CHECK(held->looks_again());
}

TEST_CASE("AWakeThatThrowsRefusesItsRequestAndTheNextOneWakesAgain") {
  HeldWorld world({});
  world.gate->on_wake([&] {
    if (++world.wakes == 1) throw std::bad_alloc();
  });
  const auto refused = world.try_hold();
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == Code::not_ready);
  CHECK(world.gate->observe().held == 0);
  CHECK(world.executor.timers() == 0);
  auto next = world.hold();
  CHECK(world.wakes == 2);
  world.gate->open(1);
  world.executor.run();
  CHECK(next->passed());
}

TEST_CASE("AWakeOfWhichNothingCameIsRepeatedOnceARequestHasWaitedItsTime") {
  HeldWorld world({.hold_max = 90s});
  auto first = world.hold();
  world.pass_time(89s);
  auto second = world.hold();
  CHECK(world.wakes == 1);
  world.pass_time(1s);
  CHECK(first->refusal().code == Code::deadline_exceeded);
  auto third = world.hold();
  auto fourth = world.hold();
  CHECK(world.wakes == 2);
}

TEST_CASE("ConcurrencyIsAveragedOverTimeAndCountsWhoIsHeld") {
  HeldWorld world({.concurrency = 1});
  world.gate->open(1);
  world.gate->observe();
  auto pass = world.gate->enter();
  world.clock.pass(250ms);
  auto held = world.hold();
  world.clock.pass(250ms);
  pass.reset();
  world.executor.run();  // the held one works now
  world.clock.pass(500ms);
  const GateObservation seen = world.gate->observe();
  // One at work all the time, one held for a quarter of it.
  CHECK(seen.concurrency == Approx(1.25).epsilon(0.001));
  CHECK(seen.per_second == Approx(2));
  CHECK(seen.at_work == 1);
  world.clock.pass(1s);
  CHECK(world.gate->observe().concurrency == Approx(1));
  held.reset();
  world.clock.pass(1s);
  CHECK(world.gate->observe().concurrency == Approx(0));
}

TEST_CASE("ManyThreadsNeverExceedTheLimitAndLoseNobody") {
  HeldWorld world({.concurrency = 3});
  world.gate->open(1);
  std::atomic<int> at_work{0}, most{0}, done{0};  // Catch2 counts assertions of one thread only
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      QueueExecutor executor;
      const auto work = [&](Pass) {
        const int now = ++at_work;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --at_work;
        ++done;
      };
      for (int i = 0; i < 2000; ++i) {
        if (auto pass = world.gate->enter()) {
          work(std::move(*pass));
          continue;
        }
        bool over = false;
        auto held = world.gate->hold({&executor,
                                      [&](Admission admission) {
                                        over = true;
                                        if (admission.pass) work(std::move(*admission.pass));
                                      },
                                      world.clock.now()});
        if (!held) return;
        while (!over) executor.run(), std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done == 8000);
  CHECK(most <= 3);
  CHECK(world.gate->observe().at_work == 0);
}

}  // namespace
}  // namespace jackdaw::serving
