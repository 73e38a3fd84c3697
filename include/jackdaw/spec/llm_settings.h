// LlmSettings: how a language model is to be served, as container arguments and annotations say it. The fields are
// those of engine::LlmOptions, each with its place; 0 and "" = decided from the model and the machine. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/base/config_value.h"

namespace jackdaw::spec {

struct LlmSettings {
  // --served-model-name (vLLM) or --model_name (KServe): the first is the model's name, the others are aliases.
  std::vector<ConfigValue<std::string>> served_names;
  ConfigValue<std::uint32_t> max_model_len{0};           // --max-model-len, --max_length
  ConfigValue<std::uint32_t> max_num_seqs{0};            // --max-num-seqs
  ConfigValue<std::uint32_t> max_num_batched_tokens{0};  // --max-num-batched-tokens
  ConfigValue<std::string> kv_cache_dtype;               // --kv-cache-dtype: "" (auto), "f16", "bf16" or "q8_0"
  ConfigValue<std::uint64_t> kv_cache_bytes{0};          // --kv-cache-memory-bytes
  ConfigValue<bool> enable_prefix_caching{true};         // --[no-]enable-prefix-caching
  ConfigValue<std::string> generation_config{"auto"};    // --generation-config: "auto" or "vllm"
  // --chat-template as written: the template itself when it has a brace or a line end, else the path of its file,
  // below base_dir when it is relative.
  ConfigValue<std::string> chat_template;
  ConfigValue<std::uint64_t> memory_bytes{0};        // annotation jackdaw.dev/memory-budget
  ConfigValue<double> itl_target_ms{0};              // annotation jackdaw.dev/itl-target
  ConfigValue<std::uint32_t> speculative_tokens{4};  // annotation jackdaw.dev/speculative-tokens
  ConfigValue<std::uint32_t> queue_max{0};           // annotation jackdaw.dev/queue-max

  // Whether chat_template is the template itself.
  bool chat_template_is_text() const { return chat_template->find_first_of("{}\n") != std::string::npos; }
};

}  // namespace jackdaw::spec
