// The architecture table: one row per family. Sources: llama.cpp (llama-model.cpp, llama-arch.cpp,
// convert_hf_to_gguf.py) for GGUF, transformers' configuration_*.py and modeling_*.py for safetensors.
#include <string>
#include <vector>

#include "jackdaw/arch/model.h"
#include "src/arch/family.h"

namespace jackdaw::arch {
namespace {

using ops::Activation;
using ops::RopeStyle;

constexpr ExpertNames mixtral_experts{"block_sparse_moe.gate", "block_sparse_moe.experts", "w1", "w3", "w2"};
constexpr ExpertNames qwen_experts{"mlp.gate", "mlp.experts", "gate_proj", "up_proj", "down_proj"};

constexpr Family table[] = {
    // Llama 2 and 3, SmolLM2, TinyLlama, Mistral, DeepSeek-R1-Distill-Llama.
    {.name = "llama",
     .gguf = "llama",
     .classes = {"LlamaForCausalLM", "MistralForCausalLM"},
     .types = {"llama", "mistral"},
     .gguf_rope = RopeStyle::adjacent},
    {.name = "mixtral",
     .gguf = "llama",
     .classes = {"MixtralForCausalLM"},
     .types = {"mixtral"},
     .has_experts = true,
     .gguf_rope = RopeStyle::adjacent,
     .softmax_before = false,
     .experts = mixtral_experts,
     .rope_base = 1'000'000.0f},
    // Every fourth layer has no positions.
    {.name = "smollm3",
     .gguf = "smollm3",
     .classes = {"SmolLM3ForCausalLM"},
     .types = {"smollm3"},
     .gguf_rope = RopeStyle::adjacent,
     .window = WindowRule::when_enabled,
     .nope_interval = 4,
     .rope_base = 2'000'000.0f},
    {.name = "qwen2",
     .gguf = "qwen2",
     .classes = {"Qwen2ForCausalLM"},
     .types = {"qwen2"},
     .qkv_bias = true,
     .window = WindowRule::when_enabled},
    {.name = "qwen3",
     .gguf = "qwen3",
     .classes = {"Qwen3ForCausalLM"},
     .types = {"qwen3"},
     .qk_norm = true,
     .window = WindowRule::when_enabled},
    {.name = "qwen3moe",
     .gguf = "qwen3moe",
     .classes = {"Qwen3MoeForCausalLM"},
     .types = {"qwen3_moe"},
     .has_experts = true,
     .qk_norm = true,
     .window = WindowRule::when_enabled,
     .experts = qwen_experts},
    {.name = "gemma",
     .gguf = "gemma",
     .classes = {"GemmaForCausalLM"},
     .types = {"gemma"},
     .activation = Activation::gelu_tanh,
     .scaled_embedding = true,
     .norm_plus_one = true},
    {.name = "gemma2",
     .gguf = "gemma2",
     .classes = {"Gemma2ForCausalLM"},
     .types = {"gemma2"},
     .activation = Activation::gelu_tanh,
     .scaled_embedding = true,
     .norm_plus_one = true,
     .post_norms = true,
     .window = WindowRule::all_but_nth,
     .window_pattern = 2,
     .scale = ScaleRule::query_pre_scale,
     .wide_scale_layers = 46,
     .sliding_window = 4096,
     .attention_softcap = 50.0f,
     .logit_softcap = 30.0f},
    {.name = "gemma3",
     .gguf = "gemma3",
     .classes = {"Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"},
     .types = {"gemma3_text", "gemma3"},
     .config_prefix_type = "gemma3",
     .activation = Activation::gelu_tanh,
     .scaled_embedding = true,
     .norm_plus_one = true,
     .post_norms = true,
     .qk_norm = true,
     .window = WindowRule::all_but_nth,
     .window_pattern = 6,
     .scale = ScaleRule::query_pre_scale,
     .wide_scale_layers = 62,
     .rope_base = 1'000'000.0f,
     .rope_base_local = 10'000.0f,
     .sliding_window = 4096,
     .heads = 8,
     .kv_heads = 4,
     .head_dim = 256,
     .context_length = 131'072},
    // Phi-3, 3.5 and 4.
    {.name = "phi3", .gguf = "phi3", .classes = {"Phi3ForCausalLM"}, .types = {"phi3"}, .fused_projections = true},
};

bool one_of(const std::array<std::string_view, 2>& names, std::string_view name) {
  return !name.empty() && (names[0] == name || names[1] == name);
}

std::string list_of_names() {
  std::string names;
  for (const Family& family : table) names += fmt::format("{}{}", names.empty() ? "" : ", ", family.name);
  return names;
}

Error not_in_table(std::string_view key, std::string_view name) {
  return make_error(Code::unsupported, "The architecture \"{}\" is not one of those known here: {}.", name,
                    list_of_names())
      .at(key);
}

Result<const Family*> find_gguf(const formats::Metadata& metadata) {
  const auto name = metadata.text("general.architecture");
  if (!name) {
    return make_error(Code::invalid_argument, "The file does not say its architecture.").at("general.architecture");
  }
  const bool has_experts = metadata.integer(fmt::format("{}.expert_count", *name)).value_or(0) > 0;
  for (const Family& family : table) {
    if (family.gguf == *name && family.has_experts == has_experts) return &family;
  }
  if (has_experts) return not_in_table("general.architecture", fmt::format("{} with experts", *name));
  return not_in_table("general.architecture", *name);
}

Result<const Family*> find_config(const formats::Metadata& metadata) {
  if (const auto* names = metadata.texts("architectures"); names != nullptr && !names->empty()) {
    for (const Family& family : table) {
      if (one_of(family.classes, names->front())) return &family;
    }
    return not_in_table("architectures", names->front());
  }
  const auto type = metadata.text("model_type");
  if (!type) {
    return make_error(Code::invalid_argument, "config.json has neither \"architectures\" nor \"model_type\".");
  }
  for (const Family& family : table) {
    if (one_of(family.types, *type)) return &family;
  }
  return not_in_table("model_type", *type);
}

}  // namespace

std::span<const Family> families() {
  return table;
}

Result<const Family*> find_family(const formats::ModelFile& file) {
  if (file.kind() == formats::ModelFileKind::gguf) return find_gguf(file.metadata());
  return find_config(file.metadata());
}

std::vector<std::string> supported_architectures() {
  std::vector<std::string> names;
  for (const Family& family : table) names.emplace_back(family.name);
  return names;
}

}  // namespace jackdaw::arch
