#include "src/control/rollback.h"

#include <catch2/catch.hpp>
#include <chrono>

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;

namespace {

// Two revisions that answer a second at a time.
struct Pair {
  serving::RevisionCounts suspect;
  serving::RevisionCounts others;
  Instant now{std::chrono::hours(1)};

  static void answer(serving::RevisionCounts& counts, int requests, int failures, Duration latency) {
    for (int i = 0; i < requests; ++i) counts.count(latency, i < failures);
  }
  // The verdict, or the reason of none.
  std::string look(RollbackWatch& watch) {
    now += 1s;
    const auto verdict = watch.look(now, suspect.read(), others.read());
    return verdict ? verdict->reason : "";
  }
};

RollbackLimits errors_above(double rate) {
  RollbackLimits limits;
  limits.error_rate = rate;
  limits.window = 10s;
  limits.min_requests = 20;
  return limits;
}

}  // namespace

TEST_CASE("ARevisionThatFailsMoreThanItMayIsRolledBack") {
  RollbackWatch watch(errors_above(0.05));
  Pair pair;
  CHECK(pair.look(watch).empty());
  for (int i = 0; i < 5; ++i) {
    Pair::answer(pair.suspect, 10, i == 2 ? 1 : 0, 1ms);
    CHECK(pair.look(watch).empty());
  }
  Pair::answer(pair.suspect, 10, 5, 1ms);
  CHECK(pair.look(watch) == "ErrorRate");
}

TEST_CASE("FewRequestsDecideNothing") {
  RollbackWatch watch(errors_above(0.05));
  Pair pair;
  pair.look(watch);
  Pair::answer(pair.suspect, 19, 19, 1ms);
  CHECK(pair.look(watch).empty());
  Pair::answer(pair.suspect, 1, 0, 1ms);
  CHECK(pair.look(watch) == "ErrorRate");
}

TEST_CASE("WhatFailedBeforeTheWindowIsForgotten") {
  RollbackWatch watch(errors_above(0.4));
  Pair pair;
  pair.look(watch);
  Pair::answer(pair.suspect, 19, 19, 1ms);
  CHECK(pair.look(watch).empty());
  for (int i = 0; i < 12; ++i) CHECK(pair.look(watch).empty());
  for (int i = 0; i < 10; ++i) {
    Pair::answer(pair.suspect, 10, 2, 1ms);
    CHECK(pair.look(watch).empty());
  }
}

TEST_CASE("WhereTheOthersFailAsMuchTheNewRevisionIsNotToBlame") {
  RollbackWatch watch(errors_above(0.05));
  Pair pair;
  pair.look(watch);
  Pair::answer(pair.suspect, 50, 25, 1ms);
  Pair::answer(pair.others, 50, 30, 1ms);
  CHECK(pair.look(watch).empty());
  Pair::answer(pair.suspect, 50, 50, 1ms);
  CHECK(pair.look(watch) == "ErrorRate");
}

TEST_CASE("ARevisionThatIsSlowerThanItMayBeIsRolledBack") {
  RollbackLimits limits;
  limits.latency_p99 = 50ms;
  limits.window = 10s;
  limits.min_requests = 100;
  RollbackWatch watch(limits);
  Pair pair;
  pair.look(watch);
  Pair::answer(pair.suspect, 99, 0, 1ms);
  Pair::answer(pair.suspect, 1, 0, 400ms);
  CHECK(pair.look(watch).empty());
  Pair::answer(pair.suspect, 10, 0, 400ms);
  CHECK(pair.look(watch) == "Latency");
}

TEST_CASE("TheIntervalIsAPartOfTheWindow") {
  RollbackLimits limits;
  limits.window = 60s;
  CHECK(RollbackWatch(limits).interval() == 5s);
  limits.window = 1s;
  CHECK(RollbackWatch(limits).interval() == Duration(1s) / 12);
  limits.window = 1h;
  CHECK(RollbackWatch(limits).interval() == 5s);
}

TEST_CASE("ALongWindowReachesBackAllItsLength") {
  RollbackLimits limits = errors_above(0.5);
  limits.window = 1h;
  RollbackWatch watch(limits);
  Pair pair;
  pair.look(watch);
  Pair::answer(pair.suspect, 15, 15, 1ms);
  for (int i = 0; i < 1800; ++i) CHECK(pair.look(watch).empty());
  Pair::answer(pair.suspect, 5, 0, 1ms);
  CHECK(pair.look(watch) == "ErrorRate");
}
