#include "jackdaw/control/kinds.h"

namespace jackdaw::control {

std::vector<ResourceKind> declared_kinds() {
  const std::string kserve = "serving.kserve.io";
  return {
      {kserve, "inferenceservices", "inferenceservice", "InferenceService", {"isvc"}, {"v1beta1"}, true},
      {kserve,
       "llminferenceservices",
       "llminferenceservice",
       "LLMInferenceService",
       {"llmisvc"},
       {"v1alpha2", "v1alpha1"},
       true},
  };
}

}  // namespace jackdaw::control
