#include "jackdaw/control/scaler.h"

#include <catch2/catch.hpp>

#include "tests/unit/control/control_world.h"
#include "tests/unit/serving/held_world.h"

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;

namespace {

// A service and a scaler, moved second by second.
struct ScaledWorld {
  explicit ScaledWorld(const ModelScaling& scaling) : world(clock) {
    DeclaredModel model = World::model("iris");
    model.scaling = scaling;
    REQUIRE(world.put(model).has_value());
    gate = world.find("iris")->gate;
    scaler = make_scaler(*world.control, world.metrics, clock);
  }
  serving::HandClock clock;
  World world;
  std::shared_ptr<serving::Gate> gate;
  std::unique_ptr<Scaler> scaler;
  std::vector<serving::Pass> passes;

  void seconds(int count) {
    for (int i = 0; i < count; ++i) {
      clock.pass(1s);
      scaler->tick();
      // What the tick has asked for has ended once this, which changes nothing, has its turn.
      std::promise<void> done;
      world.control->scale("default/iris/", -1, [&](std::int64_t) { done.set_value(); });
      done.get_future().wait();
    }
  }
  void enter(int count) {
    for (int i = 0; i < count; ++i) {
      auto pass = gate->enter();
      if (pass) passes.push_back(std::move(*pass));
    }
  }
};

ModelScaling to_zero() {
  ModelScaling scaling;
  scaling.kpa.min_scale = 0;
  scaling.kpa.stable_window = 6s;
  return scaling;
}

}  // namespace

TEST_CASE("TheLastReplicaGoesAfterAWindowWithoutRequests") {
  ScaledWorld world(to_zero());
  world.seconds(5);
  CHECK(world.gate->replicas() == 1);
  world.seconds(4);
  CHECK(world.gate->replicas() == 0);
  CHECK(world.world.find("iris")->latest()->state == serving::ModelState::standby);
}

TEST_CASE("ARequestWithinTheWindowKeepsTheReplicaHoweverShortItWas") {
  ScaledWorld world(to_zero());
  for (int i = 0; i < 5; ++i) {
    world.enter(1);
    world.passes.clear();
    world.seconds(4);
    CHECK(world.gate->replicas() == 1);
  }
  world.seconds(8);
  CHECK(world.gate->replicas() == 0);
}

TEST_CASE("ALongRequestKeepsTheReplica") {
  ScaledWorld world(to_zero());
  world.enter(1);
  world.seconds(30);
  CHECK(world.gate->replicas() == 1);
}

TEST_CASE("MinReplicasOneIsKeptForever") {
  ModelScaling scaling;
  scaling.kpa.stable_window = 6s;
  ScaledWorld world(scaling);
  world.seconds(60);
  CHECK(world.gate->replicas() == 1);
}

TEST_CASE("ReplicasFollowConcurrencyWithinTheirBoundsAndGoDownAgain") {
  ModelScaling scaling = to_zero();
  scaling.kpa.target = scaling.kpa.container_concurrency = 10;
  scaling.gate.concurrency = 10;
  scaling.kpa.max_scale = 4;
  ScaledWorld world(scaling);
  world.enter(100);
  CHECK(world.passes.size() == 10);  // one replica's worth
  world.seconds(8);
  CHECK(world.gate->replicas() == 2);  // 10 at work over a target of 7
  world.enter(100);
  world.seconds(8);
  CHECK(world.gate->replicas() == 3);
  world.enter(100);
  world.seconds(20);
  CHECK(world.gate->replicas() == 4);
  world.passes.clear();
  world.seconds(30);
  CHECK(world.gate->replicas() == 0);
}

TEST_CASE("AFixedNumberOfReplicasIsLeftAlone") {
  ModelScaling scaling = to_zero();
  scaling.fixed = true;
  scaling.kpa.min_scale = 3;
  ScaledWorld world(scaling);
  world.seconds(30);
  CHECK(world.gate->replicas() == 3);
}

TEST_CASE("KnativesMetricsAreThere") {
  ScaledWorld world(to_zero());
  world.enter(3);
  world.seconds(2);
  const std::string text = world.world.metrics.expose();
  const std::string labels = R"({namespace_name="default",service_name="iris",revision_name=""})";
  CHECK(text.find("autoscaler_actual_pods" + labels + " 1") != std::string::npos);
  CHECK(text.find("autoscaler_desired_pods" + labels + " 1") != std::string::npos);
  CHECK(text.find("autoscaler_panic_mode" + labels + " 0") != std::string::npos);
  CHECK(text.find("revision_request_concurrency" + labels + " 3") != std::string::npos);
}

TEST_CASE("NothingIsSaidToBeAtARevisionThatIsGone") {
  ScaledWorld world(to_zero());
  world.enter(3);
  world.seconds(2);
  world.world.remove("iris");
  world.scaler->tick();
  const std::string text = world.world.metrics.expose();
  for (const char* name :
       {"autoscaler_desired_pods", "autoscaler_actual_pods", "autoscaler_panic_mode",
        "autoscaler_stable_request_concurrency", "autoscaler_panic_request_concurrency",
        "autoscaler_excess_burst_capacity", "revision_queue_depth", "revision_request_concurrency"}) {
    INFO(name);
    CHECK(text.find(name + std::string(R"({namespace_name="default",service_name="iris",revision_name=""} 0)")) !=
          std::string::npos);
  }
}
