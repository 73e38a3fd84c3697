// Worked by hand from Knative's formula: target = total * utilization; wishes are ceilings, held by the rates.
#include "jackdaw/autoscale/kpa.h"

#include <catch2/catch.hpp>

namespace jackdaw::autoscale {
namespace {

const Instant start{5000s};

// Records the same value each second of [from, to).
void observe(Kpa& kpa, int from, int to, double value) {
  for (int i = from; i < to; ++i) kpa.record(start + std::chrono::seconds(i), value);
}

Instant at(int second) {
  return start + std::chrono::seconds(second);
}

KpaSettings target_of(double target) {
  KpaSettings settings;
  settings.target = target;
  settings.target_utilization = 1;
  return settings;
}

TEST_CASE("DefaultsAreKnatives") {
  KpaSettings settings;
  CHECK(settings.total() == 100);
  settings.metric = Metric::rps;
  CHECK(settings.total() == 200);
  settings.metric = Metric::concurrency;
  settings.container_concurrency = 8;
  CHECK(settings.total() == 8);
  settings.target = 20;
  CHECK(settings.total() == 8);
  settings.target = 5;
  CHECK(settings.total() == 5);
  settings.container_concurrency = 0;
  CHECK(settings.total() == 5);
}

TEST_CASE("NothingToDoWantsNothing") {
  Kpa kpa(KpaSettings{}, 1, start);
  observe(kpa, 0, 60, 0);
  CHECK(kpa.decide(at(59), 1).replicas == 0);
}

TEST_CASE("ReplicasFollowTheStableAverage") {
  Kpa kpa(target_of(10), 4, start);
  observe(kpa, 0, 60, 39);
  CHECK(kpa.decide(at(59), 4).replicas == 4);
  observe(kpa, 60, 120, 41);
  const ScaleDecision more = kpa.decide(at(119), 4);
  CHECK(more.replicas == 5);
  CHECK(more.stable == 41);
  CHECK_FALSE(more.panicking);
}

TEST_CASE("UtilizationLeavesRoom") {
  KpaSettings settings;  // 100 at once, of which 70 are aimed at
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 60, 71);
  CHECK(kpa.decide(at(59), 1).replicas == 2);
}

TEST_CASE("ABurstPanicsAndReplicasOnlyGoUpUntilAStableWindowHasPassed") {
  Kpa kpa(target_of(10), 1, start);
  observe(kpa, 0, 60, 10);
  CHECK(kpa.decide(at(59), 1).replicas == 1);
  observe(kpa, 60, 66, 100);
  const ScaleDecision burst = kpa.decide(at(65), 1);
  CHECK(burst.panicking);
  CHECK(burst.panic == 100);
  CHECK(burst.replicas == 10);
  // Over: what was wanted stays wanted ...
  observe(kpa, 66, 125, 0);
  CHECK(kpa.decide(at(100), 10).replicas == 10);
  CHECK(kpa.decide(at(125), 10).panicking);
  // ... until a whole stable window after the last time it was too much, then by half at most.
  observe(kpa, 125, 128, 0);
  const ScaleDecision calm = kpa.decide(at(127), 10);
  CHECK_FALSE(calm.panicking);
  CHECK(calm.replicas == 5);
}

TEST_CASE("AnAutoscalerThatStartsBesideSeveralReplicasKeepsThem") {
  Kpa kpa(target_of(10), 6, start);
  kpa.record(start, 0);
  const ScaleDecision first = kpa.decide(start, 6);
  CHECK(first.panicking);
  CHECK(first.replicas == 6);
  Kpa single(target_of(10), 1, start);
  CHECK_FALSE(single.decide(start, 1).panicking);
}

TEST_CASE("RatesHoldBothWays") {
  KpaSettings settings = target_of(1);
  settings.max_scale_up_rate = 2;
  settings.panic_threshold = 1e9;
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 60, 100);
  CHECK(kpa.decide(at(59), 3).replicas == 6);
  observe(kpa, 60, 180, 0);
  CHECK(kpa.decide(at(179), 9).replicas == 4);
  CHECK(kpa.decide(at(179), 9, false).replicas == 0);
}

TEST_CASE("BoundsAndActivation") {
  KpaSettings settings = target_of(10);
  settings.min_scale = 2;
  settings.max_scale = 4;
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 60, 0);
  CHECK(kpa.decide(at(59), 2).replicas == 2);
  CHECK(kpa.decide(at(59), 2, false).replicas == 0);  // out of reach, nothing holds it
  observe(kpa, 60, 120, 1000);
  CHECK(kpa.decide(at(119), 2).replicas == 4);

  settings = target_of(10);
  settings.activation_scale = 3;
  Kpa woken(settings, 0, start);
  woken.record(start, 1);
  CHECK(woken.decide(start, 0).replicas == 3);

  settings = target_of(10);
  settings.scale_to_zero = false;
  Kpa awake(settings, 1, start);
  observe(awake, 0, 60, 0);
  CHECK(awake.decide(at(59), 1).replicas == 1);
}

TEST_CASE("TheScaleDownDelayKeepsTheLargestWish") {
  KpaSettings settings = target_of(10);
  settings.scale_down_delay = 30s;
  settings.stable_window = 6s;
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 6, 15);
  CHECK(kpa.decide(at(5), 1).replicas == 2);
  observe(kpa, 6, 40, 5);
  CHECK(kpa.decide(at(20), 2).replicas == 2);
  CHECK(kpa.decide(at(35), 2).replicas == 2);
  CHECK(kpa.decide(at(36), 2).replicas == 1);
}

TEST_CASE("TheLastReplicaIsRetained") {
  KpaSettings settings = target_of(10);
  settings.zero_retention = 10s;
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 60, 0);
  CHECK(kpa.decide(at(59), 1).replicas == 1);
  CHECK(kpa.decide(at(68), 1).replicas == 1);
  CHECK(kpa.decide(at(69), 1).replicas == 0);
  kpa.record(at(70), 5);
  CHECK(kpa.decide(at(70), 0).replicas == 1);
}

TEST_CASE("TheBurstCapacitySaysWhetherABufferIsNeeded") {
  KpaSettings settings = target_of(100);
  Kpa kpa(settings, 1, start);
  observe(kpa, 0, 6, 50);
  CHECK(kpa.decide(at(5), 2).excess_burst_capacity == 2 * 100 - 211 - 50);
  CHECK(kpa.decide(at(5), 3).excess_burst_capacity == 39);
  settings.target_burst_capacity = 0;
  kpa.configure(settings);
  CHECK(kpa.decide(at(5), 2).excess_burst_capacity == 0);
  settings.target_burst_capacity = -1;
  kpa.configure(settings);
  CHECK(kpa.decide(at(5), 2).excess_burst_capacity == -1);
}

TEST_CASE("HostileSettingsStayDefined") {
  KpaSettings settings;
  settings.target = 1e-300;
  settings.max_scale_up_rate = 1e300;
  Kpa kpa(settings, 1, start);
  kpa.record(start, 1e300);
  CHECK(kpa.decide(start, 1000).replicas >= 0);
}

}  // namespace
}  // namespace jackdaw::autoscale
