// Tensor names: the same tensor under its name in GGUF and in safetensors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/formats/model_file.h"
#include "src/arch/family.h"

namespace jackdaw::arch {

// Tensors of one layer. In safetensors gemma2's and gemma3's ffn_norm is "pre_feedforward_layernorm", and
// "post_attention_layernorm" is what it says; elsewhere that name means the norm before the feed-forward.
enum class Role : std::uint8_t {
  attention_norm,
  query,
  key,
  value,
  query_key_value,
  query_norm,
  key_norm,
  attention_output,
  post_attention_norm,
  ffn_norm,
  gate,
  up,
  gate_up,
  down,
  post_ffn_norm,
  router,
  gate_experts,  // merged: [experts, outputs, inputs]; GGUF only
  up_experts,
  down_experts,
};

// All names come without ".weight" and ".bias".
class Names {
 public:
  Names(const formats::ModelFile& file, const Family& family);

  std::string embedding() const;
  std::string final_norm() const;
  std::string head() const;
  // "" when the format has no such tensor.
  std::string layer(std::uint32_t index, Role role) const;
  // One expert's own tensor; `role` is gate, up or down.
  std::string expert(std::uint32_t index, std::uint32_t expert, Role role) const;
  // Whether `name` is a tensor of a layer that a decoder of this family and `layers` layers would have to use.
  bool in_layers(std::string_view name, std::uint32_t layers) const;

 private:
  std::string layer_prefix(std::uint32_t index) const;

  const Family& family_;
  bool is_gguf_;
  std::string prefix_;  // safetensors: "model.", "language_model.model.", ...
  std::string head_;
};

}  // namespace jackdaw::arch
