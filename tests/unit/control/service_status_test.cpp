#include "src/control/service_status.h"

#include <catch2/catch.hpp>

#include "src/control/revision_object.h"

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;
using spec::Json;

const WallTime noon{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1).time_since_epoch() + 12h};
const StatusAddresses addresses{"example.com", "http://127.0.0.1:8080"};

Json object(const char* kind, int generation) {
  return *spec::read_json(R"({"kind":")" + std::string(kind) +
                              R"(","metadata":{"name":"iris","namespace":"ml","generation":)" +
                              std::to_string(generation) + "}}",
                          "test");
}

std::string text(const Json& from, std::initializer_list<std::string_view> path) {
  const Json* found = from.find_path(path);
  return found == nullptr ? "(missing)" : found->is_text() ? std::string(found->as_text()) : found->dump();
}

std::string condition(const Json& from, std::string_view type, std::string_view member) {
  for (const Json& item : from.find_path({"status", "conditions"})->items()) {
    if (item.find("type")->as_text() == type)
      return item.find(member) == nullptr ? "" : std::string(item.find(member)->as_text());
  }
  return "(no condition)";
}

// A service whose revisions are `rollout`'s, as the reconciler would say it.
struct World {
  Rollout rollout{"iris-predictor-", {}};
  RevisionSources sources;
  ServiceTraffic traffic;

  void declare(const RolloutWish& wish) {
    rollout.declare(wish);
    for (const Revision& revision : rollout.memory().revisions)
      sources.try_emplace(revision.name, remembered(object("InferenceService", 1)));
  }
  void settle(const std::string& broken = {}) {
    RolloutStep step = rollout.step(Instant{});
    for (const std::string& name : step.load) {
      if (name == broken) {
        rollout.failed(name, "no such file", Instant{});
      } else {
        rollout.loaded(name);
      }
    }
    traffic = rollout.step(Instant{}).traffic;
  }
  ServiceState state(ServicePhase phase, std::string reason = {}, std::string message = {}) const {
    return {phase, std::move(reason), std::move(message), "iris", &rollout, &sources, traffic};
  }
};

RolloutWish wish(std::int64_t generation, std::string fingerprint, int percent = 100) {
  RolloutWish out;
  out.generation = generation;
  out.fingerprint = std::move(fingerprint);
  out.canary_percent = percent;
  return out;
}

TEST_CASE("AReadyServiceSaysWhereAndWhichRevision") {
  World world;
  world.declare(wish(3, "a"));
  world.settle();
  const Json with = with_status(object("InferenceService", 3), world.state(ServicePhase::ready), addresses, noon);
  CHECK(text(with, {"status", "url"}) == "http://iris-ml.example.com");
  CHECK(text(with, {"status", "address", "url"}) == "http://127.0.0.1:8080");
  CHECK(text(with, {"status", "observedGeneration"}) == "3");
  CHECK(text(with, {"status", "modelStatus", "transitionStatus"}) == "UpToDate");
  CHECK(text(with, {"status", "components", "predictor", "latestReadyRevision"}) == "iris-predictor-00001");
  CHECK(text(with, {"status", "components", "predictor", "traffic"}) ==
        R"([{"latestRevision":true,"percent":100,"revisionName":"iris-predictor-00001"}])");
  for (const auto type : {"Ready", "PredictorReady", "IngressReady"}) CHECK(condition(with, type, "status") == "True");
  CHECK(condition(with, "Stopped", "status") == "False");
  CHECK(condition(with, "Ready", "lastTransitionTime") == "2026-03-01T12:00:00Z");
  CHECK(condition(with, "CanaryPredictorReady", "status") == "(no condition)");
}

TEST_CASE("TheRuntimeIsNamedAsKServeNamesIt") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  ServiceState state = world.state(ServicePhase::ready);
  const Json without = with_status(object("InferenceService", 1), state, addresses, noon);
  CHECK(text(without, {"status", "clusterServingRuntimeName"}) == "(missing)");
  state.runtime = "kserve-sklearnserver";
  const Json with = with_status(object("InferenceService", 1), state, addresses, noon);
  CHECK(text(with, {"status", "clusterServingRuntimeName"}) == "kserve-sklearnserver");
  CHECK(text(with, {"status", "servingRuntimeName"}) == "(missing)");
  const Json llm = with_status(object("LLMInferenceService", 1), state, addresses, noon);
  CHECK(text(llm, {"status", "clusterServingRuntimeName"}) == "(missing)");
}

TEST_CASE("AFailedLoadLeavesTheOldRevisionInItsPlace") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  Json changed = with_status(object("InferenceService", 1), world.state(ServicePhase::ready), addresses, noon);
  changed.member("metadata").set("generation", Json::integer(2));
  world.declare(wish(2, "b"));
  world.settle("iris-predictor-00002");
  const Json failed =
      with_status(changed, world.state(ServicePhase::failed, "ModelLoadFailed", "no such file"), addresses, noon + 1h);
  CHECK(condition(failed, "Ready", "status") == "False");
  CHECK(condition(failed, "Ready", "message") == "no such file");
  CHECK(condition(failed, "Ready", "lastTransitionTime") == "2026-03-01T13:00:00Z");
  CHECK(text(failed, {"status", "modelStatus", "transitionStatus"}) == "BlockedByFailedLoad");
  CHECK(text(failed, {"status", "modelStatus", "states", "activeModelState"}) == "Loaded");
  CHECK(text(failed, {"status", "modelStatus", "states", "targetModelState"}) == "FailedToLoad");
  CHECK(text(failed, {"status", "modelStatus", "lastFailureInfo", "reason"}) == "ModelLoadFailed");
  CHECK(text(failed, {"status", "modelStatus", "lastFailureInfo", "modelRevisionName"}) == "iris-predictor-00002");
  CHECK(text(failed, {"status", "components", "predictor", "latestReadyRevision"}) == "iris-predictor-00001");
  CHECK(text(failed, {"status", "components", "predictor", "latestCreatedRevision"}) == "iris-predictor-00002");
  CHECK(failed.find_path({"status", "revisions"})->items()[1].find("message")->as_text() == "no such file");
}

TEST_CASE("TransitionTimesStayWhileAConditionDoes") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  const Json first = with_status(object("InferenceService", 1), world.state(ServicePhase::ready), addresses, noon);
  const Json second = with_status(first, world.state(ServicePhase::ready), addresses, noon + 5h);
  CHECK(second == first);
}

TEST_CASE("ACanarysTrafficAndTagsAreInTheComponent") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  RolloutWish canary = wish(2, "b", 10);
  canary.tags = true;
  world.declare(canary);
  world.settle();
  const Json with = with_status(object("InferenceService", 2), world.state(ServicePhase::ready), addresses, noon);
  CHECK(text(with, {"status", "components", "predictor", "traffic"}) ==
        R"([{"latestRevision":true,"percent":10,"revisionName":"iris-predictor-00002","tag":"latest",)"
        R"("url":"http://latest-iris-ml.example.com"},{"latestRevision":false,"percent":90,)"
        R"("revisionName":"iris-predictor-00001","tag":"prev","url":"http://prev-iris-ml.example.com"}])");
  CHECK(text(with, {"status", "components", "predictor", "latestRolledoutRevision"}) == "iris-predictor-00001");
  CHECK(text(with, {"status", "rollout", "latestPercent"}) == "10");
}

TEST_CASE("NamedCanariesHaveAStatusAndAConditionOfTheirOwn") {
  World world;
  RolloutWish with_canary = wish(1, "a");
  with_canary.canaries = {{"v2", "b", 20}, {"v3", "c", 5}};
  world.declare(with_canary);
  world.settle("iris-predictor-00003");
  Json with = with_status(object("InferenceService", 1), world.state(ServicePhase::ready), addresses, noon);
  CHECK(condition(with, "CanaryPredictorReady", "status") == "False");
  CHECK(condition(with, "CanaryPredictorReady", "message") == "v3: no such file");
  const auto& rows = with.find_path({"status", "canaryStatuses"})->items();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].find("name")->as_text() == "v2");
  CHECK(rows[0].find("ready")->as_boolean());
  CHECK(rows[0].find("trafficPercent")->as_integer() == 20);
  CHECK(text(rows[1], {"modelStatus", "transitionStatus"}) == "BlockedByFailedLoad");
  world.rollout.loaded("iris-predictor-00003");
  world.traffic = world.rollout.step(Instant{}).traffic;
  with = with_status(with, world.state(ServicePhase::ready), addresses, noon);
  CHECK(condition(with, "CanaryPredictorReady", "reason") == "AllCanariesReady");
  CHECK(condition(with, "CanaryPredictorReady", "status") == "True");
}

TEST_CASE("ARolledBackRevisionIsACondition") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  world.declare(wish(2, "b", 50));
  world.settle();
  world.rollout.roll_back("iris-predictor-00002", "ErrorRate", "9 of 10 answers failed.");
  world.traffic = world.rollout.step(Instant{}).traffic;
  const Json with = with_status(object("InferenceService", 2), world.state(ServicePhase::ready), addresses, noon);
  CHECK(condition(with, "RolledBack", "status") == "True");
  CHECK(condition(with, "RolledBack", "message") == "iris-predictor-00002: 9 of 10 answers failed.");
}

TEST_CASE("LoadingStoppedAndInvalidServices") {
  World world;
  const Json loading = with_status(object("InferenceService", 1), world.state(ServicePhase::loading), addresses, noon);
  CHECK(condition(loading, "Ready", "status") == "Unknown");
  CHECK(text(loading, {"status", "modelStatus", "transitionStatus"}) == "InProgress");
  CHECK(text(loading, {"status", "components", "predictor", "latestReadyRevision"}) == "(missing)");
  const Json stopped = with_status(object("InferenceService", 1), world.state(ServicePhase::stopped), addresses, noon);
  CHECK(condition(stopped, "Stopped", "status") == "True");
  CHECK(condition(stopped, "Ready", "status") == "False");
  CHECK(text(stopped, {"status", "modelStatus", "states", "activeModelState"}) == "Standby");
  const Json invalid = with_status(object("InferenceService", 1),
                                   world.state(ServicePhase::failed, "InvalidPredictorSpec", "x"), addresses, noon);
  CHECK(text(invalid, {"status", "modelStatus", "transitionStatus"}) == "InvalidSpec");
}

TEST_CASE("AServiceIsReadyWhenItsTransformerIsToo") {
  World world;
  world.declare(wish(1, "a"));
  world.settle();
  ServiceState state = world.state(ServicePhase::ready);
  CHECK(condition(with_status(object("InferenceService", 1), state, addresses, noon), "TransformerReady", "status") ==
        "(no condition)");
  state.transformer = {"False", "TransformerNotReady", "Connection refused"};
  Json with = with_status(object("InferenceService", 1), state, addresses, noon);
  CHECK(condition(with, "Ready", "status") == "False");
  CHECK(condition(with, "Ready", "reason") == "TransformerNotReady");
  CHECK(condition(with, "PredictorReady", "status") == "True");
  CHECK(condition(with, "TransformerReady", "status") == "False");
  CHECK(condition(with, "TransformerReady", "message") == "Connection refused");
  CHECK(text(with, {"status", "components", "transformer", "url"}) == "http://iris-transformer-ml.example.com");
  state.transformer = {"True", "", ""};
  with = with_status(with, state, addresses, noon + 1h);
  CHECK(condition(with, "Ready", "status") == "True");
  CHECK(condition(with, "Ready", "message").empty());
  CHECK(condition(with, "TransformerReady", "status") == "True");
  CHECK(condition(with, "PredictorReady", "lastTransitionTime") == "2026-03-01T12:00:00Z");
  CHECK(condition(with, "TransformerReady", "lastTransitionTime") == "2026-03-01T13:00:00Z");
  state = world.state(ServicePhase::failed, "ModelLoadFailed", "no such file");
  state.transformer = {"True", "", ""};
  CHECK(condition(with_status(with, state, addresses, noon), "Ready", "reason") == "ModelLoadFailed");
}

TEST_CASE("LanguageModelsHaveTheirKindsConditions") {
  const World world;
  const Json with = with_status(object("LLMInferenceService", 1), world.state(ServicePhase::ready), addresses, noon);
  for (const auto type : {"PresetsCombined", "MainWorkloadReady", "WorkloadsReady", "RouterReady", "Ready"}) {
    CHECK(condition(with, type, "status") == "True");
  }
  CHECK(text(with, {"status", "addresses"}) == R"([{"url":"http://127.0.0.1:8080"}])");
}

}  // namespace
}  // namespace jackdaw::control
