#include "src/llm/cost_model.h"

#include <algorithm>
#include <bit>

namespace jackdaw::llm {

namespace {

// An outlier (the machine did something else) counts as at most twice of what was expected.
void blend(double& mean, double value) {
  if (mean == 0) {
    mean = value;
  } else {
    mean += 0.2 * (std::min(value, 2 * mean) - mean);
  }
}

}  // namespace

int CostModel::size_index(std::uint32_t decode_tokens) {
  return std::min(sizes - 1, static_cast<int>(std::bit_width(std::max(decode_tokens, 1u) - 1)));
}

double CostModel::decode_ms(std::uint32_t decode_tokens) const {
  if (decode_tokens == 0) return 0;
  const int index = size_index(decode_tokens);
  for (int i = index; i >= 0; --i) {
    if (decode_ms_[i] > 0) return decode_ms_[i];
  }
  for (int i = index + 1; i < sizes; ++i) {
    if (decode_ms_[i] > 0) return decode_ms_[i];
  }
  return 0;
}

void CostModel::learn(std::uint32_t decode_tokens, std::uint32_t draft_tokens, std::uint32_t prefill_tokens,
                      double ms) {
  if (ms <= 0) return;
  if (prefill_tokens == 0) {
    if (draft_tokens == 0 && decode_tokens > 0) blend(decode_ms_[size_index(decode_tokens)], ms);
    return;
  }
  if (prefill_tokens < chunk_min / 2) return;
  // Half of a decode step is weights, which prefill reads as well; what is left is the chunk's.
  const double own = std::max(ms - 0.5 * decode_ms(decode_tokens), 0.25 * ms);
  blend(prefill_token_ms_, own / static_cast<double>(prefill_tokens));
}

std::uint32_t CostModel::prefill_tokens_within(double target_ms, std::uint32_t decode_tokens) const {
  if (prefill_token_ms_ == 0) return chunk_unknown;
  const double room = target_ms - 0.5 * decode_ms(decode_tokens);
  const double tokens = room / prefill_token_ms_;
  if (tokens < static_cast<double>(chunk_min)) return chunk_min;
  return tokens < 1e6 ? static_cast<std::uint32_t>(tokens) : 1'000'000u;
}

}  // namespace jackdaw::llm
