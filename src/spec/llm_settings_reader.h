// Reads what container arguments, VLLM_ADDITIONAL_ARGS and annotations say of serving a language model: vLLM's engine
// arguments (vllm/engine/arg_utils.py) and those of KServe's Hugging Face server, which takes vLLM's too.
#pragma once

#include "jackdaw/spec/llm_settings.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// `container` has `args` and `env`. Arguments that would change the answer and are not supported are errors, others
// without effect are reported.
void read_llm_container(const Node& container, LlmSettings& out, Complaints& complaints);

// The jackdaw.dev annotations of language models.
void read_llm_annotations(const Node& object, LlmSettings& out, Complaints& complaints);
// Reports those annotations on an object that is no language model.
void report_llm_annotations(const Node& object, Complaints& complaints);

// --model_id of KServe's Hugging Face server among the arguments of `container`, as "hf://org/model[:revision]"; unset
// when it is not there.
ConfigValue<std::string> hub_uri(const Node& container);

// A name that clients send in JSON: 1 to 256 visible ASCII characters.
void check_llm_name(const ConfigValue<std::string>& name, Complaints& complaints);

}  // namespace jackdaw::spec
