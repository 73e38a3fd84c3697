// What a request for tokens must be like before the engine takes it; errors name the field and the numbers.
#pragma once

#include "jackdaw/base/result.h"
#include "jackdaw/engine/generate.h"
#include "src/llm/engine_limits.h"

namespace jackdaw::llm {

Result<void> check_request(const engine::GenerateInputs& inputs, const EngineLimits& limits);

// How many tokens each choice may have at most, for a request that passed.
std::uint32_t answer_tokens_max(const engine::GenerateInputs& inputs, const EngineLimits& limits);

}  // namespace jackdaw::llm
