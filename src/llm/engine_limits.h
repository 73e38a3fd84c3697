// EngineLimits: the numbers an engine runs with, all decided (none is 0 for "unknown").
#pragma once

#include <cstdint>

namespace jackdaw::llm {

struct EngineLimits {
  std::uint32_t vocabulary = 0;
  std::uint32_t max_model_len = 0;
  std::uint32_t max_num_seqs = 0;
  std::uint32_t max_num_batched_tokens = 0;
  std::uint32_t rows_max = 0;  // rows of logits in one step; at least max_num_seqs
  std::uint32_t pages = 0;
  std::uint32_t queue_max = 512;
  std::uint32_t speculative_tokens = 4;
  double itl_target_ms = 100.0;
  bool enable_prefix_caching = true;
};

}  // namespace jackdaw::llm
