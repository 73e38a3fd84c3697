// What the commands read of files, of arguments, and of the server's answers.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "src/app/client/object_files.h"
#include "src/app/client/resource_types.h"
#include "src/app/client/rollout_change.h"
#include "src/app/client/service_progress.h"

using namespace jackdaw;
using namespace jackdaw::app;

namespace {

spec::Json json(std::string_view text) {
  const auto read = spec::read_json(text, "test");
  REQUIRE(read.has_value());
  return *read;
}

ObjectFiles objects_of(std::string_view text, std::string_view file = "service.yaml") {
  ObjectFiles out;
  read_objects(text, file, out);
  return out;
}

ResourceTypes kserve_types() {
  auto types = read_resource_list(json(R"({"groupVersion":"serving.kserve.io/v1beta1","resources":[
    {"name":"inferenceservices","singularName":"inferenceservice","namespaced":true,"kind":"InferenceService",
     "shortNames":["isvc"],"categories":["all"]},
    {"name":"inferenceservices/status","singularName":"","kind":"InferenceService"}]})"));
  const auto more = read_resource_list(json(R"({"groupVersion":"serving.kserve.io/v1alpha1","resources":[
    {"name":"llminferenceservices","singularName":"","namespaced":true,"kind":"LLMInferenceService",
     "shortNames":["llmisvc"],"categories":["all"]}]})"));
  const auto core = read_resource_list(
      json(R"({"groupVersion":"v1","resources":[{"name":"namespaces","kind":"Namespace","namespaced":false}]})"));
  types.insert(types.end(), more.begin(), more.end());
  types.insert(types.end(), core.begin(), core.end());
  return ResourceTypes(types);
}

}  // namespace

TEST_CASE("ObjectsOfFilesKnowTheirPlaces") {
  const ObjectFiles files = objects_of(R"(# two services
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris, namespace: prod}
spec:
  predictor:
    containers:
    - name: main
      image: x
---
apiVersion: v1
kind: List
items:
- apiVersion: serving.kserve.io/v1beta1
  kind: InferenceService
  metadata: {name: rose}
)");
  CHECK(files.problems.empty());
  REQUIRE(files.objects.size() == 2);
  const FileObject& iris = files.objects[0];
  CHECK(iris.name == "iris");
  CHECK(iris.namespace_name == "prod");
  CHECK(iris.place() == "service.yaml:2:1");
  CHECK(iris.place_of("spec.predictor.containers[0].image") == "service.yaml:9:7");
  CHECK(iris.place_of("spec.predictor.containers[7].image") == iris.place_of("spec.predictor.containers"));
  CHECK(iris.place_of("spec.predictor.nothing.there") == iris.place_of("spec.predictor"));
  CHECK(iris.place_of("") == iris.place());
  CHECK(files.objects[1].name == "rose");
  CHECK(files.objects[1].namespace_name.empty());
}

TEST_CASE("WhatIsNoObjectIsSaidWithItsPlace") {
  const auto problem = [](std::string_view text, std::string_view file = "s.yaml") {
    const ObjectFiles files = objects_of(text, file);
    CHECK(files.objects.empty());
    REQUIRE(files.problems.size() >= 1);
    return files.problems.front();
  };
  CHECK(problem("a: [").starts_with("s.yaml:1:"));
  CHECK(problem("{\"a\": ", "s.json").starts_with("s.json:1:"));
  CHECK(problem("- a\n").starts_with("s.yaml:1:1: an object"));
  CHECK(problem("kind: X\n").find("apiVersion is missing") != std::string::npos);
  CHECK(problem("apiVersion: v1\nkind: 5\n").starts_with("s.yaml:2:7: kind must be text"));
  CHECK(problem("apiVersion: v1\nkind: X\nmetadata: {}\n").find("metadata.name") != std::string::npos);
}

TEST_CASE("FoldersGiveTheirFilesByName") {
  const auto folder = std::filesystem::temp_directory_path() / "jackdaw-object-files";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "deeper.yaml");
  const auto write = [&](const char* name, const char* object) {
    std::ofstream(folder / name) << "apiVersion: v1\nkind: X\nmetadata: {name: " << object << "}\n";
  };
  write("b.yaml", "second");
  write("a.yml", "first");
  write("c.txt", "never");
  write(".hidden.yaml", "never");
  const std::vector<std::string> paths{folder.string(), (folder / "nowhere.yaml").string()};
  const ObjectFiles files = read_object_files(paths);
  REQUIRE(files.objects.size() == 2);
  CHECK(files.objects[0].name == "first");
  CHECK(files.objects[1].name == "second");
  REQUIRE(files.problems.size() == 1);
  CHECK(files.problems[0].find("nowhere.yaml: cannot be opened") != std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_CASE("TypesAreFoundByEveryNameTheyHave") {
  const ResourceTypes types = kserve_types();
  REQUIRE(types.all().size() == 3);
  for (const char* word : {"isvc", "inferenceservice", "InferenceServices", "inferenceservices.serving.kserve.io",
                           "inferenceservices.v1beta1.serving.kserve.io"}) {
    INFO(word);
    REQUIRE(types.find(word).has_value());
    CHECK(types.find(word)->kind == "InferenceService");
  }
  CHECK(types.find("llmisvc")->full_name() == "llminferenceservice.serving.kserve.io");
  CHECK(types.find("isvc")->path("prod", "iris") ==
        "/apis/serving.kserve.io/v1beta1/namespaces/prod/inferenceservices/iris");
  CHECK(types.find("isvc")->path("") == "/apis/serving.kserve.io/v1beta1/inferenceservices");
  CHECK(types.find("namespaces")->path("prod", "x") == "/api/v1/namespaces/x");
  const std::string words = types.find("inferenceservise").error().text();
  CHECK(words.find("did you mean inferenceservices?") != std::string::npos);
  CHECK_FALSE(types.find("isvc.v1.serving.kserve.io").has_value());
  CHECK(types.find_list("all")->size() == 2);
  CHECK(types.find_list("isvc,llmisvc")->size() == 2);
  CHECK(types.of_kind("serving.kserve.io/v1beta1", "InferenceService") != nullptr);
  CHECK(types.of_kind("serving.kserve.io/v1", "InferenceService") == nullptr);
}

TEST_CASE("ArgumentsNameTypesAndObjects") {
  const ResourceTypes types = kserve_types();
  const auto wanted = [&](std::vector<std::string> words) { return wanted_objects(types, words); };
  CHECK(wanted({"isvc"})->at(0).names.empty());
  CHECK(wanted({"isvc", "iris", "rose"})->at(0).names == std::vector<std::string>{"iris", "rose"});
  REQUIRE(wanted({"isvc/iris", "isvc/rose", "llmisvc/chat"})->size() == 2);
  CHECK(wanted({"isvc/iris", "isvc/rose", "llmisvc/chat"})->at(0).names.size() == 2);
  CHECK(wanted({"all"})->size() == 2);
  CHECK(wanted({})->empty());
  CHECK_FALSE(wanted({"isvc", "isvc/iris"}).has_value());
  CHECK_FALSE(wanted({"isvc/iris", "rose"}).has_value());
  CHECK_FALSE(wanted({"isvc/"}).has_value());
  CHECK_FALSE(wanted({"nothing"}).has_value());
}

TEST_CASE("RefusalsAreToldInKubectlsWordsWithEveryField") {
  CHECK(refusal_text(read_refusal(404, R"({"kind":"Status","reason":"NotFound",
    "message":"inferenceservices.serving.kserve.io \"nobody\" not found"})")) ==
        "Error from server (NotFound): inferenceservices.serving.kserve.io \"nobody\" not found");
  CHECK(refusal_text(read_refusal(422, R"({"kind":"Status","reason":"Invalid",
    "message":"InferenceService.serving.kserve.io \"iris\" is invalid: spec.x: unknown","details":{"causes":[
    {"field":"spec.x","message":"unknown field","reason":"FieldValueInvalid"}]}})")) ==
        "Error from server (Invalid): InferenceService.serving.kserve.io \"iris\" is invalid\n"
        "  spec.x: unknown field (FieldValueInvalid)");
  CHECK(refusal_text(read_refusal(403, R"({"error":"not here"})")) == "Error from server: not here");
  CHECK(refusal_text(read_refusal(502, "<html>")).find("502") != std::string::npos);
}

TEST_CASE("ProgressIsReadFromTheStatus") {
  const auto progress = [](std::string_view status) {
    return progress_of(
        json(R"({"metadata":{"generation":2},"status":{"observedGeneration":2,)" + std::string(status) + "}}"));
  };
  CHECK(progress(R"("conditions":[{"type":"Ready","status":"True"}])").state == Progress::done);
  CHECK(progress(R"("conditions":[{"type":"Ready","status":"Unknown","reason":"Loading","message":"m"}])").words ==
        "Loading: m");
  CHECK(progress(R"("conditions":[{"type":"Stopped","status":"True"},{"type":"Ready","status":"False"}])").words ==
        "Stopped");
  CHECK(progress(R"("conditions":[{"type":"Ready","status":"False","reason":"ModelLoadFailed","message":"no file"}])")
            .state == Progress::failed);
  const auto blocked = progress(R"("conditions":[{"type":"Ready","status":"True"}],
    "modelStatus":{"transitionStatus":"BlockedByFailedLoad","lastFailureInfo":{"reason":"ModelLoadFailed","message":"gone"}})");
  CHECK(blocked.state == Progress::failed);
  CHECK(blocked.words == "ModelLoadFailed: gone");
  // What is said of an older generation says nothing of this one.
  CHECK(progress_of(json(R"({"metadata":{"generation":3},"status":{"observedGeneration":2,
    "conditions":[{"type":"Ready","status":"True"}]}})"))
            .state == Progress::under_way);
  CHECK(progress_of(json("{}")).state == Progress::under_way);
}

namespace {

spec::Json changed(const RolloutWish& wish, std::string_view object) {
  const auto change = rollout_change(wish, json(object));
  INFO(object);
  if (!change) FAIL(change.error().text());
  return change->object;
}

std::string refused(const RolloutWish& wish, std::string_view object) {
  const auto change = rollout_change(wish, json(object));
  REQUIRE_FALSE(change.has_value());
  return change.error().text();
}

}  // namespace

TEST_CASE("CanariesArePromotedAndUndone") {
  const std::string plain = R"({"kind":"InferenceService","spec":{"predictor":{"model":{}}}})";
  const std::string canary =
      R"({"kind":"InferenceService","spec":{"predictor":{"model":{},"canaryTrafficPercent":10}}})";
  const std::string none = R"({"kind":"InferenceService","spec":{"predictor":{"model":{},"canaryTrafficPercent":0}}})";
  CHECK(changed({.action = "canary", .percent = 10}, plain) == json(canary));
  CHECK(changed({.action = "promote"}, canary) == json(plain));
  CHECK(changed({.action = "undo"}, canary) == json(none));
  CHECK(refused({.action = "promote"}, plain).find("no canary") != std::string::npos);
  CHECK(refused({.action = "undo"}, none).find("already") != std::string::npos);
  CHECK(refused({.action = "undo"}, plain).find("no revision before") != std::string::npos);
}

TEST_CASE("LanguageModelsHaveTheirShareInAnAnnotation") {
  const std::string chat = R"({"kind":"LLMInferenceService","metadata":{"annotations":{}},"spec":{"model":{}}})";
  const std::string canary =
      R"({"kind":"LLMInferenceService","metadata":{"annotations":{"jackdaw.dev/canary-traffic-percent":"25"}},"spec":{"model":{}}})";
  CHECK(changed({.action = "canary", .percent = 25}, chat) == json(canary));
  CHECK(changed({.action = "promote"}, canary) == json(chat));
}

TEST_CASE("NamedCanariesTakeThePredictorsPlace") {
  const std::string one = R"({"kind":"InferenceService","spec":{"predictor":{"name":"a","minReplicas":1},
    "canary":[{"trafficPercent":20,"predictor":{"name":"b"}}]}})";
  CHECK(changed({.action = "promote"}, one) ==
        json(R"({"kind":"InferenceService","spec":{"predictor":{"name":"b"}}})"));
  CHECK(changed({.action = "undo"}, one) ==
        json(R"({"kind":"InferenceService","spec":{"predictor":{"name":"a","minReplicas":1}}})"));
  const std::string two = R"({"kind":"InferenceService","spec":{"predictor":{"name":"a"},
    "canary":[{"predictor":{"name":"b"}},{"predictor":{"name":"c"}}]}})";
  CHECK(refused({.action = "promote"}, two).find("b, c") != std::string::npos);
  CHECK(refused({.action = "promote", .canary = "d"}, two).find("no canary d") != std::string::npos);
  CHECK(changed({.action = "promote", .canary = "c"}, two) ==
        json(R"({"kind":"InferenceService","spec":{"predictor":{"name":"c"},"canary":[{"predictor":{"name":"b"}}]}})"));
  CHECK(refused({.action = "canary", .percent = 5}, two).find("spec.canary") != std::string::npos);
}

TEST_CASE("UndoPutsARevisionsPartsBack") {
  const std::string object = R"({"kind":"InferenceService",
    "metadata":{"annotations":{"team":"x","jackdaw.dev/predict-fn":"transform"}},
    "spec":{"predictor":{"minReplicas":2,"model":{"storageUri":"/new"},"volumes":[1]}},
    "status":{"rollout":{"latestCreated":"iris-predictor-00012","rolledOut":"iris-predictor-00012","previous":"iris-predictor-00011"},
      "revisions":[
        {"name":"iris-predictor-00002","spec":{"predictor":{"sklearn":{"storageUri":"/oldest"}}}},
        {"name":"iris-predictor-00011","spec":{"predictor":{"model":{"storageUri":"/old"}}}},
        {"name":"iris-predictor-00012","spec":{"predictor":{"model":{"storageUri":"/new"},"volumes":[1]}},
         "annotations":{"jackdaw.dev/predict-fn":"transform"}}]}})";
  const spec::Json back = changed({.action = "undo"}, object);
  CHECK(*back.find("spec") == json(R"({"predictor":{"minReplicas":2,"model":{"storageUri":"/old"}}})"));
  CHECK(*back.find_path({"metadata", "annotations"}) == json(R"({"team":"x"})"));
  for (const char* name : {"2", "00002", "iris-predictor-00002"}) {
    const spec::Json oldest = changed({.action = "undo", .revision = name}, object);
    CHECK(*oldest.find("spec") == json(R"({"predictor":{"minReplicas":2,"sklearn":{"storageUri":"/oldest"}}})"));
  }
  CHECK(refused({.action = "undo", .revision = "5"}, object).find("no revision 5") != std::string::npos);
  CHECK(changed({.action = "restart", .now = "T"}, object)
            .find_path({"metadata", "annotations", "jackdaw.dev/restarted-at"})
            ->as_text() == "T");
}

TEST_CASE("RolloutsArePausedAndResumed") {
  const std::string plain = R"({"kind":"InferenceService","metadata":{"annotations":{}}})";
  const std::string paused =
      R"({"kind":"InferenceService","metadata":{"annotations":{"jackdaw.dev/rollout-paused":"true"}}})";
  CHECK(changed({.action = "pause"}, plain) == json(paused));
  CHECK(changed({.action = "resume"}, paused) == json(plain));
  CHECK(refused({.action = "pause"}, paused).find("already") != std::string::npos);
  CHECK(refused({.action = "resume"}, plain).find("not paused") != std::string::npos);
}

TEST_CASE("ARolloutIsOverWhenTheLatestRevisionHasItsTraffic") {
  const auto progress = [](std::string_view spec, std::string_view rollout, std::string_view more = "") {
    return rollout_progress(
        json(R"({"kind":"InferenceService","metadata":{"generation":2},"spec":{"predictor":{)" + std::string(spec) +
             R"(}},"status":{"observedGeneration":2,"conditions":[{"type":"Ready","status":"True"})" +
             std::string(more) + R"(],"rollout":{)" + std::string(rollout) + "}}}"));
  };
  CHECK(progress("", R"("latestCreated":"a","rolledOut":"a")").words == "Ready");
  CHECK(progress("", R"("latestCreated":"b","rolledOut":"a")").state == Progress::under_way);
  CHECK(progress(R"("canaryTrafficPercent":10)", R"("latestCreated":"b","rolledOut":"a")").words ==
        "b is the canary, at 10%");
  const auto back = progress("", "", R"(,{"type":"RolledBack","status":"True","message":"7% failed"})");
  CHECK(back.state == Progress::failed);
  CHECK(back.words == "RolledBack: 7% failed");
}
