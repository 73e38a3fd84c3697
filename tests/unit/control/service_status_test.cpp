#include "src/control/service_status.h"

#include <catch2/catch.hpp>

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

TEST_CASE("AReadyServiceSaysWhereAndWhichRevision") {
  const Json with =
      with_status(object("InferenceService", 3), {ServicePhase::ready, true, {}, {}, "iris"}, addresses, noon);
  CHECK(text(with, {"status", "url"}) == "http://iris-ml.example.com");
  CHECK(text(with, {"status", "address", "url"}) == "http://127.0.0.1:8080");
  CHECK(text(with, {"status", "observedGeneration"}) == "3");
  CHECK(text(with, {"status", "modelStatus", "transitionStatus"}) == "UpToDate");
  CHECK(text(with, {"status", "components", "predictor", "latestReadyRevision"}) == "iris-predictor-00003");
  CHECK(text(with, {"status", "components", "predictor", "traffic"}) ==
        R"([{"latestRevision":true,"percent":100,"revisionName":"iris-predictor-00003"}])");
  for (const auto type : {"Ready", "PredictorReady", "IngressReady"}) CHECK(condition(with, type, "status") == "True");
  CHECK(condition(with, "Stopped", "status") == "False");
  CHECK(condition(with, "Ready", "lastTransitionTime") == "2026-03-01T12:00:00Z");
}

TEST_CASE("AFailedLoadLeavesTheOldRevisionInItsPlace") {
  const Json ready =
      with_status(object("InferenceService", 1), {ServicePhase::ready, true, {}, {}, "iris"}, addresses, noon);
  Json changed = ready;
  changed.member("metadata").set("generation", Json::integer(2));
  const Json failed = with_status(changed, {ServicePhase::failed, true, "ModelLoadFailed", "no such file", "iris"},
                                  addresses, noon + 1h);
  CHECK(condition(failed, "Ready", "status") == "False");
  CHECK(condition(failed, "Ready", "message") == "no such file");
  CHECK(condition(failed, "Ready", "lastTransitionTime") == "2026-03-01T13:00:00Z");
  CHECK(text(failed, {"status", "modelStatus", "transitionStatus"}) == "BlockedByFailedLoad");
  CHECK(text(failed, {"status", "modelStatus", "states", "activeModelState"}) == "Loaded");
  CHECK(text(failed, {"status", "modelStatus", "states", "targetModelState"}) == "FailedToLoad");
  CHECK(text(failed, {"status", "modelStatus", "lastFailureInfo", "reason"}) == "ModelLoadFailed");
  CHECK(text(failed, {"status", "components", "predictor", "latestReadyRevision"}) == "iris-predictor-00001");
  CHECK(text(failed, {"status", "components", "predictor", "latestCreatedRevision"}) == "iris-predictor-00002");
}

TEST_CASE("TransitionTimesStayWhileAConditionDoes") {
  const Json first =
      with_status(object("InferenceService", 1), {ServicePhase::ready, true, {}, {}, "iris"}, addresses, noon);
  const Json second = with_status(first, {ServicePhase::ready, true, {}, {}, "iris"}, addresses, noon + 5h);
  CHECK(second == first);
}

TEST_CASE("LoadingStoppedAndInvalidServices") {
  const Json loading = with_status(object("InferenceService", 1), {}, addresses, noon);
  CHECK(condition(loading, "Ready", "status") == "Unknown");
  CHECK(text(loading, {"status", "modelStatus", "transitionStatus"}) == "InProgress");
  CHECK(text(loading, {"status", "components", "predictor", "latestReadyRevision"}) == "(missing)");
  const Json stopped =
      with_status(object("InferenceService", 1), {ServicePhase::stopped, false, {}, {}, "iris"}, addresses, noon);
  CHECK(condition(stopped, "Stopped", "status") == "True");
  CHECK(condition(stopped, "Ready", "status") == "False");
  CHECK(text(stopped, {"status", "modelStatus", "states", "activeModelState"}) == "Standby");
  const Json invalid = with_status(object("InferenceService", 1),
                                   {ServicePhase::failed, false, "InvalidPredictorSpec", "x", ""}, addresses, noon);
  CHECK(text(invalid, {"status", "modelStatus", "transitionStatus"}) == "InvalidSpec");
}

TEST_CASE("LanguageModelsHaveTheirKindsConditions") {
  const Json with =
      with_status(object("LLMInferenceService", 1), {ServicePhase::ready, true, {}, {}, "m"}, addresses, noon);
  for (const auto type : {"PresetsCombined", "MainWorkloadReady", "WorkloadsReady", "RouterReady", "Ready"}) {
    CHECK(condition(with, type, "status") == "True");
  }
  CHECK(text(with, {"status", "addresses"}) == R"([{"url":"http://127.0.0.1:8080"}])");
}

}  // namespace
}  // namespace jackdaw::control
