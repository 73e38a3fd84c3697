// Fields of serving.kserve.io/v1alpha1 and v1alpha2 LLMInferenceService (KServe's pkg/apis/serving/v1alpha2, with the
// Gateway API and inference extension objects it embeds), and what each is worth here.
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

using enum FieldType;
using enum FieldClass;

// clang-format off
constexpr FieldRow rows[] = {
    {"LLMInferenceService", "apiVersion"},
    {"LLMInferenceService", "kind"},
    {"LLMInferenceService", "metadata", object, "ObjectMeta"},
    {"LLMInferenceService", "spec", object, "LlmSpec"},
    {"LLMInferenceService", "status", anything, "", no_effect, "the daemon writes the status itself"},

    {"LlmSpec", "model", object, "LlmModel"},
    {"LlmSpec", "replicas", integer, "", handled},
    {"LlmSpec", "scaling", object, "LlmScaling"},
    {"LlmSpec", "template", object, "LlmTemplate"},
    {"LlmSpec", "router", object, "LlmRouter", no_effect, "one process answers every request, so there is nothing to choose between"},
    {"LlmSpec", "prefill", object, "LlmWorkload", no_effect, "one process does prefill and decode"},
    {"LlmSpec", "storageInitializer", object, "LlmStorageInitializer", no_effect, "models are read in place"},
    {"LlmSpec", "tracing", object, "LlmTracing", no_effect, "this version sends no traces"},
    {"LlmSpec", "baseRefs", object_list, "ObjectRef", unsupported, "the settings of those LLMInferenceServiceConfigs would be missing; write them into this object"},
    {"LlmSpec", "", inlined, "LlmWorkload"},

    {"LlmModel", "uri"},
    {"LlmModel", "name"},
    {"LlmModel", "criticality", text, "", no_effect, "requests carry their own priority"},
    {"LlmModel", "lora", object, "LlmLora", unsupported, "the adapters' names would have no model; remove it, or merge the adapter into the weights"},
    {"LlmModel", "confidential", object, "Confidential", unsupported, "encrypted models cannot be opened; remove it and store the model in the clear"},

    {"LlmLora", "adapters", object_list, "LlmAdapter"},
    {"LlmLora", "maxRank", integer},
    {"LlmLora", "maxAdapters", integer},
    {"LlmLora", "maxCpuAdapters", integer},

    {"LlmAdapter", "uri"},
    {"LlmAdapter", "name"},
    {"LlmAdapter", "confidential", object, "Confidential"},

    {"LlmTemplate", "containers", object_list, "Container"},
    {"LlmTemplate", "", inlined, "PodSpec"},

    {"LlmStorageInitializer", "enabled", boolean},

    {"LlmWorkload", "replicas", integer},
    {"LlmWorkload", "scaling", object, "LlmScaling", no_effect, "this version does not scale"},
    {"LlmWorkload", "parallelism", object, "LlmParallelism", no_effect, "one process holds the whole model"},
    {"LlmWorkload", "labels", text_map, "", no_effect, "they go on pods"},
    {"LlmWorkload", "annotations", text_map, "", no_effect, "they go on pods"},
    {"LlmWorkload", "template", object, "PodSpec"},
    {"LlmWorkload", "worker", object, "PodSpec", no_effect, "one process holds the whole model"},
    {"LlmWorkload", "kvCacheOffloading", object, "LlmOffloading", no_effect, "the cache stays in memory; it changes no answer"},
    {"LlmWorkload", "rolloutStrategy", object, "RollingUpdate", no_effect},

    {"LlmParallelism", "tensor", integer},
    {"LlmParallelism", "pipeline", integer},
    {"LlmParallelism", "data", integer},
    {"LlmParallelism", "dataLocal", integer},
    {"LlmParallelism", "dataRPCPort", integer},
    {"LlmParallelism", "expert", boolean},

    {"LlmScaling", "minReplicas", integer},
    {"LlmScaling", "maxReplicas", integer},
    {"LlmScaling", "wva", object, "LlmVariantScaling"},
    {"LlmScaling", "keda", object, "LlmKeda"},

    {"LlmVariantScaling", "variantCost", quantity},
    {"LlmVariantScaling", "hpa", object, "LlmHpa"},
    {"LlmVariantScaling", "keda", object, "LlmKeda"},

    {"LlmHpa", "behavior", object, "ScalingBehavior"},

    {"LlmKeda", "pollingInterval", integer},
    {"LlmKeda", "cooldownPeriod", integer},
    {"LlmKeda", "initialCooldownPeriod", integer},
    {"LlmKeda", "idleReplicaCount", integer},
    {"LlmKeda", "fallback", anything},
    {"LlmKeda", "advanced", anything},
    {"LlmKeda", "triggers", anything},

    {"LlmOffloading", "cpu", quantity},
    {"LlmOffloading", "evictionPolicy"},
    {"LlmOffloading", "secondary", object_list, "LlmOffloadingTier"},

    {"LlmOffloadingTier", "fileSystem", object, "LlmOffloadingFiles"},

    {"LlmOffloadingFiles", "emptyDir", object, "LlmOffloadingFolder"},
    {"LlmOffloadingFiles", "pvc", object, "LlmOffloadingClaim"},

    {"LlmOffloadingFolder", "size", quantity},

    {"LlmOffloadingClaim", "spec", anything},
    {"LlmOffloadingClaim", "ref", object, "LlmClaimRef"},

    {"LlmClaimRef", "name"},
    {"LlmClaimRef", "path"},

    {"LlmTracing", "exporterEndpoint"},
    {"LlmTracing", "exporter"},
    {"LlmTracing", "sampler"},
    {"LlmTracing", "samplerArg", quantity},

    {"LlmRouter", "route", object, "LlmRoute"},
    {"LlmRouter", "gateway", object, "LlmGateway"},
    {"LlmRouter", "ingress", object, "LlmGateway"},
    {"LlmRouter", "scheduler", object, "LlmScheduler"},

    {"LlmRoute", "http", object, "LlmHttpRoute"},
    {"LlmRoute", "group"},
    {"LlmRoute", "weight", integer},

    {"LlmHttpRoute", "refs", object_list, "LlmRef"},
    {"LlmHttpRoute", "spec", object, "LlmHttpRouteSpec"},

    {"LlmHttpRouteSpec", "hostnames", text_list},
    {"LlmHttpRouteSpec", "parentRefs", object_list, "LlmParentRef"},
    {"LlmHttpRouteSpec", "rules", anything},
    {"LlmHttpRouteSpec", "useDefaultGateways"},

    {"LlmParentRef", "group"},
    {"LlmParentRef", "kind"},
    {"LlmParentRef", "name"},
    {"LlmParentRef", "namespace"},
    {"LlmParentRef", "port", integer},
    {"LlmParentRef", "sectionName"},

    {"LlmGateway", "refs", object_list, "LlmRef"},

    {"LlmRef", "name"},
    {"LlmRef", "namespace"},
    {"LlmRef", "sectionName"},

    {"LlmScheduler", "pool", object, "LlmPool"},
    {"LlmScheduler", "labels", text_map},
    {"LlmScheduler", "annotations", text_map},
    {"LlmScheduler", "template", object, "PodSpec"},
    {"LlmScheduler", "config", object, "LlmSchedulerConfig"},
    {"LlmScheduler", "replicas", integer},
    {"LlmScheduler", "tokenizer", object, "LlmSchedulerTokenizer"},

    {"LlmSchedulerConfig", "inline", anything},
    {"LlmSchedulerConfig", "ref", object, "LlmConfigRef"},

    {"LlmConfigRef", "name"},
    {"LlmConfigRef", "key"},
    {"LlmConfigRef", "optional", boolean},

    {"LlmSchedulerTokenizer", "template", object, "PodSpec"},

    {"LlmPool", "spec", object, "LlmPoolSpec"},
    {"LlmPool", "ref", object, "LlmRef"},

    {"LlmPoolSpec", "selector", anything},
    {"LlmPoolSpec", "targetPorts", anything},
    {"LlmPoolSpec", "targetPortNumber", integer},
    {"LlmPoolSpec", "endpointPickerRef", anything},
    {"LlmPoolSpec", "extensionRef", anything},
};
// clang-format on

}  // namespace

std::span<const FieldRow> llm_rows() {
  return rows;
}

}  // namespace jackdaw::spec
