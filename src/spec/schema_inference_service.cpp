// Fields of serving.kserve.io/v1beta1 InferenceService (KServe's pkg/apis/serving/v1beta1), and what each is worth
// here.
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

using enum FieldType;
using enum FieldClass;

// clang-format off
constexpr FieldRow rows[] = {
    {"InferenceService", "apiVersion"},
    {"InferenceService", "kind"},
    {"InferenceService", "metadata", object, "ObjectMeta"},
    {"InferenceService", "spec", object, "InferenceServiceSpec"},
    {"InferenceService", "status", anything, "", no_effect, "the daemon writes the status itself"},

    {"ObjectMeta", "name"},
    {"ObjectMeta", "generateName"},
    {"ObjectMeta", "namespace"},
    {"ObjectMeta", "labels", text_map},
    {"ObjectMeta", "annotations", text_map},
    {"ObjectMeta", "creationTimestamp", anything},
    {"ObjectMeta", "deletionGracePeriodSeconds", anything},
    {"ObjectMeta", "deletionTimestamp", anything},
    {"ObjectMeta", "finalizers", anything},
    {"ObjectMeta", "generation", anything},
    {"ObjectMeta", "managedFields", anything},
    {"ObjectMeta", "ownerReferences", anything},
    {"ObjectMeta", "resourceVersion", anything},
    {"ObjectMeta", "selfLink", anything},
    {"ObjectMeta", "uid", anything},

    {"InferenceServiceSpec", "predictor", object, "PredictorSpec"},
    {"InferenceServiceSpec", "transformer", object, "TransformerSpec"},
    {"InferenceServiceSpec", "explainer", object, "ExplainerSpec", unsupported, "its answers would be missing; remove it: TreeSHAP is built in, POST /v1/models/{name}:explain answers for XGBoost, LightGBM and scikit-learn's trees"},
    {"InferenceServiceSpec", "canary", object_list, "CanarySpec"},

    {"CanarySpec", "predictor", object, "PredictorSpec"},
    {"CanarySpec", "trafficPercent", integer},

    {"PredictorSpec", "name"},
    {"PredictorSpec", "model", object, "ModelSpec"},
    {"PredictorSpec", "sklearn", object, "FrameworkSpec"},
    {"PredictorSpec", "xgboost", object, "FrameworkSpec"},
    {"PredictorSpec", "lightgbm", object, "FrameworkSpec"},
    {"PredictorSpec", "tensorflow", object, "FrameworkSpec"},
    {"PredictorSpec", "pytorch", object, "FrameworkSpec"},
    {"PredictorSpec", "triton", object, "FrameworkSpec"},
    {"PredictorSpec", "onnx", object, "FrameworkSpec"},
    {"PredictorSpec", "huggingface", object, "FrameworkSpec"},
    {"PredictorSpec", "pmml", object, "FrameworkSpec"},
    {"PredictorSpec", "paddle", object, "FrameworkSpec"},
    {"PredictorSpec", "storageUris", object_list, "StorageUri"},
    {"PredictorSpec", "storageContainerName", text, "", no_effect, "models are read in place, no storage container runs"},
    {"PredictorSpec", "workerSpec", object, "WorkerSpec", unsupported, "a model cannot be spread over several nodes; remove it"},
    {"PredictorSpec", "containers", object_list, "Container", handled},
    {"PredictorSpec", "", inlined, "PodSpec"},
    {"PredictorSpec", "", inlined, "ComponentExtension"},

    {"ModelSpec", "modelFormat", object, "ModelFormat"},
    {"ModelSpec", "runtime"},
    {"ModelSpec", "", inlined, "FrameworkSpec"},

    {"ModelFormat", "name"},
    {"ModelFormat", "version"},

    {"FrameworkSpec", "storageUri"},
    {"FrameworkSpec", "storage", object, "ModelStorage"},
    {"FrameworkSpec", "protocolVersion"},
    {"FrameworkSpec", "runtimeVersion", text, "", no_effect, "it names an image tag, and jackdaw runs no image"},
    {"FrameworkSpec", "confidential", object, "Confidential", unsupported, "encrypted models cannot be opened; remove it and store the model in the clear"},
    {"FrameworkSpec", "", inlined, "Container"},

    {"ModelStorage", "key"},
    {"ModelStorage", "parameters", text_map},
    {"ModelStorage", "path"},
    {"ModelStorage", "schemaPath", text, "", no_effect, "only model meshes read it"},

    {"Confidential", "enabled", boolean},
    {"Confidential", "resourceId"},

    {"StorageUri", "uri"},
    {"StorageUri", "mountPath"},

    {"WorkerSpec", "pipelineParallelSize", integer},
    {"WorkerSpec", "tensorParallelSize", integer},
    {"WorkerSpec", "ephemeralContainers", anything},
    {"WorkerSpec", "", inlined, "PodSpec"},

    // transformer.cpp says what the image is worth; of what stands around it, only the timeout is jackdaw's.
    {"TransformerSpec", "containers", object_list, "Container", handled},
    {"TransformerSpec", "volumes", object_list, "Volume", handled},
    {"TransformerSpec", "minReplicas", integer, "", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "maxReplicas", integer, "", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "scaleTarget", integer, "", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "scaleMetric", text, "", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "containerConcurrency", integer, "", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "canaryTrafficPercent", integer, "", no_effect, "there is one transformer, where its address says"},
    {"TransformerSpec", "deploymentStrategy", object, "DeploymentStrategy", no_effect, "jackdaw does not start transformers"},
    {"TransformerSpec", "logger", object, "Logger", no_effect, "the predictor's calls can be logged: spec.predictor.logger"},
    {"TransformerSpec", "batcher", object, "Batcher", unsupported, "the transformer would get requests one by one; join them before the model, with spec.predictor.batcher"},
    {"TransformerSpec", "", inlined, "PodSpec"},
    {"TransformerSpec", "", inlined, "ComponentExtension"},

    {"ExplainerSpec", "art", object, "ArtExplainer"},
    {"ExplainerSpec", "", inlined, "PodSpec"},
    {"ExplainerSpec", "", inlined, "ComponentExtension"},

    {"ArtExplainer", "type"},
    {"ArtExplainer", "storageUri"},
    {"ArtExplainer", "runtimeVersion"},
    {"ArtExplainer", "config", text_map},
    {"ArtExplainer", "storage", object, "ModelStorage"},
    {"ArtExplainer", "", inlined, "ComponentExtension"},
    {"ArtExplainer", "", inlined, "Container"},

    {"ComponentExtension", "minReplicas", integer},
    {"ComponentExtension", "maxReplicas", integer},
    {"ComponentExtension", "scaleTarget", integer},
    {"ComponentExtension", "scaleMetric"},
    {"ComponentExtension", "scaleMetricType", text, "", no_effect, "requests decide how many replicas there are"},
    {"ComponentExtension", "autoScaling", object, "AutoScaling", no_effect, "requests decide how many replicas there are, not metrics from elsewhere"},
    {"ComponentExtension", "containerConcurrency", integer},
    {"ComponentExtension", "timeout", integer},
    {"ComponentExtension", "canaryTrafficPercent", integer},
    {"ComponentExtension", "logger", object, "Logger"},
    {"ComponentExtension", "batcher", object, "Batcher"},
    {"ComponentExtension", "labels", text_map, "", no_effect, "they go on pods"},
    {"ComponentExtension", "annotations", text_map, "", no_effect, "they go on pods"},
    {"ComponentExtension", "deploymentStrategy", object, "DeploymentStrategy"},

    {"AutoScaling", "behavior", object, "ScalingBehavior"},
    {"AutoScaling", "metrics", object_list, "ScalingMetric"},

    {"ScalingBehavior", "scaleDown", object, "ScalingRules"},
    {"ScalingBehavior", "scaleUp", object, "ScalingRules"},

    {"ScalingRules", "policies", object_list, "ScalingPolicy"},
    {"ScalingRules", "selectPolicy"},
    {"ScalingRules", "stabilizationWindowSeconds", integer},
    {"ScalingRules", "tolerance", quantity},

    {"ScalingPolicy", "periodSeconds", integer},
    {"ScalingPolicy", "type"},
    {"ScalingPolicy", "value", integer},

    {"ScalingMetric", "external", object, "ExternalMetric"},
    {"ScalingMetric", "podmetric", object, "PodMetric"},
    {"ScalingMetric", "resource", object, "ResourceMetric"},
    {"ScalingMetric", "type"},

    {"ExternalMetric", "authenticationRef", object, "MetricAuthentication"},
    {"ExternalMetric", "metric", object, "ExternalMetricSource"},
    {"ExternalMetric", "target", object, "MetricTarget"},

    {"MetricAuthentication", "authModes"},
    {"MetricAuthentication", "authenticationRef", object, "ObjectRef"},

    {"ExternalMetricSource", "backend"},
    {"ExternalMetricSource", "namespace"},
    {"ExternalMetricSource", "query"},
    {"ExternalMetricSource", "serverAddress"},

    {"MetricTarget", "averageUtilization", integer},
    {"MetricTarget", "averageValue", quantity},
    {"MetricTarget", "type"},
    {"MetricTarget", "value", quantity},

    {"PodMetric", "metric", object, "PodMetricSource"},
    {"PodMetric", "target", object, "MetricTarget"},

    {"PodMetricSource", "backend"},
    {"PodMetricSource", "metricNames", text_list},
    {"PodMetricSource", "operationOverTime"},
    {"PodMetricSource", "query"},
    {"PodMetricSource", "serverAddress"},

    {"ResourceMetric", "name"},
    {"ResourceMetric", "target", object, "MetricTarget"},

    {"Batcher", "maxBatchSize", integer},
    {"Batcher", "maxLatency", integer},
    {"Batcher", "timeout", integer, "", no_effect, "KServe's batcher does not use it either; maxLatency bounds the wait"},

    {"DeploymentStrategy", "rollingUpdate", object, "RollingUpdate", no_effect, "a new revision is loaded beside the old one, whole"},
    {"DeploymentStrategy", "type"},

    {"RollingUpdate", "maxSurge", quantity},
    {"RollingUpdate", "maxUnavailable", quantity},

    {"Logger", "batchInterval", text, "", no_effect, "it is for events in blob storage; over HTTP and into files each event goes by itself"},
    {"Logger", "batchSize", integer, "", no_effect, "it is for events in blob storage; over HTTP and into files each event goes by itself"},
    {"Logger", "marshallerUrl", text, "", no_effect, "it shapes events for blob storage"},
    {"Logger", "metadataAnnotations", text_list},
    {"Logger", "metadataHeaders", text_list},
    {"Logger", "mode"},
    {"Logger", "storage", object, "LoggerStorage", no_effect, "this version sends events to http, https and file URLs, not to blob storage"},
    {"Logger", "url"},

    {"LoggerStorage", "key"},
    {"LoggerStorage", "parameters", text_map},
    {"LoggerStorage", "path"},
    {"LoggerStorage", "serviceAccountName"},
};
// clang-format on

}  // namespace

std::span<const FieldRow> inference_service_rows() {
  return rows;
}

}  // namespace jackdaw::spec
