// Llamas of two layers, 16 wide, that load: a start for tests that break something.
#pragma once

#include <string>

#include "fake_model_file.h"

namespace jackdaw::arch::testing {

// Keys and tensors of `architecture`, with llama's names.
inline FakeModelFile small_gguf_llama(const std::string& architecture = "llama") {
  FakeModelFile file(formats::ModelFileKind::gguf);
  const auto key = [&](const char* name) { return architecture + "." + name; };
  file.set("general.architecture", architecture);
  file.set(key("embedding_length"), 16).set(key("block_count"), 2).set(key("feed_forward_length"), 24);
  file.set(key("context_length"), 128).set(key("attention.head_count"), 2).set(key("attention.head_count_kv"), 1);
  file.set(key("attention.layer_norm_rms_epsilon"), 1e-5);
  file.add("token_embd.weight", {10, 16}).add("output_norm.weight", {16}).add("output.weight", {10, 16});
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    file.add(layer + "attn_norm.weight", {16}).add(layer + "ffn_norm.weight", {16});
    file.add(layer + "attn_q.weight", {16, 16}).add(layer + "attn_k.weight", {8, 16});
    file.add(layer + "attn_v.weight", {8, 16}).add(layer + "attn_output.weight", {16, 16});
    file.add(layer + "ffn_gate.weight", {24, 16}).add(layer + "ffn_up.weight", {24, 16});
    file.add(layer + "ffn_down.weight", {16, 24});
  }
  return file;
}

inline FakeModelFile small_config_llama() {
  FakeModelFile file(formats::ModelFileKind::safetensors);
  file.set("architectures", std::vector<std::string>{"LlamaForCausalLM"}).set("model_type", "llama");
  file.set("hidden_size", 16).set("num_hidden_layers", 2).set("intermediate_size", 24);
  file.set("max_position_embeddings", 128).set("num_attention_heads", 2).set("num_key_value_heads", 1);
  file.set("rms_norm_eps", 1e-5).set("tie_word_embeddings", false);
  file.add("model.embed_tokens.weight", {10, 16}).add("model.norm.weight", {16}).add("lm_head.weight", {10, 16});
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    file.add(layer + "input_layernorm.weight", {16}).add(layer + "post_attention_layernorm.weight", {16});
    file.add(layer + "self_attn.q_proj.weight", {16, 16}).add(layer + "self_attn.k_proj.weight", {8, 16});
    file.add(layer + "self_attn.v_proj.weight", {8, 16}).add(layer + "self_attn.o_proj.weight", {16, 16});
    file.add(layer + "mlp.gate_proj.weight", {24, 16}).add(layer + "mlp.up_proj.weight", {24, 16});
    file.add(layer + "mlp.down_proj.weight", {16, 24});
  }
  return file;
}

}  // namespace jackdaw::arch::testing
