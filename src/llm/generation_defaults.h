// GenerationDefaults: what a model's authors say about sampling: generation_config.json beside safetensors, or GGUF's
// general.sampling.* keys. A request's own values win.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/engine/generate.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/sampling.h"

namespace jackdaw::llm {

struct GenerationDefaults {
  std::optional<float> temperature;
  std::optional<float> top_p;
  std::optional<std::int32_t> top_k;
  std::optional<float> min_p;
  std::optional<float> repetition_penalty;
  std::vector<std::int32_t> end_tokens;  // eos_token_id: one or several
};

// Values out of range are left out (with a line in the log), as files in the wild have them.
Result<GenerationDefaults> parse_generation_config(std::string_view json);
// `use_sampling` = false takes the end tokens only (--generation-config vllm).
Result<GenerationDefaults> read_generation_defaults(const formats::ModelFile& file, bool use_sampling);

// One choice's parameters: the request's, else the model's, else OpenAI's. `seed` is used when the request has none;
// each choice draws from its own stream.
ops::SamplingParameters resolve_sampling(const engine::GenerateInputs& inputs, const GenerationDefaults& defaults,
                                         std::uint64_t seed, std::uint32_t choice);

}  // namespace jackdaw::llm
