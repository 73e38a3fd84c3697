// The end of a step: from logits to tokens.
#include <algorithm>
#include <limits>

#include "src/ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

// Rows of which nothing but the largest logit matters.
bool is_plain_greedy(const SampleRow& row) {
  const SamplingParameters& p = *row.parameters;
  return p.temperature == 0.0f && p.top_logprobs < 0 && row.scored_token < 0 && p.logit_bias.empty() &&
         p.allowed_tokens.empty() && !p.has_penalties() && row.suppressed.empty() && row.allowed_mask.empty();
}

}  // namespace

// Plain greedy rows: every worker searches its share of the vocabulary. Other rows: a worker each, on a copy, because
// sampling changes logits that logits() shows.
void CpuExecutable::sample(std::span<Sampled> out, Worker& worker) {
  const std::size_t count = batch_.rows.size();
  const auto me = static_cast<std::size_t>(worker.index);
  const std::int64_t vocabulary = width(program_.logits);
  const Part part = worker.part(vocabulary, kernels::group_rows);
  bool searched = false;
  for (std::size_t r = 0; r < count; ++r) {
    if (!is_plain_greedy(batch_.rows[r])) continue;
    const float* const logits = row(program_.logits, static_cast<std::int64_t>(r)) + part.begin;
    best_[me][r] = kernels_.vector->largest(logits, static_cast<std::size_t>(part.end - part.begin));
    best_[me][r].index += static_cast<std::uint32_t>(part.begin);
    searched = true;
  }
  if (searched) worker.barrier();
  for (std::size_t r = me; r < count; r += static_cast<std::size_t>(worker.size)) {
    if (is_plain_greedy(batch_.rows[r])) {
      kernels::LargestElement best{-std::numeric_limits<float>::infinity(), 0};
      for (const auto& of_worker : best_) {
        if (of_worker[r].value > best.value) best = of_worker[r];
      }
      out[r] = Sampled{};
      out[r].token = static_cast<std::int32_t>(best.index);
      continue;
    }
    float* const copy = floats_at(layout_.logits_copy, worker.index);
    std::copy_n(row(program_.logits, static_cast<std::int64_t>(r)), vocabulary, copy);
    sample_row({copy, static_cast<std::size_t>(vocabulary)}, batch_.rows[r], sampling_[me], out[r]);
  }
}

}  // namespace jackdaw::ops
