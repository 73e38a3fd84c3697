// The arithmetic of the reference backend on single rows: plain loops, sums in double, rounded to float once per op.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/program.h"

namespace jackdaw::ops::reference {

double dot(std::span<const float> a, std::span<const float> b);

// out = in / sqrt(mean(in^2) + eps) * weight; `weight` may be empty (all ones).
void rms_norm(std::span<const float> in, std::span<const float> weight, float eps, std::span<float> out);

float activate(float x, Activation activation);

// Turns one head in place.
void rotate(std::span<float> head, const Rope& rope, std::uint32_t position);

// Rounds to what the cache would give back. q8_0: blocks of 32 within the head, scale = largest magnitude / 127 as f16.
// A value that is none of the enumerators leaves it as it is: for comparisons in which rounding would hide mistakes.
void round_to(KvEncoding encoding, std::span<float> head);

// In place; `sink` joins the denominator only (-infinity = none).
void softmax(std::span<double> scores, double sink);

// The experts of one token, the heaviest first (the lower number among equals), with their weights.
struct Choice {
  std::uint32_t expert = 0;
  double weight = 0.0;
};
std::vector<Choice> choose_experts(std::span<const float> router_logits, const Experts& op);

}  // namespace jackdaw::ops::reference
