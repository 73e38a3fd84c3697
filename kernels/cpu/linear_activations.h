// Activations to int8 blocks, plain or behind an RMSNorm, for any vector width: compiled once per instruction set, with
// a `Sixteen` that holds 16 consecutive elements of a row.
#pragma once

#include <cstdint>

#include "linear_tile.h"

namespace jackdaw::kernels {
namespace {

// Below this magnitude a block counts as zeros: 127 / magnitude must stay finite.
constexpr float block_magnitude_min = 1e-30f;
constexpr std::uint32_t infinity_bits = 0x7f800000;

JACKDAW_INLINE float float_of_bits(std::uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

JACKDAW_INLINE void set_sums(ActivationBlock& block, std::int32_t low, std::int32_t high) {
  block.sum = block.scale * static_cast<float>(low + high);
  block.sum_low = block.scale * static_cast<float>(low);
  block.sum_high = block.scale * static_cast<float>(high);
  block.minus_8 = -8 * (low + high);
  block.minus_128 = -128 * (low + high);
  block.minus_32_low = -32 * low;
  block.minus_32_high = -32 * high;
}

template <typename Sixteen>
JACKDAW_INLINE void quantize_block(const Sixteen& low, const Sixteen& high, ActivationBlock& block) {
  const std::uint32_t bits = Sixteen::magnitude_bits(low, high);
  const float magnitude = float_of_bits(bits);
  const bool finite = bits < infinity_bits;
  const bool plain = finite && magnitude >= block_magnitude_min;
  const float inverse = plain ? 127.0f / magnitude : 0.0f;
  block.scale = plain ? magnitude / 127.0f : finite ? 0.0f : __builtin_nanf("");
  if (!finite) {
    __builtin_memset(block.values, 0, sizeof(block.values));
    set_sums(block, 0, 0);
    return;
  }
  const std::int32_t sum_low = low.round_to(inverse, block.values);
  const std::int32_t sum_high = high.round_to(inverse, block.values + 16);
  set_sums(block, sum_low, sum_high);
}

template <typename Sixteen>
void quantize_rows_of(const ActivationRows& rows) {
  for (std::int64_t t = 0; t < rows.tokens; ++t) {
    const float* in = rows.in + t * rows.in_stride;
    auto* out = reinterpret_cast<ActivationBlock*>(static_cast<unsigned char*>(rows.out) +
                                                   static_cast<std::size_t>(t) * rows.stride);
    for (std::int64_t k = 0; k < rows.columns; k += block_columns) {
      quantize_block(Sixteen::load(in + k), Sixteen::load(in + k + 16), *out++);
    }
  }
}

template <typename Sixteen>
void normalize_rows_of(const ActivationRows& rows, const float* weight, float eps) {
  for (std::int64_t t = 0; t < rows.tokens; ++t) {
    const float* in = rows.in + t * rows.in_stride;
    auto* out = reinterpret_cast<ActivationBlock*>(static_cast<unsigned char*>(rows.out) +
                                                   static_cast<std::size_t>(t) * rows.stride);
    Sixteen squares = Sixteen::zero();
    for (std::int64_t k = 0; k < rows.columns; k += 16) squares.add_square(Sixteen::load(in + k));
    const float mean = squares.total() / static_cast<float>(rows.columns);
    const float factor = 1.0f / __builtin_sqrtf(mean + eps);
    for (std::int64_t k = 0; k < rows.columns; k += block_columns) {
      quantize_block(Sixteen::load(in + k).times(factor).times(Sixteen::load(weight + k)),
                     Sixteen::load(in + k + 16).times(factor).times(Sixteen::load(weight + k + 16)), *out++);
    }
  }
}

}  // namespace
}  // namespace jackdaw::kernels
