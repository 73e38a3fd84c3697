// Generation and Sequence: one request for tokens and its choices, from admission to the last token.
// Owner: the engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "jackdaw/engine/engine.h"
#include "jackdaw/ops/sampling.h"
#include "src/llm/answer_text.h"
#include "src/llm/kv_cache.h"
#include "src/llm/speculation.h"
#include "src/llm/token_counts.h"

namespace jackdaw::llm {

struct Generation;

// One choice: its tokens so far, how many of them are in the KV cache, and what this step does with it. There are no
// phases: a sequence has `pending` tokens to catch up, and the step that computes the last one samples the next.
struct Sequence {
  Sequence(Generation& owner, std::uint32_t number, const engine::GenerateInputs& inputs,
           std::shared_ptr<const text::Tokenizer> tokenizer, std::uint32_t draft_max)
      : generation(&owner), choice(number), text(std::move(tokenizer), inputs), drafts(draft_max) {}

  Generation* generation;
  std::uint32_t choice;
  std::vector<std::int32_t> tokens;  // prompt and answer; empty for a choice that waits for its prompt
  std::uint32_t prompt_size = 0;
  std::uint32_t computed = 0;  // positions in the KV cache
  PageTable table;

  ops::SamplingParameters parameters;
  TokenCounts counts;                    // kept only with penalties
  std::vector<std::int32_t> suppressed;  // scratch: what this step's row may not give
  AnswerText text;
  DraftPolicy drafts;

  // This step.
  std::uint32_t planned = 0;        // tokens to compute, without the draft
  std::vector<std::int32_t> draft;  // computed after them, to be verified
  std::uint32_t first_row = 0;

  bool running = false;
  engine::FinishReason finish = engine::FinishReason::none;
  Instant last_token{};

  std::uint32_t size() const { return static_cast<std::uint32_t>(tokens.size()); }
  std::uint32_t pending() const { return size() - computed; }
  std::uint32_t answer_size() const { return size() - prompt_size; }
  bool finished() const { return finish != engine::FinishReason::none; }
  // Has given tokens and only needs the next one: its reader waits for it.
  bool decoding() const { return pending() == 1 && size() > prompt_size; }
};

struct Generation {
  std::shared_ptr<const engine::InferenceRequest> request;
  std::shared_ptr<engine::ResponseStream> stream;
  std::uint64_t number = 0;  // order of arrival
  Instant arrival{};
  Instant admitted{};
  Instant first_token{};

  std::vector<std::unique_ptr<Sequence>> choices;
  std::uint32_t unfinished = 0;
  std::uint32_t answer_max = 0;                      // tokens of each choice
  std::vector<std::int32_t> end_tokens;              // end the answer; ascending
  std::vector<std::vector<std::int32_t>> bad_words;  // as tokens; the last one is never given after the others
  ops::SamplingParameters prompt_parameters;         // for rows that score the prompt
  std::vector<engine::TokenLogprobs> prompt_logprobs;
  std::uint32_t cached_tokens = 0;
  bool was_admitted = false;
  bool prompt_done = false;
  engine::GenerateUsage usage;

  const engine::GenerateInputs& inputs() const { return *request->generate; }
  bool scores_prompt() const { return inputs().prompt_logprobs >= 0; }
  // Choices that start when the first one has computed the prompt.
  std::uint32_t unborn() const { return prompt_done ? 0 : static_cast<std::uint32_t>(choices.size()) - 1; }
};

// Who goes first, and who is preempted last.
inline bool ranks_before(const Sequence& a, const Sequence& b) {
  const auto rank = [](const Sequence& s) {
    return std::tuple(s.generation->inputs().priority, s.generation->number, s.choice);
  };
  return rank(a) < rank(b);
}

}  // namespace jackdaw::llm
