#include "src/control/model_memory.h"

#include <catch2/catch.hpp>

#include "tests/unit/control/control_world.h"
#include "tests/unit/serving/held_world.h"

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;
using serving::ModelState;

namespace {

constexpr std::uint64_t mib = 1 << 20;

// Models of 10 MiB in a budget of 35, so that three fit.
struct MemoryWorld {
  serving::HandClock clock;
  MetricsRegistry metrics;
  ModelMemory memory;
  std::map<std::string, std::shared_ptr<serving::Gate>> gates;
  std::vector<std::string> evicted;
  std::string busy;  // cannot be evicted

  explicit MemoryWorld(MemoryLimits limits = {35 * mib, 0}) : memory(limits, metrics) {}

  Result<void> load(const std::string& key, std::uint64_t bytes = 10 * mib) {
    JACKDAW_TRY(memory.reserve(key, bytes, [this](const std::string& other) {
      if (other == busy) return false;
      evicted.push_back(other);
      memory.left(other);
      return true;
    }));
    auto& gate = gates[key];
    if (gate == nullptr) gate = std::make_shared<serving::Gate>(serving::GateLimits{}, clock, metrics, "default", key);
    gate->open(1);
    use(key);
    memory.loaded(key, bytes, gate);
    return {};
  }
  void use(const std::string& key) {
    clock.pass(1s);
    (void)gates[key]->enter();
  }
};

}  // namespace

TEST_CASE("TheModelUsedLongestAgoLeavesWhenAnotherNeedsTheRoom") {
  MemoryWorld world;
  for (const char* key : {"a", "b", "c"}) REQUIRE(world.load(key).has_value());
  world.use("a");
  REQUIRE(world.load("d").has_value());
  CHECK(world.evicted == std::vector<std::string>{"b"});
  world.use("c");
  world.use("a");
  REQUIRE(world.load("e").has_value());
  REQUIRE(world.load("f").has_value());
  CHECK(world.evicted == std::vector<std::string>{"b", "d", "c"});
  CHECK(world.memory.used_bytes() == 30 * mib);
}

TEST_CASE("ModelsInUseStayAndALoadThatCannotFitIsRefusedWithNumbers") {
  MemoryWorld world;
  for (const char* key : {"a", "b", "c"}) REQUIRE(world.load(key).has_value());
  world.busy = "a";
  REQUIRE(world.load("d").has_value());
  CHECK(world.evicted == std::vector<std::string>{"b"});
  const auto refused = world.load("huge", 30 * mib);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::not_ready);
  CHECK(refused.error().message.find("huge needs about 30.0 MiB, and 10.0 of the 35.0 MiB") == 0);
  CHECK(world.memory.used_bytes() == 10 * mib);
}

TEST_CASE("WhatIsReservedCountsUntilTheLoadHasEnded") {
  MemoryWorld world;
  REQUIRE(world.memory.reserve("a", 30 * mib, [](const std::string&) { return false; }).has_value());
  CHECK_FALSE(world.memory.fits("b", 10 * mib));
  world.memory.release("a");
  CHECK(world.memory.fits("b", 10 * mib));
  CHECK(world.memory.used_bytes() == 0);
}

TEST_CASE("AModelThatIsLoadedAnewIsOneAlsoWhenItHasGrown") {
  MemoryWorld world({0, 2});
  for (const char* key : {"a", "b"}) REQUIRE(world.load(key).has_value());
  world.busy = "b";
  const auto keep = [](const std::string&) { return false; };
  REQUIRE(world.memory.reserve("a", 10 * mib, keep).has_value());
  CHECK(world.memory.reserve("a", 5 * mib, keep).has_value());  // its file is larger than it was
  CHECK(world.memory.fits("a", 1 * mib));
  const auto third = world.memory.reserve("c", 1 * mib, keep);
  REQUIRE(third.has_error());
  CHECK(third.error().message.find("2 models are loaded, as many as may be") == 0);
  world.memory.loaded("a", 15 * mib, world.gates["a"]);
  CHECK(world.memory.used_bytes() == 25 * mib);
  CHECK(world.evicted.empty());
}

TEST_CASE("TheGaugeOfResidentBytesFallsWhenALoadFails") {
  MemoryWorld world;
  const Gauge& resident = world.metrics.gauge("jackdaw_models_resident_bytes", "");
  REQUIRE(world.load("a").has_value());
  REQUIRE(world.memory.reserve("b", 20 * mib, [](const std::string&) { return false; }).has_value());
  world.memory.loaded("a", 11 * mib, world.gates["a"]);
  CHECK(resident.value() == 31 * mib);
  world.memory.release("b");
  CHECK(resident.value() == 11 * mib);
}

TEST_CASE("OnlySoManyModelsAreLoadedAtOnceAndTheOthersComeOnDemand") {
  serving::HandClock clock;
  World world(clock, {0, 2});
  for (const char* name : {"a", "b", "c", "d"}) REQUIRE(world.put(World::model(name)).has_value());
  // Nobody is unloaded for one that nobody has asked for yet.
  CHECK(world.find("a")->latest()->state == ModelState::ready);
  CHECK(world.find("b")->latest()->state == ModelState::ready);
  CHECK(world.find("c")->latest()->state == ModelState::standby);
  CHECK(world.find("d")->latest()->state == ModelState::standby);
  CHECK(world.registry.snapshot()->all_ready());
  CHECK(world.factory.loads == 2);

  clock.pass(1s);
  { const auto pass = world.find("a")->gate->enter(); }
  serving::QueueExecutor executor;
  std::vector<serving::Admission> answers;
  const auto held = world.find("c")->gate->hold(
      {&executor, [&](serving::Admission answer) { answers.push_back(std::move(answer)); }, clock.now()});
  REQUIRE(held.has_value());
  for (int i = 0; i < 5000 && answers.empty(); ++i) executor.run(), std::this_thread::sleep_for(1ms);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].pass.has_value());
  CHECK(world.find("a")->latest()->state == ModelState::ready);
  CHECK(world.find("b")->latest()->state == ModelState::standby);
  CHECK(world.find("c")->latest()->state == ModelState::ready);
}
