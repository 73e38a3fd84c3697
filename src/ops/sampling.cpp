#include "jackdaw/ops/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/ops/philox.h"
#include "src/ops/row_math.h"

namespace jackdaw::ops {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();
constexpr float largest_finite = std::numeric_limits<float>::max();
// vLLM's limit: a colder draw is greedy.
constexpr float coldest = 1e-5f;

bool in_row(std::span<const float> logits, std::int32_t token) {
  return token >= 0 && static_cast<std::size_t>(token) < logits.size();
}

float& at(std::span<float> logits, std::int32_t token) {
  return logits[static_cast<std::size_t>(token)];
}

// ---- log-probabilities of the raw row -----------------------------------------------------------------------------

struct RawRow {
  float max = 0;
  double log_sum = 0;  // of exp(logit - max)

  float logprob(float logit) const {
    if (!(logit > minus_infinity)) return minus_infinity;
    return static_cast<float>(static_cast<double>(std::min(logit, largest_finite)) - static_cast<double>(max) -
                              log_sum);
  }
};

RawRow describe(std::span<const float> logits) {
  RawRow raw;
  raw.max = std::min(row_max(logits).value, largest_finite);
  if (raw.max == minus_infinity) return raw;
  raw.log_sum = std::log(row_exp_sum(logits, raw.max, 1.0f));
  return raw;
}

// Fills logprob and rank of out.token, and the most likely tokens.
void score(std::span<const float> logits, std::int32_t top, SamplingScratch& scratch, Sampled& out) {
  const RawRow raw = describe(logits);
  const float own = in_row(logits, out.token) ? logits[static_cast<std::size_t>(out.token)] : minus_infinity;
  out.logprob = raw.logprob(own);
  out.rank = static_cast<std::uint32_t>(row_count_above(logits, std::isnan(own) ? minus_infinity : own)) + 1;
  if (top <= 0) return;
  row_top(logits, static_cast<std::size_t>(top), scratch.tokens);
  for (const std::int32_t token : scratch.tokens) {
    out.top.push_back({token, raw.logprob(logits[static_cast<std::size_t>(token)])});
  }
}

// ---- what changes the row before the draw -------------------------------------------------------------------------

void allow_only(std::span<float> logits, std::span<const std::int32_t> allowed, SamplingScratch& scratch) {
  std::vector<float>& kept = scratch.floats;
  const std::size_t base = kept.size();  // a copy of the raw row may stand in front
  for (const std::int32_t token : allowed) kept.push_back(in_row(logits, token) ? at(logits, token) : 0.0f);
  std::fill(logits.begin(), logits.end(), minus_infinity);
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (in_row(logits, allowed[i])) at(logits, allowed[i]) = kept[base + i];
  }
  kept.resize(base);
}

void apply_mask(std::span<float> logits, std::span<const std::uint32_t> mask) {
  for (std::size_t begin = 0; begin < logits.size(); begin += 32) {
    const std::uint32_t bits = begin / 32 < mask.size() ? mask[begin / 32] : 0u;
    if (bits == ~0u) continue;
    const std::size_t end = std::min(begin + 32, logits.size());
    for (std::size_t i = begin; i < end; ++i) {
      if ((bits >> (i - begin) & 1u) == 0) logits[i] = minus_infinity;
    }
  }
}

void apply_penalties(std::span<float> logits, const SamplingParameters& parameters,
                     std::span<const TokenCount> counts) {
  for (const TokenCount& seen : counts) {
    if (!in_row(logits, seen.token)) continue;
    float& logit = at(logits, seen.token);
    if (seen.in_prompt + seen.in_output != 0 && parameters.repetition_penalty != 1.0f) {
      logit = logit > 0 ? logit / parameters.repetition_penalty : logit * parameters.repetition_penalty;
    }
    if (seen.in_output == 0) continue;
    logit -= parameters.frequency_penalty * static_cast<float>(seen.in_output) + parameters.presence_penalty;
  }
}

void shape(std::span<float> logits, const SampleRow& row, SamplingScratch& scratch) {
  const SamplingParameters& parameters = *row.parameters;
  if (!parameters.allowed_tokens.empty()) allow_only(logits, parameters.allowed_tokens, scratch);
  if (!row.allowed_mask.empty()) apply_mask(logits, row.allowed_mask);
  for (const std::int32_t token : row.suppressed) {
    if (in_row(logits, token)) at(logits, token) = minus_infinity;
  }
  for (const auto& [token, bias] : parameters.logit_bias) {
    if (in_row(logits, token)) at(logits, token) += bias;
  }
  if (parameters.has_penalties()) apply_penalties(logits, parameters, row.counts);
}

// ---- the draw -----------------------------------------------------------------------------------------------------

// In (0, 1], with more bits than a vocabulary needs.
double draw_at(std::uint64_t seed, std::uint64_t position) {
  const PhiloxCounter words = philox_at(seed, position, 0);
  const std::uint64_t bits = (std::uint64_t{words[0]} << 21) ^ (words[1] >> 11);
  return (static_cast<double>(bits) + 1.0) * 0x1p-53;
}

// The first index at which the running sum of `weights` reaches u times their sum.
template <typename Weight>
std::size_t walk(std::size_t count, double target, const Weight& weight) {
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double w = weight(i);
    if (!(w > 0)) continue;
    sum += w;
    last = i;
    if (sum >= target) return i;
  }
  return last;  // rounding left the sum short
}

// No top_k, no top_p: walks the row by token id, whole blocks first.
std::int32_t draw_from_row(std::span<const float> weights, double target) {
  constexpr std::size_t block = 256;
  std::size_t last = 0;
  for (std::size_t begin = 0; begin < weights.size(); begin += block) {
    const std::span<const float> part = weights.subspan(begin, std::min(block, weights.size() - begin));
    const double sum = row_sum(part);
    if (!(sum > 0)) continue;
    last = begin;
    if (sum >= target) break;
    target -= sum;
  }
  const std::span<const float> part = weights.subspan(last, std::min(block, weights.size() - last));
  return static_cast<std::int32_t>(
      last + walk(part.size(), target, [&](std::size_t i) { return static_cast<double>(part[i]); }));
}

// Sorts `tokens` (heaviest first, lowest id among equals) as far as needed to gather `mass` and cuts the rest off.
void keep_mass(std::span<const float> weights, double mass, std::vector<std::int32_t>& tokens) {
  const auto heavier = [&](std::int32_t a, std::int32_t b) {
    const float x = weights[static_cast<std::size_t>(a)];
    const float y = weights[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  double sum = 0;
  std::size_t sorted = 0;
  for (std::size_t piece = 64; sorted < tokens.size(); piece *= 4) {
    const std::size_t end = std::min(sorted + piece, tokens.size());
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(sorted);
    const auto middle = tokens.begin() + static_cast<std::ptrdiff_t>(end);
    if (end < tokens.size()) std::nth_element(begin, middle, tokens.end(), heavier);
    std::sort(begin, middle, heavier);
    for (; sorted < end; ++sorted) {
      sum += static_cast<double>(weights[static_cast<std::size_t>(tokens[sorted])]);
      if (sum < mass) continue;
      tokens.resize(sorted + 1);
      return;
    }
  }
}

std::int32_t draw_from(std::span<const float> weights, std::span<const std::int32_t> tokens, double u) {
  const auto weight = [&](std::size_t i) { return static_cast<double>(weights[static_cast<std::size_t>(tokens[i])]); };
  double total = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) total += weight(i);
  return tokens[walk(tokens.size(), u * total, weight)];
}

void keep_likely(std::span<const float> weights, float floor, std::vector<std::int32_t>& tokens) {
  std::erase_if(tokens, [&](std::int32_t token) { return weights[static_cast<std::size_t>(token)] < floor; });
}

// top_k first: few candidates, whose logits become weights relative to the largest.
std::int32_t draw_top_k(std::span<float> logits, const SamplingParameters& parameters, float max, double u,
                        SamplingScratch& scratch) {
  std::vector<std::int32_t>& tokens = scratch.tokens;
  row_top(logits, static_cast<std::size_t>(parameters.top_k), tokens);
  std::vector<float>& few = scratch.floats;
  const std::size_t base = few.size();
  for (const std::int32_t token : tokens) few.push_back(std::min(at(logits, token), largest_finite));
  const std::span<float> weights = std::span(few).subspan(base);
  const double total = row_exp(weights, max, 1.0f / parameters.temperature);
  std::size_t kept = 0;
  double sum = 0;
  const double mass = parameters.top_p < 1.0f ? static_cast<double>(parameters.top_p) * total : total * 2;
  while (kept < tokens.size() && sum < mass && (kept == 0 || weights[kept] >= parameters.min_p)) {
    sum += static_cast<double>(weights[kept++]);
  }
  const std::size_t chosen = walk(kept, u * sum, [&](std::size_t i) { return static_cast<double>(weights[i]); });
  few.resize(base);
  return tokens[chosen];
}

std::int32_t draw(std::span<float> logits, const SampleRow& row, SamplingScratch& scratch) {
  const SamplingParameters& parameters = *row.parameters;
  const RowMax max = row_max(logits);
  if (max.value == minus_infinity) return 0;
  if (parameters.temperature < coldest || parameters.top_k == 1 || max.value > largest_finite) {
    return static_cast<std::int32_t>(max.index);
  }
  const double u = draw_at(parameters.seed, row.position);
  const auto vocabulary = static_cast<std::int64_t>(logits.size());
  if (parameters.top_k > 0 && parameters.top_k < vocabulary) {
    return draw_top_k(logits, parameters, max.value, u, scratch);
  }
  const double total = row_exp(logits, max.value, 1.0f / parameters.temperature);
  const bool nucleus = parameters.top_p < 1.0f;
  if (!nucleus && parameters.min_p <= 0.0f) return draw_from_row(logits, u * total);
  // What is lighter than this adds up to less than the mass that top_p leaves out.
  const double lightest =
      nucleus ? (1.0 - static_cast<double>(parameters.top_p)) * total / static_cast<double>(vocabulary) * 0.5
              : static_cast<double>(parameters.min_p);
  row_at_least(logits, static_cast<float>(lightest), scratch.tokens);
  if (nucleus) keep_mass(logits, static_cast<double>(parameters.top_p) * total, scratch.tokens);
  if (parameters.min_p > 0.0f) keep_likely(logits, std::min(parameters.min_p, 1.0f), scratch.tokens);
  return draw_from(logits, scratch.tokens, u);
}

bool row_is_dead(std::span<const float> logits) {
  return row_max(logits).value == minus_infinity;
}

}  // namespace

float uniform_at(std::uint64_t seed, std::uint64_t position, std::uint32_t stream) {
  return (static_cast<float>(philox_at(seed, position, stream)[0] >> 8) + 1.0f) * 0x1p-24f;
}

void sample_row(std::span<float> logits, const SampleRow& row, SamplingScratch& scratch, Sampled& out) {
  const SamplingParameters& parameters = *row.parameters;
  out.token = 0;
  out.logprob = 0.0f;
  out.rank = 0;
  out.top.clear();
  scratch.floats.clear();
  if (row.scored_token >= 0) {
    out.token = row.scored_token;
    return score(logits, parameters.top_logprobs, scratch, out);
  }
  const bool scored = parameters.top_logprobs >= 0;
  if (scored) scratch.floats.assign(logits.begin(), logits.end());
  shape(logits, row, scratch);
  out.token = draw(logits, row, scratch);
  if (scored) {
    const std::span<const float> raw = std::span<const float>(scratch.floats).first(logits.size());
    score(raw, parameters.top_logprobs, scratch, out);
  }
  if (scored && row_is_dead(logits)) out.logprob = minus_infinity;
}

}  // namespace jackdaw::ops
