// Speculation by prompt lookup: the tokens that followed the last occurrence of the latest n-gram are proposed as a
// draft, and a step that costs little more than one token's verifies them all.
//
// A DraftPolicy belongs to one sequence and decides how long drafts may be: it grows with success, shrinks with failure
// and pauses for longer and longer when drafts cost more time than they win. Owner: the engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace jackdaw::llm {

// Appends at most `count` tokens to `draft`: what followed the most recent earlier occurrence of the last 3 tokens
// (then of the last 2) among the last 8,192 tokens.
void propose_draft(std::span<const std::int32_t> tokens, std::uint32_t count, std::vector<std::int32_t>& draft);

class DraftPolicy {
 public:
  explicit DraftPolicy(std::uint32_t length_max) : length_max_(length_max), length_(length_max < 2 ? length_max : 2) {}

  // How long a draft this step may have; 0 while pausing. Call once per step in which a draft is possible.
  std::uint32_t length();
  // What became of a draft. `step_ms` and `plain_ms`: what the step took and what one without a draft takes; 0 when
  // not known yet.
  void learn(std::uint32_t drafted, std::uint32_t accepted, double step_ms, double plain_ms);

 private:
  std::uint32_t length_max_;
  std::uint32_t length_;
  std::uint32_t pause_left_ = 0;
  std::uint32_t next_pause_ = 8;
  double gain_ = 0.0;  // running mean of (tokens won) - (their cost in plain steps)
  std::uint32_t drafts_ = 0;
};

}  // namespace jackdaw::llm
