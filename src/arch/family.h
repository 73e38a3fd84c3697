// Family: one row of the architecture table. What distinguishes one decoder from another, as data; the generic reader
// and builder do the rest.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "jackdaw/base/result.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/program.h"

namespace jackdaw::arch {

// Which layers look back only `sliding_window` tokens, when the file gives a window and no list of layers.
enum class WindowRule : std::uint8_t {
  every_layer,   // Mistral, Mixtral, Phi-3
  all_but_nth,   // gemma: every n-th layer sees everything, n = sliding_window_pattern
  when_enabled,  // Qwen: config.json's use_sliding_window, from layer max_window_layers on; never in GGUF
};

enum class ScaleRule : std::uint8_t {
  head_dim,         // 1 / sqrt(head_dim)
  query_pre_scale,  // config.json's query_pre_attn_scalar; in GGUF 1 / sqrt(head_dim), or by `wide_scale_layers`
};

// Tensors of a mixture of experts in safetensors, below "model.layers.N.".
struct ExpertNames {
  std::string_view router;   // "mlp.gate"
  std::string_view experts;  // "mlp.experts": then ".E." and the three below
  std::string_view gate;
  std::string_view up;
  std::string_view down;
};

struct Family {
  std::string_view name;
  std::string_view gguf;                                  // general.architecture
  std::array<std::string_view, 2> classes;                // config.json's "architectures"
  std::array<std::string_view, 2> types;                  // config.json's "model_type", where there is no such list
  std::string_view config_prefix_type;                    // this model_type keeps its numbers below "text_config."
  bool has_experts = false;                               // GGUF tells llama from mixtral by expert_count alone
  ops::RopeStyle gguf_rope = ops::RopeStyle::half_split;  // safetensors are always half-split
  ops::Activation activation = ops::Activation::silu;
  bool scaled_embedding = false;   // times sqrt(width)
  bool norm_plus_one = false;      // safetensors keep weight - 1; GGUF's converter has added it
  bool post_norms = false;         // norms after attention and after the feed-forward, before the residual sum
  bool qk_norm = false;            // per head
  bool qkv_bias = false;           // must be there; elsewhere a bias is used when there is one
  bool fused_projections = false;  // qkv in one tensor, gate and up in one
  WindowRule window = WindowRule::every_layer;
  std::uint32_t window_pattern = 0;
  ScaleRule scale = ScaleRule::head_dim;
  std::uint32_t wide_scale_layers = 0;  // the one size that scales by 1 / sqrt(width / heads) is known by its layers
  std::uint32_t nope_interval = 0;      // every n-th layer has no positions
  bool softmax_before = true;           // of the experts' router
  ExpertNames experts;
  // What transformers assumes where config.json is silent, and llama.cpp where GGUF is; 0 = must be said.
  float rope_base = 10'000.0f;
  float rope_base_local = 0.0f;  // of sliding layers; 0 = as the others
  std::uint32_t sliding_window = 0;
  float attention_softcap = 0.0f;
  float logit_softcap = 0.0f;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t context_length = 0;
};

// The whole table, in the order of messages.
std::span<const Family> families();

// The row of a file. Errors: unsupported, naming what the file says and what is in the table.
Result<const Family*> find_family(const formats::ModelFile& file);

}  // namespace jackdaw::arch
