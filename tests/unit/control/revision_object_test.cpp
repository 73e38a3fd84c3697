#include "src/control/revision_object.h"

#include <catch2/catch.hpp>

using namespace jackdaw;
using namespace jackdaw::control;
using spec::Json;

namespace {

Json read(const std::string& text) {
  return *spec::read_json(text, "test");
}

Json service(const std::string& predictor, const std::string& annotations = "{}", const std::string& more = "") {
  return read(
      R"({"kind":"InferenceService","metadata":{"name":"iris","namespace":"ml","labels":{"a":"b"},"annotations":)" +
      annotations + R"(},"spec":{"predictor":)" + predictor + more + "}}");
}

const std::string model = R"("model":{"modelFormat":{"name":"sklearn"},"storageUri":"/v1"})";

}  // namespace

TEST_CASE("WhatDecidesAnswersMakesARevision") {
  const std::string base = fingerprint_of(service("{" + model + "}"));
  CHECK(base.size() == 32);
  const auto differs = [&](const Json& object) { return fingerprint_of(object) != base; };
  CHECK(differs(service(R"({"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/v2"}})")));
  CHECK(differs(service(R"({"model":{"modelFormat":{"name":"xgboost"},"storageUri":"/v1"}})")));
  CHECK(differs(
      service(R"({"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/v1","runtime":"kserve-mlserver"}})")));
  CHECK(differs(service(
      R"({"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/v1","env":[{"name":"PREDICT_PROBA","value":"true"}]}})")));
  CHECK(differs(service("{" + model + "}", R"({"jackdaw.dev/predict-fn":"transform"})")));
  CHECK(differs(service("{" + model + "}", R"({"jackdaw.dev/restarted-at":"now"})")));
}

TEST_CASE("WhatDecidesNoAnswerMakesNone") {
  const std::string base = fingerprint_of(service("{" + model + "}"));
  const auto same = [&](const Json& object) { return fingerprint_of(object) == base; };
  CHECK(same(service(R"({"model":{"storageUri":"/v1","modelFormat":{"name":"sklearn"}}})")));  // another order
  CHECK(same(service(R"({"canaryTrafficPercent":10,"name":"v2","minReplicas":0,"logger":{"url":"x"},)" + model + "}")));
  CHECK(same(service(R"({"batcher":{"maxBatchSize":4},"deploymentStrategy":{"type":"Recreate"},)" + model + "}")));
  CHECK(same(service(
      R"({"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/v1","resources":{"limits":{"cpu":1}},"env":[],"args":null}})")));
  CHECK(same(service("{" + model + "}", R"({"jackdaw.dev/shadow":"/v3","team":"x"})")));
  CHECK(same(service("{" + model + "}", "{}", R"(,"canary":[{"predictor":{"name":"v2"}}])")));
}

TEST_CASE("ARevisionComesBackAsItWas") {
  const Json first = service("{" + model + R"(,"minReplicas":1})", R"({"jackdaw.dev/predict-fn":"transform"})");
  const Json now = service(R"({"xgboost":{"storageUri":"/x"},"minReplicas":3})", R"({"team":"x"})",
                           R"(,"canary":[{"predictor":{"name":"v2"}}])");
  const Json again = object_of(now, remembered(first));
  CHECK(fingerprint_of(again) == fingerprint_of(first));
  CHECK(again.find_path({"spec", "predictor", "xgboost"}) == nullptr);
  CHECK(again.find_path({"spec", "predictor", "minReplicas"})->as_integer() == 3);  // today's
  CHECK(again.find_path({"metadata", "annotations", "team"})->as_text() == "x");
  CHECK(again.find_path({"spec", "canary"}) == nullptr);
}

TEST_CASE("ACanaryStandsInThePlaceOfThePredictor") {
  const Json object =
      service("{" + model + "}", "{}",
              R"(,"canary":[{"predictor":{"name":"v2","sklearn":{"storageUri":"/v2"}},"trafficPercent":20}])");
  const Json canary = canary_object(object, object.find_path({"spec", "canary"})->items()[0]);
  CHECK(canary.find_path({"spec", "canary"}) == nullptr);
  CHECK(canary.find_path({"spec", "predictor", "sklearn", "storageUri"})->as_text() == "/v2");
  // Promoted, it is the same revision.
  CHECK(fingerprint_of(canary) == fingerprint_of(service(R"({"name":"v2","sklearn":{"storageUri":"/v2"}})")));
}

TEST_CASE("AShadowIsTheModelAtAnotherPlace") {
  const Json shadow = shadow_object(service("{" + model + "}"), "/v3");
  CHECK(shadow.find_path({"spec", "predictor", "model", "storageUri"})->as_text() == "/v3");
  CHECK(fingerprint_of(shadow) != fingerprint_of(service("{" + model + "}")));
}

TEST_CASE("LanguageServicesAreToldApartByModelAndTemplate") {
  const auto llm = [](const std::string& spec) {
    return read(R"({"kind":"LLMInferenceService","metadata":{"name":"m"},"spec":)" + spec + "}");
  };
  const std::string base = fingerprint_of(llm(R"({"model":{"uri":"hf://a"}})"));
  CHECK(fingerprint_of(llm(R"({"model":{"uri":"hf://a"},"replicas":3,"router":{"route":{}}})")) == base);
  CHECK(fingerprint_of(llm(R"({"model":{"uri":"hf://b"}})")) != base);
  const Json now = llm(R"({"model":{"uri":"hf://b"},"replicas":2})");
  const Json again = object_of(now, remembered(llm(R"({"model":{"uri":"hf://a"}})")));
  CHECK(fingerprint_of(again) == base);
  CHECK(again.find_path({"spec", "replicas"})->as_integer() == 2);
}
