// Models that leave and come back: scaled to zero, woken by requests, failing to wake.
#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/control/control_world.h"
#include "tests/unit/serving/held_world.h"

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;
using serving::ModelState;

namespace {

// Requests to the model "iris", on an io thread that the test moves.
struct Requests {
  explicit Requests(World& of) : world(of), gate(of.find("iris")->gate) {}
  World& world;
  std::shared_ptr<serving::Gate> gate;
  serving::QueueExecutor executor;

  std::shared_ptr<serving::HeldCall> hold() {
    auto call = std::make_shared<serving::HeldCall>();
    auto held =
        gate->hold({&executor, [call](serving::Admission answer) { call->answers.push_back(std::move(answer)); },
                    world.clock.now()});
    REQUIRE(held.has_value());
    call->held = std::move(*held);
    return call;
  }
  // Until the work thread has had its say.
  void wait(const serving::HeldCall& call) {
    for (int i = 0; i < 5000 && call.pending(); ++i) {
      executor.run();
      std::this_thread::sleep_for(1ms);
    }
    REQUIRE_FALSE(call.pending());
  }
};

DeclaredModel lazy(std::string name) {
  DeclaredModel model = World::model(std::move(name));
  model.scaling.kpa.min_scale = 0;
  model.scaling.initial_scale = 0;
  return model;
}

}  // namespace

TEST_CASE("AModelScaledToZeroIsAvailableWithoutAnEngineAndTheNextRequestBringsItBack") {
  World world;
  REQUIRE(world.put(World::model("iris")).has_value());
  CHECK(world.scale("iris", 0) == 0);
  const serving::ModelVersion asleep = *world.find("iris")->latest();
  CHECK(asleep.state == ModelState::standby);
  CHECK(asleep.engine == nullptr);
  CHECK(serving::is_available(asleep));
  CHECK(serving::state_name(asleep) == "READY");
  CHECK(world.registry.snapshot()->all_ready());

  Requests requests(world);
  CHECK_FALSE(requests.gate->enter().has_value());
  const auto first = requests.hold();
  const auto second = requests.hold();
  requests.wait(*first);
  requests.wait(*second);
  CHECK(first->passed());
  CHECK(second->passed());
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  CHECK(world.factory.loads == 2);
}

TEST_CASE("AModelWithARequestAtWorkIsNotScaledToZero") {
  World world;
  REQUIRE(world.put(World::model("iris")).has_value());
  Requests requests(world);
  auto pass = requests.gate->enter();
  CHECK(world.scale("iris", 0) == 1);
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  pass.reset();
  CHECK(world.scale("iris", 0) == 0);
}

TEST_CASE("AModelThatLoadsLazilyWaitsForItsFirstRequest") {
  World world;
  REQUIRE(world.put(lazy("iris")).has_value());
  CHECK(world.factory.loads == 0);
  CHECK(world.registry.snapshot()->all_ready());
  Requests requests(world);
  const auto call = requests.hold();
  requests.wait(*call);
  CHECK(call->passed());
  CHECK(world.factory.loads == 1);
}

TEST_CASE("AModelThatCannotComeBackRefusesWithTheReasonAndIsTriedAgainLater") {
  serving::HandClock clock;
  World world(clock);
  REQUIRE(world.put(lazy("iris")).has_value());
  world.factory.fails = true;
  Requests requests(world);
  const auto first = requests.hold();
  requests.wait(*first);
  CHECK(first->refusal().code == Code::not_ready);
  CHECK(first->refusal().message == "Model with name iris is not ready. /nowhere: broken file");
  const serving::ModelVersion failed = *world.find("iris")->latest();
  CHECK_FALSE(serving::is_available(failed));
  CHECK(serving::state_name(failed) == "UNAVAILABLE");
  // At once it is not tried again.
  CHECK_FALSE(requests.gate->hold({&requests.executor, [](serving::Admission) {}, clock.now()}).has_value());
  world.factory.fails = false;
  clock.pass(1s);
  const auto second = requests.hold();
  requests.wait(*second);
  CHECK(second->passed());
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
}

TEST_CASE("StoppingOrRemovingAServiceSendsWhoIsHeldToLookAgain") {
  World world;
  REQUIRE(world.put(World::model("iris")).has_value());
  Requests requests(world);
  auto pass = requests.gate->enter();
  DeclaredModel limited = World::model("iris");
  limited.scaling.gate.concurrency = 1;
  REQUIRE(world.put(limited).has_value());
  const auto first = requests.hold();
  CHECK(first->pending());
  DeclaredModel stopped = limited;
  stopped.stopped = true;
  REQUIRE(world.put(stopped).has_value());
  requests.wait(*first);
  CHECK(first->looks_again());
  REQUIRE(world.put(limited).has_value());
  const auto second = requests.hold();  // the first request is still at work
  CHECK(second->pending());
  world.remove("iris");
  requests.wait(*second);
  CHECK(second->looks_again());
}

// It was routed a moment before the revision went.
TEST_CASE("ARequestAtTheGateOfARevisionThatIsGoneLooksAgainAtOnce") {
  World world;
  REQUIRE(world.put(World::model("iris")).has_value());
  Requests removed(world);
  world.remove("iris");
  const auto first = removed.hold();
  removed.wait(*first);
  CHECK(first->looks_again());

  DeclaredModel named = World::model("iris");
  named.revision = "iris-predictor-00001";
  REQUIRE(world.put(named).has_value());
  Requests replaced(world);
  world.control->serve("default", "iris", {{{"another", 100, ""}}, {}, ""});
  const auto second = replaced.hold();
  replaced.wait(*second);
  CHECK(second->looks_again());
}

TEST_CASE("AReplacementOfAModelInStandbyIsLoadedAndAFailedOneLeavesTheOldOneToBeWoken") {
  World world;
  REQUIRE(world.put(World::model("iris")).has_value());
  REQUIRE(world.scale("iris", 0) == 0);
  world.factory.fails = true;
  CHECK_FALSE(world.put(World::model("iris")).has_value());
  CHECK(world.find("iris")->latest()->state == ModelState::standby);
  CHECK(serving::is_available(*world.find("iris")->latest()));
  world.factory.fails = false;
  Requests requests(world);
  const auto call = requests.hold();
  requests.wait(*call);
  CHECK(call->passed());
}

TEST_CASE("ASlowLanguageModelDoesNotDelayASmallOne") {
  World world;
  std::promise<void> release;
  const auto released = release.get_future().share();
  DeclaredModel large = World::model("large");
  large.generates = true;
  large.resolve = [released]() -> Result<std::string> {
    released.wait();
    return std::string("/large");
  };
  std::promise<void> large_done;
  world.control->put(large, [&](const Result<void>&) { large_done.set_value(); });
  CHECK(world.put(World::model("iris")).has_value());
  CHECK(world.find("large")->latest()->state == ModelState::loading);
  release.set_value();
  large_done.get_future().wait();
  CHECK(world.find("large")->latest()->state == ModelState::ready);
}
