#include "src/control/rollout.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "src/control/rollout_memory.h"

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;

namespace {

const Instant begin{std::chrono::hours(1)};

RolloutWish wish(std::int64_t generation, std::string fingerprint, int percent = 100) {
  RolloutWish out;
  out.generation = generation;
  out.fingerprint = std::move(fingerprint);
  out.canary_percent = percent;
  return out;
}

// "2:10 1:90 latest" as text: revision numbers, shares and tags.
std::string shares(const RolloutStep& step) {
  std::string out;
  for (const TrafficPart& part : step.traffic.shares) {
    out +=
        (out.empty() ? "" : " ") + part.revision.substr(part.revision.size() - 1) + ":" + std::to_string(part.percent);
    if (!part.tag.empty()) out += "(" + part.tag + ")";
  }
  return out;
}

std::string numbers(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " ") + name.substr(name.size() - 1);
  return out;
}

struct Service {
  Rollout rollout{"iris-predictor-", {}};
  Instant now = begin;

  RolloutStep step() { return rollout.step(now); }
  // Loads whatever is asked for; those in `broken` fail.
  RolloutStep settle(const std::set<std::string>& broken = {}) {
    RolloutStep step = rollout.step(now);
    for (int i = 0; i < 20 && !step.load.empty(); ++i) {
      for (const std::string& name : step.load) {
        if (broken.contains(rollout.find(name)->fingerprint)) {
          rollout.failed(name, "broken", now);
        } else {
          rollout.loaded(name);
        }
      }
      step = rollout.step(now);
    }
    return step;
  }
};

}  // namespace

TEST_CASE("TheFirstRevisionTakesEverythingWhateverThePercent") {
  Service service;
  service.rollout.declare(wish(1, "a", 10));
  const RolloutStep first = service.step();
  CHECK(numbers(first.load) == "1");
  CHECK(shares(first).empty());
  CHECK(shares(service.settle()).empty());  // it is being loaded
  service.rollout.loaded("iris-predictor-00001");
  CHECK(shares(service.step()) == "1:100");
  CHECK(service.rollout.memory().rolled_out == "iris-predictor-00001");
}

TEST_CASE("ANewRevisionTakesNothingBeforeItIsLoadedAndEverythingAfter") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b"));
  RolloutStep step = service.step();
  CHECK(numbers(step.load) == "2");
  CHECK(shares(step) == "1:100");
  service.rollout.loaded("iris-predictor-00002");
  step = service.step();
  CHECK(shares(step) == "2:100");
  CHECK(numbers(step.traffic.kept) == "2");  // the old one is let go of
  CHECK(service.rollout.memory().previous == "iris-predictor-00001");
}

TEST_CASE("ACanaryIsPromotedByRemovingThePercentAndRolledBackByZero") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 10));
  CHECK(shares(service.settle()) == "2:10 1:90");
  service.rollout.declare(wish(3, "b", 0));
  CHECK(shares(service.settle()) == "1:100");
  service.rollout.declare(wish(4, "b", 20));
  CHECK(shares(service.settle()) == "2:20 1:80");
  service.rollout.declare(wish(5, "b"));
  const RolloutStep promoted = service.step();
  CHECK(promoted.load.empty());  // nothing is loaded again
  CHECK(shares(promoted) == "2:100");
  CHECK(service.rollout.memory().rolled_out == "iris-predictor-00002");
}

TEST_CASE("ANewCanaryReplacesTheOldOneOnceItIsReady") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 10));
  service.settle();
  service.rollout.declare(wish(3, "c", 10));
  CHECK(shares(service.step()) == "2:10 1:90");
  service.rollout.loaded("iris-predictor-00003");
  const RolloutStep step = service.step();
  CHECK(shares(step) == "3:10 1:90");
  CHECK(numbers(step.traffic.kept) == "1 3");
}

TEST_CASE("ATagNamesTheNewAndTheOldRevision") {
  Service service;
  RolloutWish with_tags = wish(1, "a");
  with_tags.tags = true;
  service.rollout.declare(with_tags);
  CHECK(shares(service.settle()) == "1:100(latest)");
  with_tags.generation = 2;
  with_tags.fingerprint = "b";
  with_tags.canary_percent = 0;
  service.rollout.declare(with_tags);
  CHECK(shares(service.settle()) == "2:0(latest) 1:100(prev)");
}

TEST_CASE("ARevisionThatFailsLeavesTheOldOneAndIsTriedAgainLaterAndLater") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b"));
  RolloutStep step = service.settle({"b"});
  CHECK(shares(step) == "1:100");
  REQUIRE(step.wake);
  CHECK(*step.wake == service.now + 1s);
  CHECK(service.step().load.empty());
  std::vector<Duration> waits;
  for (int i = 0; i < 12; ++i) {
    service.now = *step.wake;
    CHECK(numbers(service.step().load) == "2");
    service.rollout.failed("iris-predictor-00002", "still broken", service.now);
    step = service.step();
    waits.push_back(*step.wake - service.now);
  }
  CHECK(waits[0] == 2s);
  CHECK(waits[1] == 4s);
  CHECK(waits.back() == 5min);
  service.now = *step.wake;
  CHECK(shares(service.settle()) == "2:100");
}

TEST_CASE("AnObjectThatIsWrittenAgainIsTriedAtOnce") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle({"a"});
  CHECK(service.step().load.empty());
  service.rollout.declare(wish(2, "a"));
  CHECK(numbers(service.step().load) == "1");
}

TEST_CASE("ReturningToASpecThatIsStillLoadedTakesItsRevision") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 10));
  service.settle();
  service.rollout.declare(wish(3, "a"));
  const RolloutStep step = service.step();
  CHECK(step.load.empty());
  CHECK(shares(step) == "1:100");
  CHECK(service.rollout.memory().revisions.size() == 2);
  // One that was let go of long ago is a new revision.
  service.rollout.declare(wish(4, "c"));
  service.settle();
  service.rollout.declare(wish(5, "a"));
  CHECK(shares(service.settle()) == "4:100");
}

TEST_CASE("SettingsThatDecideNoAnswerMakeNoRevision") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "a"));
  CHECK(service.step().load.empty());
  CHECK(service.rollout.memory().revisions.size() == 1);
}

TEST_CASE("NamedCanariesHaveTheirSharesOnceTheyAreReady") {
  Service service;
  RolloutWish both = wish(1, "a");
  both.canaries = {{"v2", "b", 20}, {"v3", "c", 5}};
  service.rollout.declare(both);
  RolloutStep step = service.step();
  CHECK(numbers(step.load) == "1 2 3");
  service.rollout.loaded("iris-predictor-00002");
  CHECK(shares(service.step()).empty());  // the stable one is on its way
  service.rollout.loaded("iris-predictor-00001");
  CHECK(shares(service.step()) == "2:20(v2) 1:80");
  service.rollout.failed("iris-predictor-00003", "broken", service.now);
  CHECK(shares(service.step()) == "2:20(v2) 1:80");
}

TEST_CASE("ACanaryThatBecomesThePredictorKeepsItsRevision") {
  Service service;
  RolloutWish both = wish(1, "a");
  both.canaries = {{"v2", "b", 20}};
  service.rollout.declare(both);
  service.settle();
  service.rollout.declare(wish(2, "b"));
  const RolloutStep step = service.step();
  CHECK(step.load.empty());
  CHECK(shares(step) == "2:100");
  CHECK(numbers(step.traffic.kept) == "2");
}

TEST_CASE("ACanaryThatIsRemovedIsLetGo") {
  Service service;
  RolloutWish both = wish(1, "a");
  both.canaries = {{"v2", "b", 20}};
  service.rollout.declare(both);
  service.settle();
  service.rollout.declare(wish(2, "a"));
  const RolloutStep step = service.step();
  CHECK(shares(step) == "1:100");
  CHECK(numbers(step.traffic.kept) == "1");
}

TEST_CASE("AGradualRolloutMovesPercentByPercent") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  RolloutWish slow = wish(2, "b");
  slow.duration = 100s;
  service.rollout.declare(slow);
  RolloutStep step = service.settle();
  CHECK(shares(step) == "2:1 1:99");
  int last = 1;
  while (step.wake) {
    service.now = *step.wake;
    step = service.step();
    const int percent = step.traffic.shares.front().percent;
    CHECK(percent == last + 1);
    last = percent;
  }
  CHECK(shares(step) == "2:100");
  CHECK(service.now - begin <= 100s);
  CHECK(service.now - begin >= 99s);
}

TEST_CASE("APausedRolloutMovesNothing") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  RolloutWish paused = wish(2, "b");
  paused.paused = true;
  service.rollout.declare(paused);
  CHECK(shares(service.settle()) == "1:100");
  paused.paused = false;
  service.rollout.declare(paused);
  CHECK(shares(service.step()) == "2:100");
}

TEST_CASE("RecreateLetsTheOldOneGoFirstAndBringsItBackWhenTheNewOneFails") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  RolloutWish recreate = wish(2, "b");
  recreate.recreate = true;
  service.rollout.declare(recreate);
  RolloutStep step = service.step();
  CHECK(shares(step).empty());
  CHECK(numbers(step.traffic.kept) == "2");  // which is being loaded
  CHECK(numbers(step.load) == "2");
  service.rollout.failed("iris-predictor-00002", "no room", service.now);
  step = service.step();
  CHECK(numbers(step.load) == "1");
  service.rollout.loaded("iris-predictor-00001");
  CHECK(shares(service.step()) == "1:100");
  service.now += 1h;
  CHECK(service.step().load.empty());  // another attempt would take the old one away again
  recreate.generation = 3;
  service.rollout.declare(recreate);
  CHECK(numbers(service.step().load) == "2");
  service.rollout.loaded("iris-predictor-00002");
  CHECK(shares(service.step()) == "2:100");
}

TEST_CASE("AnAutomaticRollbackHoldsUntilTheNextGeneration") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 50));
  service.settle();
  CHECK(service.rollout.roll_back("iris-predictor-00002", "ErrorRate", "all failed"));
  CHECK_FALSE(service.rollout.roll_back("iris-predictor-00002", "ErrorRate", "again"));
  CHECK(shares(service.step()) == "1:100");
  service.rollout.declare(wish(2, "b", 50));  // an annotation changed
  CHECK(shares(service.step()) == "1:100");
  service.rollout.declare(wish(3, "b", 50));
  CHECK(shares(service.settle()) == "2:50 1:50");
}

TEST_CASE("ARevisionThatNothingLeadsToIsLetGoOfAndLoadedAgainBeforeItsNextShare") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 0));
  RolloutStep step = service.step();
  CHECK(numbers(step.load) == "2");  // once, to show that it can be
  CHECK_FALSE(service.rollout.at_rest("iris-predictor-00002"));
  service.rollout.loaded("iris-predictor-00002");
  step = service.step();
  CHECK(step.load.empty());
  CHECK(numbers(step.traffic.kept) == "1");
  CHECK(service.rollout.at_rest("iris-predictor-00002"));
  CHECK_FALSE(service.rollout.at_rest("iris-predictor-00001"));
  CHECK(service.rollout.memory().latest_ready == "iris-predictor-00002");

  service.rollout.declare(wish(3, "b", 20));
  step = service.step();
  CHECK(numbers(step.load) == "2");
  CHECK(shares(step) == "1:100");
  service.rollout.loaded("iris-predictor-00002");
  CHECK(shares(service.step()) == "2:20 1:80");
  service.rollout.declare(wish(4, "b", 0));
  step = service.step();
  CHECK(shares(step) == "1:100");
  CHECK(numbers(step.traffic.kept) == "1");
  CHECK(service.rollout.memory().revisions.size() == 2);
  service.rollout.declare(wish(5, "b"));  // promoted
  CHECK(numbers(service.step().load) == "2");
  CHECK(shares(service.settle()) == "1:100");
  service.rollout.loaded("iris-predictor-00002");
  CHECK(shares(service.step()) == "2:100");
}

TEST_CASE("ARevisionWithATagAShadowOrAHandOnItStaysLoaded") {
  const auto kept = [](const std::function<void(RolloutWish&)>& change) {
    Service service;
    service.rollout.declare(wish(1, "a"));
    service.settle();
    RolloutWish with = wish(2, "b", 0);
    change(with);
    service.rollout.declare(with);
    return numbers(service.settle().traffic.kept);
  };
  CHECK(kept([](RolloutWish&) {}) == "1");
  CHECK(kept([](RolloutWish& with) { with.tags = true; }) == "1 2");
  CHECK(kept([](RolloutWish& with) { with.paused = true; }) == "1 2");
  CHECK(kept([](RolloutWish& with) { with.shadow = "b"; }) == "1 2");
  CHECK(kept([](RolloutWish& with) { with.canary_percent = 1; }) == "1 2");
}

TEST_CASE("ARevisionThatWasRolledBackIsLetGoOf") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 50));
  service.settle();
  REQUIRE(service.rollout.roll_back("iris-predictor-00002", "ErrorRate", "all failed"));
  CHECK(numbers(service.step().traffic.kept) == "1");
}

TEST_CASE("ARestartLeavesWhatNothingLeadsToAloneUnlessItHasToStandIn") {
  Service before;
  before.rollout.declare(wish(1, "a"));
  before.settle();
  before.rollout.declare(wish(2, "b", 0));
  before.settle();
  Service after;
  after.rollout = Rollout("iris-predictor-", before.rollout.memory());
  after.rollout.declare(wish(2, "b", 0));
  CHECK(numbers(after.step().load) == "1");
  after.rollout.loaded("iris-predictor-00001");
  CHECK(shares(after.step()) == "1:100");
  CHECK(after.step().load.empty());

  after.rollout = Rollout("iris-predictor-", before.rollout.memory());
  after.rollout.declare(wish(2, "b", 0));
  CHECK(shares(after.settle({"a"})) == "2:100");
  // The one rolled out comes back.
  after.now += 1h;
  RolloutStep step = after.settle();
  CHECK(shares(step) == "1:100");
  CHECK(numbers(step.traffic.kept) == "1");
}

TEST_CASE("ARevisionRolledOutFallsBackOnTheOneThatStandsBy") {
  Service service;
  RolloutWish watched = wish(1, "a");
  watched.standby = 60s;
  service.rollout.declare(watched);
  service.settle();
  CHECK_FALSE(service.rollout.roll_back("iris-predictor-00001", "ErrorRate", "nobody else"));
  watched.generation = 2;
  watched.fingerprint = "b";
  service.rollout.declare(watched);
  RolloutStep step = service.settle();
  CHECK(shares(step) == "2:100");
  CHECK(numbers(step.traffic.kept) == "2 1");
  CHECK(service.rollout.roll_back("iris-predictor-00002", "Latency", "slow"));
  CHECK(shares(service.step()) == "1:100");
  watched.generation = 3;
  watched.fingerprint = "c";
  service.rollout.declare(watched);
  service.settle();
  service.now += 61s;
  CHECK(numbers(service.step().traffic.kept) == "3");
}

TEST_CASE("AStoppedServiceHasNothingLoadedAndComesBackAsItWas") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 10));
  service.settle();
  RolloutWish stopped = wish(3, "b", 10);
  stopped.stopped = true;
  service.rollout.declare(stopped);
  RolloutStep step = service.step();
  CHECK(step.load.empty());
  CHECK(shares(step).empty());
  CHECK(step.traffic.kept.empty());
  service.rollout.declare(wish(4, "b", 10));
  CHECK(shares(service.settle()) == "2:10 1:90");
}

TEST_CASE("ARestartGoesOnWhereItWas") {
  Service before;
  before.rollout.declare(wish(1, "a"));
  before.settle();
  before.rollout.declare(wish(2, "b", 10));
  before.settle();
  Service after;
  after.rollout = Rollout("iris-predictor-", before.rollout.memory());
  after.rollout.declare(wish(2, "b", 10));
  RolloutStep step = after.step();
  CHECK(numbers(step.load) == "1 2");  // the one with most of the traffic first
  after.rollout.loaded("iris-predictor-00002");
  CHECK(shares(after.step()).empty());  // a canary does not answer for everybody
  after.rollout.loaded("iris-predictor-00001");
  CHECK(shares(after.step()) == "2:10 1:90");
  // Unless the old one cannot be loaded any more.
  after.rollout = Rollout("iris-predictor-", before.rollout.memory());
  after.rollout.declare(wish(2, "b", 10));
  CHECK(shares(after.settle({"a"})) == "2:100");
}

TEST_CASE("TheMemoryIsTheSameAfterItWasWrittenAndRead") {
  Service service;
  service.rollout.declare(wish(1, "a"));
  service.settle();
  service.rollout.declare(wish(2, "b", 30));
  const RolloutStep step = service.settle();
  service.rollout.roll_back("iris-predictor-00002", "ErrorRate", "bad");
  RevisionSources sources;
  for (const Revision& revision : service.rollout.memory().revisions)
    sources.emplace(revision.name, *spec::read_json(R"({"spec":{"predictor":{}},"annotations":{"x":"y"}})", "test"));
  spec::Json object = spec::Json::object();
  object.member("status").set("rollout", rollout_json(service.rollout.memory()));
  object.member("status").set("revisions", revisions_json(service.rollout, sources, step.traffic));
  const RecalledRollout recalled = recall(*spec::read_json(object.dump(), "test"));
  const RolloutMemory& memory = recalled.memory;
  CHECK(memory.last_number == 2);
  REQUIRE(memory.revisions.size() == 2);
  CHECK(memory.revisions[1].name == "iris-predictor-00002");
  CHECK(memory.revisions[1].fingerprint == "b");
  CHECK(memory.revisions[1].generation == 2);
  CHECK(memory.latest_created == "iris-predictor-00002");
  CHECK(memory.latest_ready == "iris-predictor-00002");
  CHECK(memory.rolled_out == "iris-predictor-00001");
  REQUIRE(memory.rolled_back.size() == 1);
  CHECK(memory.rolled_back[0].reason == "ErrorRate");
  CHECK(recalled.sources == sources);
}

TEST_CASE("AMemoryThatSomebodyWroteIsTakenWithCare") {
  for (
      const auto text :
      {R"({"status":{"rollout":[],"revisions":{}}})",
       R"({"status":{"rollout":{"lastNumber":-5,"latestPercent":900,"rolledOut":"gone","rolledBack":{}},"revisions":[1,{"name":"x"}]}})",
       R"({"status":null})", R"({})"}) {
    RecalledRollout recalled = recall(*spec::read_json(text, "test"));
    Service service;
    service.rollout = Rollout("iris-predictor-", std::move(recalled.memory));
    service.rollout.declare(wish(1, "a"));
    CHECK(shares(service.settle()) == "1:100");
  }
}

// Random wishes, failures, rollbacks, restarts and times. What must always hold: shares come to 100 or nobody answers;
// only loaded revisions have one; nobody that answers stops before somebody else does, but for Recreate and stops;
// numbers only grow; the memory survives a restart; and once the world is kind for long enough, the wish is fulfilled.
TEST_CASE("RandomRolloutsNeverLeaveTheirRules") {
  const unsigned seed = Catch::rngSeed() != 0 ? Catch::rngSeed() : 20260301;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&random](unsigned n) { return static_cast<int>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    Service service;
    RolloutWish now = wish(1, "f0");
    std::int64_t generation = 0;
    std::uint64_t last_number = 0;
    bool answered = false;
    std::set<std::string> loading;
    std::set<std::string> in_memory;
    const auto check = [&](bool may_stop) {
      const RolloutStep step = service.step();
      int sum = 0;
      for (const TrafficPart& part : step.traffic.shares) {
        sum += part.percent;
        CHECK(part.percent >= 0);
        CHECK(service.rollout.find(part.revision)->state == RevisionState::ready);
        CHECK(in_memory.contains(part.revision));
        CHECK(std::count(step.traffic.kept.begin(), step.traffic.kept.end(), part.revision) == 1);
      }
      CHECK((sum == 100 || step.traffic.shares.empty()));
      if (answered && !may_stop) CHECK(sum == 100);
      answered = sum == 100;
      std::erase_if(in_memory, [&](const std::string& name) {
        return std::count(step.traffic.kept.begin(), step.traffic.kept.end(), name) == 0;
      });
      for (const std::string& name : step.load) {
        CHECK_FALSE(loading.contains(name));
        loading.insert(name);
      }
      CHECK(service.rollout.memory().last_number >= last_number);
      last_number = service.rollout.memory().last_number;
      CHECK(service.rollout.memory().revisions.size() <= 32);
      if (step.wake) CHECK(*step.wake > service.now - 1ns);
    };
    const auto finish_one = [&](bool fails) {
      if (loading.empty()) return;
      const std::string name = *std::next(loading.begin(), below(static_cast<unsigned>(loading.size())));
      loading.erase(name);
      if (service.rollout.find(name) == nullptr) return;
      if (fails) return service.rollout.failed(name, "broken", service.now);
      service.rollout.loaded(name);
      in_memory.insert(name);
    };
    for (int i = 0; i < 60; ++i) {
      switch (below(8)) {
        case 0:
        case 1: {
          now = wish(++generation, "f" + std::to_string(below(6)), below(3) == 0 ? below(101) : 100);
          if (below(4) == 0) now.canaries = {{"v2", "f" + std::to_string(below(6)), below(40)}, {"v3", "c", below(40)}};
          now.tags = below(2) == 0;
          now.paused = below(8) == 0;
          now.recreate = below(8) == 0;
          now.stopped = below(10) == 0;
          now.duration = below(3) == 0 ? Duration(std::chrono::seconds(below(100))) : Duration{0};
          now.standby = below(2) == 0 ? Duration(30s) : Duration{0};
          service.rollout.declare(now);
          check(now.recreate || now.stopped);
          break;
        }
        case 2:
          if (!service.rollout.memory().latest_ready.empty())
            service.rollout.roll_back(service.rollout.memory().latest_ready, "ErrorRate", "");
          if (generation > 0) check(now.recreate);
          break;
        case 3: {  // a restart
          service.rollout = Rollout("iris-predictor-", service.rollout.memory());
          loading.clear();
          in_memory.clear();
          answered = false;
          if (generation > 0) service.rollout.declare(now);
          break;
        }
        case 4:
          service.now += std::chrono::seconds(below(40));
          if (generation > 0) check(now.recreate);
          break;
        default:
          finish_one(below(4) == 0);
          if (generation > 0) check(now.recreate);
      }
    }
    // From now on everything loads.
    now = wish(++generation, "last");
    service.rollout.declare(now);
    for (int i = 0; i < 200; ++i) {
      check(false);
      service.now += 10min;
      while (!loading.empty()) finish_one(false);
    }
    check(false);
    const RolloutMemory& memory = service.rollout.memory();
    CHECK(memory.rolled_out == memory.latest_created);
    CHECK(service.rollout.find(memory.rolled_out)->fingerprint == "last");
    CHECK(answered);
    CHECK(in_memory == std::set<std::string>{memory.rolled_out});
  }
}
