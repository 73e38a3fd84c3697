// From a floating-point value to its key: an integer that orders like the number. Private to the kernels; internal
// linkage throughout, because some files that include it are compiled for newer instruction sets.
#pragma once

#include <cstdint>

#include "jackdaw/kernels/forest.h"

namespace jackdaw::kernels {
namespace {

[[maybe_unused]] inline std::int32_t key_of(float x) {
  const std::int32_t bits = __builtin_bit_cast(std::int32_t, x + 0.0f);  // -0 + 0 is 0.
  return bits ^ ((bits >> 31) & INT32_MAX);
}

[[maybe_unused]] inline std::int64_t key_of(double x) {
  const std::int64_t bits = __builtin_bit_cast(std::int64_t, x + 0.0);
  return bits ^ ((bits >> 63) & INT64_MAX);
}

// LightGBM's kZeroThreshold, a float constant (include/LightGBM/meta.h); comparing in double is exact for both widths.
[[maybe_unused]] inline bool is_zero_or_nan(double x) {
  constexpr double threshold = static_cast<double>(1e-35f);
  return !(x < -threshold || x > threshold);
}

}  // namespace
}  // namespace jackdaw::kernels
