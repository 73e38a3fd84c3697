// Prompts: what a request asks the model, as tokens, checked against the model's vocabulary and context.
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "src/api/openai/generation_request.h"

namespace jackdaw::api::openai {

struct PreparedPrompt {
  std::string text;  // as rendered or sent; of token ids only when it is shown
  std::vector<engine::TokenId> tokens;
  std::size_t token_count = 0;  // also when the tokens have gone to the engine
};

// Takes time in proportion to the text: any thread. On success the request's limits fit the model: max_tokens of a
// request that did not say is what the context leaves.
std::variant<std::vector<PreparedPrompt>, Refusal> prepare_prompts(GenerationRequest& request,
                                                                   const engine::PromptCodec& codec);

// Bytes of text that would have to be encoded.
std::size_t prompt_bytes(const GenerationRequest& request);

}  // namespace jackdaw::api::openai
