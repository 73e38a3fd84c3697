// LLMInferenceService: serving.kserve.io/v1alpha1 and v1alpha2 as jackdaw serves it, read and checked. Plain data, any
// thread. Field meanings: KServe's pkg/apis/serving/v1alpha2 (LLMInferenceServiceSpec) and vLLM's engine arguments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/spec/inference_service.h"
#include "jackdaw/spec/llm_settings.h"

namespace jackdaw::spec {

struct LlmInferenceService {
  ObjectMeta metadata;
  SourcePlace place;                   // of spec.model
  ConfigValue<std::string> model_uri;  // unresolved (storage/resolver.h does that)
  // The model's name for clients: the first --served-model-name, else spec.model.name, else metadata.name.
  ConfigValue<std::string> served_name;
  std::vector<ConfigValue<std::string>> aliases;  // further names; none equals served_name
  LlmSettings llm;
  ServingStages stages;  // warm-up and logger
  ConfigValue<std::uint32_t> replicas{1};
  RolloutSettings rollout;           // how a change of it comes into effect
  Scaling scaling;                   // of `replicas`: as many, always
  bool stopped = false;              // replicas 0, or annotation serving.kserve.io/stop: "true"
  std::string base_dir;              // folder of the file it came from; relative URIs start here
  std::shared_ptr<const Node> node;  // everything as it was written, for giving it back unchanged
};

}  // namespace jackdaw::spec
