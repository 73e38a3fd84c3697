// Program: the forward pass of a decoder as data: a list of operations over named activation slots, the same for every
// step. arch writes it once per model; a Backend compiles it (fuses, repacks, captures graphs) and runs it per step.
//
// A slot holds one row of `width` floats per token of the step. Rows of different tokens never mix except in Attend,
// which reads the stored KV cache only: every other op is a function of one row. That, one reduction order per op, and
// pages read in order are what makes a request's tokens independent of its batch mates.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace jackdaw::ops {

// Handles that a Backend gave out; -1 = none.
struct Weight {
  std::int32_t index = -1;
  bool valid() const { return index >= 0; }
};
struct Slot {
  std::int32_t index = -1;
};

// out = table[token] * scale. `table` is a linear weight of shape [vocabulary, width] (often also the output head).
struct Embed {
  Weight table;
  float scale = 1.0f;
  Slot out;
};

// RMSNorm: out = in / sqrt(mean(in^2) + eps) * weight; with `add_to_out`, out += that (post-norms of gemma).
struct Norm {
  Slot in;
  Weight weight;  // vector of the slot's width
  float eps = 1e-5f;
  Slot out;
  bool add_to_out = false;
};

// out = weight * in (+ bias); with `add_to_out`, out += that (residual). weight: [out width, in width].
struct Linear {
  Slot in;
  Weight weight;
  Weight bias;
  Slot out;
  bool add_to_out = false;
};

enum class Activation : std::uint8_t { silu, gelu_tanh };

// in = [gate | up], each of the width of `out`: out = activation(gate) * up.
struct Gate {
  Slot in;
  Slot out;
  Activation activation = Activation::silu;
};

enum class RopeStyle : std::uint8_t {
  adjacent,    // pairs (2i, 2i+1): "NORM", GGUF of the llama family
  half_split,  // pairs (i, i + dimensions/2): "NEOX", safetensors and most others
};

// One rotary embedding: angle of pair i at position p = p * inverse_frequency[i] (scaling factors already applied);
// both sine and cosine are multiplied by `magnitude` (YaRN, longrope).
struct Rope {
  RopeStyle style = RopeStyle::half_split;
  std::vector<float> inverse_frequency;  // dimensions / 2; fewer than head_dim/2 leaves the rest of the head alone
  float magnitude = 1.0f;
};

// qkv = [q heads | k heads | v heads] per token. In place: q and k get their per-head RMSNorm (when weights are given)
// and rotary embedding; k and v are then written to the cache at the token's position, in the cache's encoding.
struct StoreKv {
  Slot qkv;
  std::uint32_t layer = 0;
  Weight q_norm;  // vectors of head_dim; invalid = no norm
  Weight k_norm;
  float eps = 1e-6f;
  std::int32_t rope = -1;  // index into Program::ropes; -1 = no positions (NoPE)
};

// Causal attention of each token over its sequence's stored cache, itself included. GQA: query head h reads key head
// h / (heads / kv_heads).
struct Attend {
  Slot qkv;  // q part, after StoreKv
  std::uint32_t layer = 0;
  float scale = 1.0f;        // scores = scale * q.k
  float softcap = 0.0f;      // > 0: cap * tanh(score / cap), before the mask
  std::uint32_t window = 0;  // > 0: only the last `window` positions, itself included
  Weight sinks;              // vector of `heads` extra logits that only enlarge the denominator; invalid = none
  Slot out;                  // heads * head_dim
};

// Mixture of experts: out (+)= sum over the chosen experts of weight_e * down_e(activation(gate_e x) * up_e x).
struct Experts {
  Slot in;
  Weight router;   // [experts, in width]
  Weight gate_up;  // experts stacked: expert e's rows [e * 2f, (e+1) * 2f), gate rows before up rows
  Weight down;     // experts stacked: [e * in width, (e+1) * in width) x f
  std::uint32_t expert_count = 0;
  std::uint32_t used_count = 0;
  std::uint32_t hidden = 0;    // f
  bool softmax_before = true;  // softmax over all experts, then choose (qwen3moe); else over the chosen (mixtral)
  bool renormalize = true;     // chosen weights are divided by their sum
  float weights_scale = 1.0f;
  Activation activation = Activation::silu;
  Slot out;
  bool add_to_out = true;
};

// slot = cap * tanh(slot / cap).
struct Softcap {
  Slot slot;
  float cap = 0.0f;
};

// slot *= factor.
struct Scale {
  Slot slot;
  float factor = 1.0f;
};

using Op = std::variant<Embed, Norm, Linear, Gate, StoreKv, Attend, Experts, Softcap, Scale>;

// Key and value rows per token: the same for all layers.
struct AttentionShape {
  std::uint32_t layers = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t q_width() const { return heads * head_dim; }
  std::uint32_t kv_width() const { return kv_heads * head_dim; }
};

struct Program {
  std::vector<std::uint32_t> slot_widths;  // by Slot::index
  std::vector<Rope> ropes;
  AttentionShape attention;
  std::vector<Op> body;  // over all tokens of the step
  // Over the tokens that are sampled from only: `head_in`'s rows are gathered into `head_rows` first.
  Slot head_in;
  Slot head_rows;
  std::vector<Op> head;
  Slot logits;  // width = vocabulary

  Slot add_slot(std::uint32_t width) {
    slot_widths.push_back(width);
    return Slot{static_cast<std::int32_t>(slot_widths.size()) - 1};
  }
};

}  // namespace jackdaw::ops
