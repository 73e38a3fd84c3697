// Rotary embeddings: from what a model file says of them to the frequencies that kernels use.
//
// Sources: transformers' modeling_rope_utils.py; Peng et al. 2023 (YaRN); Ding et al. 2024 (LongRoPE); Llama 3.1's
// frequency factors.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/ops/program.h"

namespace jackdaw::arch {

enum class RopeScalingKind : std::uint8_t { none, linear, llama3, yarn, longrope };

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::none;
  float base = 10'000.0f;
  float factor = 1.0f;
  std::uint32_t original_context = 0;     // tokens the model was trained on before it was stretched
  std::optional<float> attention_factor;  // the magnitude, when the file says it
  float low_frequency_factor = 1.0f;      // llama3
  float high_frequency_factor = 4.0f;
  float beta_fast = 32.0f;  // yarn
  float beta_slow = 1.0f;
  float mscale = 0.0f;
  float mscale_all = 0.0f;
  bool truncate = true;
  std::vector<float> short_factors;  // longrope; one per pair
  std::vector<float> long_factors;
  std::vector<float> divisors;  // GGUF's rope_freqs.weight; empty = none
};

// `context`: the longest sequence that will be asked for; longrope's choice of factors. Errors: invalid_argument for
// factors that are not one per pair, or settings whose frequencies are not finite.
Result<ops::Rope> make_rope(const RopeScaling& scaling, ops::RopeStyle style, std::uint32_t dimensions,
                            std::uint32_t context);

}  // namespace jackdaw::arch
