#include "loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;
using namespace std::chrono_literals;

namespace {

const std::string model = "    model: {modelFormat: {name: sklearn}, storageUri: /m}";

std::string with_annotations(const std::string& annotations) {
  return service_text(model, "{name: iris, annotations: {" + annotations + "}}");
}

std::string canaries(const std::string& items) {
  return service_text(model + "\n  canary:\n" + items);
}

std::string canary(const std::string& name, const std::string& percent, const std::string& more = "") {
  return "    - {predictor: {name: " + name + ", " + more +
         "model: {modelFormat: {name: sklearn}, storageUri: /v2}}, trafficPercent: " + percent + "}\n";
}

const RolloutSettings& rollout_of(const LoadedConfig& config) {
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 1);
  return config.services.front().rollout;
}

}  // namespace

TEST_CASE("ARolloutWithoutSettingsGivesEverythingToTheNewRevisionAtOnce") {
  const auto config = load_text(service_text(model));
  const RolloutSettings& rollout = rollout_of(config);
  CHECK(*rollout.canary_percent == 100);
  CHECK(rollout.canaries.empty());
  CHECK(*rollout.duration == Duration{0});
  CHECK_FALSE(rollout.rollback.any());
  CHECK_FALSE(*rollout.recreate);
}

TEST_CASE("CanaryTrafficPercentIsReadAndBounded") {
  const auto config = load_text(service_text("    canaryTrafficPercent: 10\n" + model));
  CHECK(*rollout_of(config).canary_percent == 10);
  CHECK(only_error(service_text("    canaryTrafficPercent: 101\n" + model)) ==
        "t.yaml:6:27: canaryTrafficPercent must be between 0 and 100, not 101");
  CHECK(only_error(service_text("    canaryTrafficPercent: -1\n" + model)).find("between 0 and 100") !=
        std::string::npos);
}

TEST_CASE("RolloutAnnotationsAreReadAndNotReported") {
  const auto config = load_text(with_annotations(
      "serving.knative.dev/rollout-duration: 380s, serving.kserve.io/enable-tag-routing: \"true\", "
      "jackdaw.dev/rollback-error-rate: \"5%\", jackdaw.dev/rollback-latency-p99: 50ms, jackdaw.dev/rollback-window: "
      "2m, jackdaw.dev/rollback-min-requests: \"20\", jackdaw.dev/rollout-paused: \"true\", jackdaw.dev/shadow: "
      "file:///v3, jackdaw.dev/shadow-percent: \"25\""));
  CHECK(config.findings.empty());
  const RolloutSettings& rollout = rollout_of(config);
  CHECK(*rollout.duration == 380s);
  CHECK(*rollout.tags);
  CHECK(*rollout.paused);
  CHECK(*rollout.rollback.error_rate == Approx(0.05));
  CHECK(*rollout.rollback.latency_p99 == 50ms);
  CHECK(*rollout.rollback.window == 2min);
  CHECK(*rollout.rollback.min_requests == 20);
  CHECK(*rollout.shadow == "file:///v3");
  CHECK(*rollout.shadow_percent == 25);
}

TEST_CASE("WrongRolloutAnnotationsSayWhatTheyMayBe") {
  CHECK(only_error(with_annotations("jackdaw.dev/rollback-error-rate: \"7\"")).find("such as \"0.05\" or \"5%\"") !=
        std::string::npos);
  CHECK(only_error(with_annotations("jackdaw.dev/rollback-error-rate: nan")).find("such as") != std::string::npos);
  CHECK(only_error(with_annotations("jackdaw.dev/rollback-window: soon")).find("rollback-window") != std::string::npos);
  CHECK(only_error(with_annotations("jackdaw.dev/rollback-window: 1ms")).find("at least 1s") != std::string::npos);
  CHECK(only_error(with_annotations("jackdaw.dev/shadow-percent: \"101\"")).find("from 0 to 100") != std::string::npos);
  CHECK(only_error(with_annotations("jackdaw.dev/rollout-paused: \"maybe\"")).find("\"true\" or \"false\"") !=
        std::string::npos);
}

TEST_CASE("DeploymentStrategyRecreateIsRead") {
  CHECK(*rollout_of(load_text(service_text("    deploymentStrategy: {type: Recreate}\n" + model))).recreate);
  CHECK_FALSE(*rollout_of(load_text(service_text("    deploymentStrategy: {type: RollingUpdate}\n" + model))).recreate);
  CHECK(only_error(service_text("    deploymentStrategy: {type: Recreated}\n" + model)) ==
        "t.yaml:6:32: 'Recreated' is not a deployment strategy; did you mean 'Recreate'?");
}

TEST_CASE("CanariesAreReadWithTheirNamesAndShares") {
  const auto config = load_text(canaries(canary("v2", "20") + canary("v3", "5")));
  CHECK(config.findings.empty());
  const RolloutSettings& rollout = rollout_of(config);
  REQUIRE(rollout.canaries.size() == 2);
  CHECK(*rollout.canaries[0].name == "v2");
  CHECK(*rollout.canaries[0].percent == 20);
  CHECK(*rollout.canaries[1].percent == 5);
  CHECK(load_text(service_text(model + "\n  canary: []")).findings.empty());
}

TEST_CASE("CanariesThatCannotBeSharedOutAreRefused") {
  CHECK(only_error(canaries(canary("v2", "60") + canary("v3", "50"))).find("cannot be greater than 100") !=
        std::string::npos);
  CHECK(only_error(canaries(canary("v2", "20") + canary("v2", "5"))).find("'v2' is here twice") != std::string::npos);
  CHECK(only_error(canaries(canary("V2", "20"))).find("the predictor name \"V2\" is invalid") != std::string::npos);
  CHECK(only_error(canaries(canary("latest", "20"))).find("that host is a tag's") != std::string::npos);
  CHECK(only_error(canaries("    - {trafficPercent: 5}\n")).find("predictor is missing") != std::string::npos);
  CHECK(only_error(canaries(canary("v2", "20", "maxReplicas: 3, "))).find("'maxReplicas' is not allowed in a canary") !=
        std::string::npos);
  CHECK(only_error(canaries(canary("v2", "20", "canaryTrafficPercent: 3, ")))
            .find("'canaryTrafficPercent' is not allowed in a canary predictor: its share is trafficPercent") !=
        std::string::npos);
  CHECK(only_error(canaries(canary("v2", "20", "minReplicas: 3, "))).find("cannot be greater than the stable") !=
        std::string::npos);
  CHECK(only_error(service_text("    canaryTrafficPercent: 10\n" + model + "\n  canary:\n" + canary("v2", "20")))
            .find("the traffic is split by one of them") != std::string::npos);
}

TEST_CASE("ACanarysPredictorIsCheckedAsIfItStoodAlone") {
  CHECK(only_error(canaries("    - {predictor: {name: v2, model: {modelFormat: {name: sklern}, storageUri: /v2}}}\n"))
            .find("did you mean 'sklearn'?") != std::string::npos);
  CHECK(only_error(canaries("    - {predictor: {name: v2}}\n")).find("exactly one of") != std::string::npos);
}

TEST_CASE("LanguageServicesTakeTheirSharesFromAnnotations") {
  const auto config = load_text(
      "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata:\n  name: m\n  annotations: "
      "{jackdaw.dev/canary-traffic-percent: \"10\", jackdaw.dev/deployment-strategy: Recreate}\nspec: {model: {uri: "
      "/m, name: m}}\n");
  INFO(render_findings_text(config.findings));
  REQUIRE(config.llm_services.size() == 1);
  CHECK(*config.llm_services[0].rollout.canary_percent == 10);
  CHECK(*config.llm_services[0].rollout.recreate);
}
