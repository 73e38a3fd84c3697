#include <catch2/catch.hpp>

#include "src/api/resources/table.h"

namespace jackdaw::api::resources {
namespace {

using namespace std::chrono_literals;
using spec::Json;

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
