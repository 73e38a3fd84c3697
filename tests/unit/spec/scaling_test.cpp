// How services say how many replicas they want: KServe's fields, Knative's and KServe's annotations, KEDA's block.
#include <catch2/catch.hpp>

#include "tests/unit/spec/loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;
using namespace std::chrono_literals;

namespace {

constexpr const char* model = "    sklearn:\n      storageUri: /m\n";

Scaling scaling_of(const LoadedConfig& config) {
  INFO(render_findings_text(config.findings));
  REQUIRE(config.ok());
  return config.services.empty() ? config.llm_services.front().scaling : config.services.front().predictor.scaling;
}

LoadedConfig annotated(const std::string& annotations, const std::string& fields = "") {
  return load_text(service_text(fields + model, "{name: iris, annotations: {" + annotations + "}}"));
}

std::string annotation_error(const std::string& annotation) {
  const auto found = errors(annotated(annotation));
  REQUIRE(found.size() == 1);
  return found.front();
}

LoadedConfig llm(const std::string& spec) {
  return load_text(
      "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: a}\nspec:\n  "
      "model: {uri: /m}\n" +
      spec);
}

}  // namespace

TEST_CASE("WithoutAWordThereIsOneReplicaThatStays") {
  const Scaling scaling = scaling_of(load_text(service_text(model)));
  CHECK(*scaling.min_replicas == 1);
  CHECK(*scaling.max_replicas == 0);
  CHECK(*scaling.metric == ScaleMetric::concurrency);
  CHECK(*scaling.container_concurrency == 0);
  CHECK(*scaling.timeout == 300s);
  CHECK_FALSE(scaling.fixed);
}

TEST_CASE("KServesScalingFieldsAreReadAndNoLongerReported") {
  const auto config = load_text(
      service_text(std::string("    minReplicas: 0\n    maxReplicas: 5\n    scaleTarget: 10\n    scaleMetric: rps\n"
                               "    containerConcurrency: 4\n    timeout: 60\n") +
                   model));
  const Scaling scaling = scaling_of(config);
  CHECK(reports(config).empty());
  CHECK(*scaling.min_replicas == 0);
  CHECK(*scaling.max_replicas == 5);
  CHECK(*scaling.target == 10);
  CHECK(*scaling.metric == ScaleMetric::rps);
  CHECK(*scaling.container_concurrency == 4);
  CHECK(*scaling.timeout == 60s);
}

TEST_CASE("MetricsOfPodsAreReportedAndSoIsTheirTarget") {
  const auto config = load_text(service_text(std::string("    scaleMetric: cpu\n    scaleTarget: 80\n") + model));
  const Scaling scaling = scaling_of(config);
  CHECK(*scaling.metric == ScaleMetric::concurrency);
  CHECK(*scaling.target == 0);
  CHECK(
      reports(config) ==
      std::vector<std::string>{
          "t.yaml:6:18: the metric 'cpu' has no effect here: requests decide here (concurrency or rps)",
          "t.yaml:7:18: 'scaleTarget' of cpu or memory has no effect here: requests decide here (concurrency or rps)"});
}

TEST_CASE("ImpossibleScalingFieldsAreErrors") {
  const std::pair<const char*, const char*> cases[] = {
      {"scaleMetric: cores", "'cores' is not a scaling metric"},
      {"scaleTarget: 0", "scaleTarget must be above 0, not 0"},
      {"containerConcurrency: -1", "parallelism cannot be less than 0"},
      {"containerConcurrency: 1001", "expected 0 <= 1001 <= 1000"},
      {"timeout: 0", "timeout must be from 1 to 86400 seconds, not 0"},
      {"minReplicas: -1", "'MinReplicas' cannot be less than 0"},
      {"maxReplicas: -1", "'MaxReplicas' cannot be less than 0"},
  };
  for (const auto& [field, words] : cases) {
    const std::string said = only_error(service_text("    " + std::string(field) + "\n" + model));
    INFO(said);
    CHECK(said.find(words) != std::string::npos);
  }
}

TEST_CASE("KnativesAnnotationsWinOverFields") {
  const Scaling scaling = scaling_of(annotated(
      "autoscaling.knative.dev/min-scale: '0', autoscaling.knative.dev/max-scale: '3', "
      "autoscaling.knative.dev/initial-scale: '0', autoscaling.knative.dev/activation-scale: '2', "
      "autoscaling.knative.dev/target: '12.5', autoscaling.knative.dev/target-utilization-percentage: '80', "
      "autoscaling.knative.dev/target-burst-capacity: '-1', autoscaling.knative.dev/window: 40s, "
      "autoscaling.knative.dev/panic-window-percentage: '20.0', "
      "autoscaling.knative.dev/panic-threshold-percentage: '150.0', autoscaling.knative.dev/scale-down-delay: 2m, "
      "autoscaling.knative.dev/scale-to-zero-pod-retention-period: 1m5s, autoscaling.knative.dev/metric: rps, "
      "autoscaling.knative.dev/metric-aggregation-algorithm: weighted-exponential",
      "    minReplicas: 1\n    maxReplicas: 2\n"));
  CHECK(*scaling.min_replicas == 0);
  CHECK(*scaling.max_replicas == 3);
  CHECK(*scaling.initial_scale == 0);
  CHECK(*scaling.activation_scale == 2);
  CHECK(*scaling.target == 12.5);
  CHECK(*scaling.target_utilization == 0.8);
  CHECK(*scaling.target_burst_capacity == -1);
  CHECK(*scaling.window == 40s);
  CHECK(*scaling.panic_window == 0.2);
  CHECK(*scaling.panic_threshold == 1.5);
  CHECK(*scaling.scale_down_delay == 120s);
  CHECK(*scaling.zero_retention == 65s);
  CHECK(*scaling.metric == ScaleMetric::rps);
  CHECK(*scaling.weighted);
}

TEST_CASE("AnnotationsOutOfRangeAreErrorsWithTheirPlace") {
  CHECK(annotation_error("autoscaling.knative.dev/window: 5s").find("must be from 6 s to 3600 s, not '5s'") !=
        std::string::npos);
  CHECK(annotation_error("autoscaling.knative.dev/min-scale: two") ==
        "t.yaml:3:73: must be a whole number from 0 to 1000000, not 'two'");
  CHECK(annotation_error("autoscaling.knative.dev/target: '0'").find("must be a number from 0.01") !=
        std::string::npos);
  CHECK(annotation_error("autoscaling.knative.dev/min-scale: '4', autoscaling.knative.dev/max-scale: '3'")
            .find("max-scale=3 is less than min-scale=4") != std::string::npos);
  CHECK(annotation_error("serving.kserve.io/autoscalerClass: vpa").find("'vpa' is not an autoscaler class") !=
        std::string::npos);
  CHECK(annotation_error("jackdaw.dev/load: never").find("must be lazy or eager") != std::string::npos);
}

TEST_CASE("AutoscalersOfKubernetesAreReportedAndNoneFixesTheReplicas") {
  const auto hpa = annotated(
      "serving.kserve.io/autoscalerClass: hpa, serving.kserve.io/metrics: cpu, "
      "serving.kserve.io/targetUtilizationPercentage: '60'");
  CHECK_FALSE(scaling_of(hpa).fixed);
  CHECK(reports(hpa).size() == 3);
  CHECK(scaling_of(annotated("serving.kserve.io/autoscalerClass: none")).fixed);
  CHECK(scaling_of(annotated("serving.kserve.io/autoscalerClass: external")).fixed);
  const auto unknown = annotated("autoscaling.knative.dev/mins-cale: '1'");
  CHECK(reports(unknown).size() == 1);
  CHECK(reports(unknown).front().find("did you mean 'autoscaling.knative.dev/min-scale'?") != std::string::npos);
}

TEST_CASE("OurAnnotationsSayWhenToLoadAndHowManyMayWait") {
  const Scaling scaling = scaling_of(annotated("jackdaw.dev/load: lazy, jackdaw.dev/held-requests-max: '25'"));
  CHECK(*scaling.lazy);
  CHECK(*scaling.held_max == 25);
}

TEST_CASE("LanguageModelsScaleByReplicasOrByKedasBlock") {
  const Scaling fixed = scaling_of(llm("  replicas: 2\n"));
  CHECK(*fixed.min_replicas == 2);
  CHECK(*fixed.max_replicas == 2);
  const auto config =
      llm("  scaling: {minReplicas: 1, maxReplicas: 2, keda: {idleReplicaCount: 0, cooldownPeriod: 30}}\n");
  const Scaling scaled = scaling_of(config);
  CHECK(reports(config).empty());
  CHECK(*scaled.min_replicas == 0);
  CHECK(*scaled.max_replicas == 2);
  CHECK(*scaled.window == 30s);
  CHECK(errors(llm("  scaling: {minReplicas: 3, maxReplicas: 2}\n")).size() == 1);
  CHECK(reports(llm("  scaling: {minReplicas: 1, wva: {variantCost: '10', keda: {pollingInterval: 5}}}\n")).size() ==
        2);
}
