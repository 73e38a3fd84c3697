#include "src/llm/speculation.h"

#include <algorithm>

namespace jackdaw::llm {

namespace {

constexpr std::size_t window = 8192;
constexpr std::uint32_t pause_max = 512;
// A draft token that is not accepted costs about this share of a step when nothing was measured yet.
constexpr double assumed_cost = 0.1;

// Where the latest earlier occurrence of the last `n` tokens ends; 0 when there is none.
std::size_t find_last(std::span<const std::int32_t> tokens, std::size_t n) {
  if (tokens.size() <= n) return 0;
  const std::int32_t* tail = tokens.data() + tokens.size() - n;
  const std::int32_t last = tail[n - 1];
  const std::size_t lowest = tokens.size() > window ? tokens.size() - window : 0;
  for (std::size_t end = tokens.size() - 1; end >= lowest + n; --end) {
    if (tokens[end - 1] != last) continue;
    if (std::equal(tail, tail + n, tokens.data() + end - n)) return end;
  }
  return 0;
}

}  // namespace

void propose_draft(std::span<const std::int32_t> tokens, std::uint32_t count, std::vector<std::int32_t>& draft) {
  if (count == 0) return;
  for (const std::size_t n : {std::size_t{3}, std::size_t{2}}) {
    const std::size_t at = find_last(tokens, n);
    if (at == 0) continue;
    const std::size_t take = std::min<std::size_t>(count, tokens.size() - at);
    draft.insert(draft.end(), tokens.begin() + static_cast<std::ptrdiff_t>(at),
                 tokens.begin() + static_cast<std::ptrdiff_t>(at + take));
    return;
  }
}

std::uint32_t DraftPolicy::length() {
  if (pause_left_ == 0) return length_;
  --pause_left_;
  return 0;
}

void DraftPolicy::learn(std::uint32_t drafted, std::uint32_t accepted, double step_ms, double plain_ms) {
  const double cost = step_ms > 0 && plain_ms > 0 ? std::clamp(step_ms / plain_ms - 1.0, 0.0, 4.0)
                                                  : assumed_cost * static_cast<double>(drafted);
  const double gain = static_cast<double>(accepted) - cost;
  gain_ = drafts_ == 0 ? gain : gain_ + 0.25 * (gain - gain_);
  ++drafts_;
  if (accepted == drafted) {
    length_ = std::min(length_ * 2, length_max_);
  } else {
    length_ = std::clamp<std::uint32_t>(accepted + 1, 1, length_max_);
  }
  if (gain_ >= 0) {
    next_pause_ = 8;
  } else if (drafts_ >= 2) {
    pause_left_ = next_pause_;
    next_pause_ = std::min(next_pause_ * 2, pause_max);
    gain_ = 0.0;
    drafts_ = 1;
  }
}

}  // namespace jackdaw::llm
