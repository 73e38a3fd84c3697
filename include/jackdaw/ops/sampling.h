// Sampling: from a row of logits to a token. Counter-based: what is drawn depends on (seed, position) and the logits
// alone, never on who else is in the batch, so a backend may sample rows in any order and on any thread.
//
// Order of application (vLLM's): logit_bias and allowed/suppressed tokens, repetition, presence and frequency
// penalties, temperature, top_k, top_p, min_p, then the draw. Log-probabilities are those of the raw model (before
// bias, penalties and temperature), as vLLM's default `raw_logprobs`.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace jackdaw::ops {

struct SamplingParameters {
  float temperature = 1.0f;  // 0 = greedy: the largest logit, the lowest token id among equals
  float top_p = 1.0f;
  float min_p = 0.0f;
  std::int32_t top_k = 0;  // 0 = off
  float repetition_penalty = 1.0f;
  float presence_penalty = 0.0f;
  float frequency_penalty = 0.0f;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::int32_t, float>> logit_bias;  // token, added logit; ascending tokens
  std::vector<std::int32_t> allowed_tokens;                // not empty: only these; ascending
  std::int32_t top_logprobs = -1;                          // -1 = no log-probabilities wanted, 0 = the token's own only

  bool has_penalties() const {
    return repetition_penalty != 1.0f || presence_penalty != 0.0f || frequency_penalty != 0.0f;
  }
};

// How often each token has appeared so far; kept by the scheduler, only for requests with penalties.
struct TokenCount {
  std::int32_t token = 0;
  std::uint32_t in_prompt = 0;
  std::uint32_t in_output = 0;
};

// One row of logits that a step must sample from.
struct SampleRow {
  std::uint32_t batch_token = 0;  // index into Batch::tokens: the logits after that token
  const SamplingParameters* parameters = nullptr;
  std::uint64_t position = 0;                // the RNG's counter: the position the sampled token will take
  std::span<const TokenCount> counts;        // for penalties; ascending tokens
  std::span<const std::int32_t> suppressed;  // never sampled here (min_tokens holds back the end tokens); ascending
  // One bit per token, 1 = allowed, or empty: the seam for grammars.
  std::span<const std::uint32_t> allowed_mask;
  std::int32_t scored_token = -1;  // >= 0: do not draw; give this token's log-probability (echo, prompt_logprobs)
};

struct TokenLogprob {
  std::int32_t token = 0;
  float logprob = 0.0f;
};

struct Sampled {
  std::int32_t token = 0;
  float logprob = 0.0f;           // of `token`; only when top_logprobs >= 0 or scored_token >= 0
  std::uint32_t rank = 0;         // 1 = the most likely token; same condition
  std::vector<TokenLogprob> top;  // most likely first, at most top_logprobs
};

// Scratch of one thread; grows to the vocabulary's size once.
struct SamplingScratch {
  std::vector<float> floats;
  std::vector<std::int32_t> tokens;
};

// `logits` is changed. A row of NaNs or of nothing but -inf gives token 0 and logprob -inf.
void sample_row(std::span<float> logits, const SampleRow& row, SamplingScratch& scratch, Sampled& out);

// Philox4x32-10 keyed by seed, counted by position: a uniform float in (0, 1]. (Salmon et al., SC 2011.)
float uniform_at(std::uint64_t seed, std::uint64_t position, std::uint32_t stream);

}  // namespace jackdaw::ops
