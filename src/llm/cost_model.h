// CostModel: what steps cost on this machine with this model, learned from the steps themselves. It bounds prefill
// chunks so that running answers keep their inter-token latency, and tells how long a queue takes. Owner: the engine
// thread.
#pragma once

#include <cstdint>

namespace jackdaw::llm {

class CostModel {
 public:
  // One step with so many tokens of decode (drafts counted apart) and of prefill took `ms`.
  void learn(std::uint32_t decode_tokens, std::uint32_t draft_tokens, std::uint32_t prefill_tokens, double ms);

  // How many tokens of prefill leave a step with `decode_tokens` within `target_ms`; never less than `chunk_min`.
  std::uint32_t prefill_tokens_within(double target_ms, std::uint32_t decode_tokens) const;

  // A step of decode alone; 0 = not known yet.
  double decode_ms(std::uint32_t decode_tokens) const;
  double prefill_token_ms() const { return prefill_token_ms_; }

  static constexpr std::uint32_t chunk_min = 32;
  static constexpr std::uint32_t chunk_unknown = 128;  // before anything was measured

 private:
  // Steps of decode by batch size: 1, 2, 3-4, 5-8, ... 129 and more.
  static constexpr int sizes = 9;
  static int size_index(std::uint32_t decode_tokens);

  double decode_ms_[sizes] = {};
  double prefill_token_ms_ = 0;
};

}  // namespace jackdaw::llm
