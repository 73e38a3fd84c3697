#include "src/arch/names.h"

#include <array>
#include <charconv>

namespace jackdaw::arch {
namespace {

struct LayerName {
  std::string_view gguf;
  std::string_view safetensors;
};

// In the order of Role.
constexpr std::array<LayerName, 19> layer_names{{
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_qkv", "self_attn.qkv_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"attn_output", "self_attn.o_proj"},
    {"post_attention_norm", "post_attention_layernorm"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_up", "mlp.gate_up_proj"},
    {"ffn_down", "mlp.down_proj"},
    {"post_ffw_norm", "post_feedforward_layernorm"},
    {"ffn_gate_inp", ""},
    {"ffn_gate_exps", ""},
    {"ffn_up_exps", ""},
    {"ffn_down_exps", ""},
}};
static_assert(static_cast<std::size_t>(Role::down_experts) + 1 == layer_names.size());

// Where safetensors keep the decoder: alone, or as the language half of a model that also sees.
constexpr std::array<std::string_view, 4> prefixes{"model.", "language_model.model.", "model.language_model.", ""};

std::string find_prefix(const formats::ModelFile& file) {
  for (const std::string_view prefix : prefixes) {
    if (file.tensor(fmt::format("{}embed_tokens.weight", prefix)) != nullptr) return std::string(prefix);
  }
  return std::string(prefixes[0]);
}

}  // namespace

Names::Names(const formats::ModelFile& file, const Family& family)
    : family_(family), is_gguf_(file.kind() == formats::ModelFileKind::gguf) {
  if (is_gguf_) return;
  prefix_ = find_prefix(file);
  head_ = prefix_.starts_with("language_model.") ? "language_model.lm_head" : "lm_head";
}

std::string Names::embedding() const {
  return is_gguf_ ? "token_embd" : prefix_ + "embed_tokens";
}
std::string Names::final_norm() const {
  return is_gguf_ ? "output_norm" : prefix_ + "norm";
}
std::string Names::head() const {
  return is_gguf_ ? "output" : head_;
}

std::string Names::layer_prefix(std::uint32_t index) const {
  return is_gguf_ ? fmt::format("blk.{}.", index) : fmt::format("{}layers.{}.", prefix_, index);
}

std::string Names::layer(std::uint32_t index, Role role) const {
  const LayerName& names = layer_names[static_cast<std::size_t>(role)];
  std::string_view name = is_gguf_ ? names.gguf : names.safetensors;
  if (!is_gguf_ && role == Role::router) name = family_.experts.router;
  if (!is_gguf_ && role == Role::ffn_norm && family_.post_norms) name = "pre_feedforward_layernorm";
  return name.empty() ? std::string() : layer_prefix(index) + std::string(name);
}

std::string Names::expert(std::uint32_t index, std::uint32_t expert, Role role) const {
  if (is_gguf_) return fmt::format("{}.{}", layer(index, role), expert);
  const ExpertNames& names = family_.experts;
  const std::string_view name = role == Role::gate ? names.gate : role == Role::up ? names.up : names.down;
  return fmt::format("{}{}.{}.{}", layer_prefix(index), names.experts, expert, name);
}

bool Names::in_layers(std::string_view name, std::uint32_t layers) const {
  const std::string start = is_gguf_ ? "blk." : prefix_ + "layers.";
  if (!name.starts_with(start)) return false;
  std::uint32_t index = 0;
  const char* end = name.data() + name.size();
  const auto [stop, status] = std::from_chars(name.data() + start.size(), end, index);
  if (status != std::errc() || stop == end || *stop != '.') return false;
  // safetensors keep layers for drafting behind the last; GGUF counts every layer it has.
  if (index >= layers && !is_gguf_) return false;
  // Frequencies that old files carry along; everybody computes them.
  return !name.ends_with("rotary_emb.inv_freq") && !name.ends_with("attn_rot_embd.weight");
}

}  // namespace jackdaw::arch
