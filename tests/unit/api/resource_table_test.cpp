#include <catch2/catch.hpp>

#include "src/api/resources/table.h"

namespace jackdaw::api::resources {
namespace {

using namespace std::chrono_literals;
using spec::Json;

TEST_CASE("AgesAreShortAsKubectlShowsThem") {
  CHECK(human_duration(0s) == "0s");
  CHECK(human_duration(-1s) == "0s");
  CHECK(human_duration(-5s) == "<invalid>");
  CHECK(human_duration(119s) == "119s");
  CHECK(human_duration(120s) == "2m");
  CHECK(human_duration(200s) == "3m20s");
  CHECK(human_duration(10min) == "10m");
  CHECK(human_duration(179min) == "179m");
  CHECK(human_duration(3h) == "3h");
  CHECK(human_duration(5h + 7min) == "5h7m");
  CHECK(human_duration(47h) == "47h");
  CHECK(human_duration(49h) == "2d1h");
  CHECK(human_duration(24h * 8) == "8d");
  CHECK(human_duration(24h * 365 * 2) == "2y");
  CHECK(human_duration(24h * (365 * 3 + 4)) == "3y4d");
}

TEST_CASE("AServiceIsARowOfKServesColumns") {
  const control::ResourceKind kind{
      "serving.kserve.io", "inferenceservices", "inferenceservice", "InferenceService", {"isvc"}, {"v1beta1"}, true};
  const auto object = std::make_shared<const Json>(*spec::read_json(
      R"({"metadata":{"name":"iris","creationTimestamp":"2026-03-01T12:00:00Z"},"status":{"url":"http://iris-default.example.com",
          "conditions":[{"type":"PredictorReady","status":"False"},{"type":"Ready","status":"True"}],
          "components":{"predictor":{"traffic":[{"latestRevision":true,"percent":90,"revisionName":"iris-predictor-00002"},
                                                {"tag":"prev","percent":10,"revisionName":"iris-predictor-00001"}]}}}})",
      "test"));
  const WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1).time_since_epoch() + 12h + 42s};
  const Json table = table_of(kind, {&object, 1}, "", true, now);
  CHECK(table.find("columnDefinitions")->items().size() == 8);
  const Json& row = table.find("rows")->items().front();
  CHECK(
      row.find("cells")->dump() ==
      R"(["iris","http://iris-default.example.com","True",10,90,"iris-predictor-00001","iris-predictor-00002","42s"])");
  CHECK(row.find_path({"object", "kind"})->as_text() == "PartialObjectMetadata");
  CHECK(row.find_path({"object", "metadata", "name"})->as_text() == "iris");
  const Json later = table_of(kind, {&object, 1}, "Object", false, now);
  CHECK(later.find("columnDefinitions")->items().empty());
  CHECK(later.find("rows")->items().front().find_path({"object", "status", "url"}) != nullptr);
  CHECK(table_of(kind, {&object, 1}, "None", true, now).find("rows")->items().front().find("object") == nullptr);
}

TEST_CASE("AnObjectWithoutStatusStillHasARow") {
  const control::ResourceKind kind{
      "serving.kserve.io", "inferenceservices", "inferenceservice", "InferenceService", {}, {"v1beta1"}, true};
  const auto object = std::make_shared<const Json>(
      *spec::read_json(R"({"metadata":{"name":"new","creationTimestamp":"never"}})", "test"));
  const Json table = table_of(kind, {&object, 1}, "", true, {});
  CHECK(table.find("rows")->items().front().find("cells")->dump() == R"(["new","","","","","","","<unknown>"])");
}

}  // namespace
}  // namespace jackdaw::api::resources
