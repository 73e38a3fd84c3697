// TokenCounts: how often each token has appeared in a sequence, for penalties. Owner: the engine thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/ops/sampling.h"

namespace jackdaw::llm {

class TokenCounts {
 public:
  void count_prompt(std::span<const std::int32_t> prompt) {
    std::vector<std::int32_t> sorted(prompt.begin(), prompt.end());
    std::sort(sorted.begin(), sorted.end());
    counts_.clear();
    for (const std::int32_t token : sorted) {
      if (counts_.empty() || counts_.back().token != token) counts_.push_back({token, 0, 0});
      ++counts_.back().in_prompt;
    }
  }

  void count_output(std::int32_t token) {
    auto at = std::lower_bound(counts_.begin(), counts_.end(), token,
                               [](const ops::TokenCount& count, std::int32_t value) { return count.token < value; });
    if (at == counts_.end() || at->token != token) at = counts_.insert(at, {token, 0, 0});
    ++at->in_output;
  }

  std::span<const ops::TokenCount> counts() const { return counts_; }

 private:
  std::vector<ops::TokenCount> counts_;  // ascending tokens
};

}  // namespace jackdaw::llm
