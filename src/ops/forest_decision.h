// What one split says about one value, written for being obviously right. The reference walker asks it per node; the
// fast layouts only at build time or for categories.
#pragma once

#include <cmath>

#include "jackdaw/ops/forest.h"

namespace jackdaw::ops {

// LightGBM's kZeroThreshold, a float constant widened to double (include/LightGBM/meta.h).
inline constexpr double zero_threshold = static_cast<double>(1e-35f);

inline bool is_zero_or_nan(double x) {
  return std::isnan(x) || (x >= -zero_threshold && x <= zero_threshold);
}

inline bool category_goes_left(const ForestNode& node, const std::uint32_t* bits, double x) {
  if (std::isnan(x)) return node.default_left;
  const bool absent_goes_left = node.category_left_if_absent;
  if (node.invalid_category_is_absent && (x < 0 || x >= 16777216.0)) return absent_goes_left;
  if (x <= -1.0) return node.default_left;  // Truncation makes 0 of (-1, 0), as the libraries' casts do.
  if (x >= 2147483648.0) return absent_goes_left;
  const auto category = static_cast<std::uint32_t>(static_cast<std::int64_t>(x));
  if (category / 32 >= node.category_words) return absent_goes_left;
  const bool present = (bits[node.category_begin + category / 32] >> (category % 32)) & 1u;
  return present != absent_goes_left;
}

inline bool goes_left(const ForestSpec& spec, const ForestNode& node, double x) {
  if (node.categorical) return category_goes_left(node, spec.category_bits.data(), x);
  switch (node.missing) {
    case Missing::nan_default:
      if (std::isnan(x)) return node.default_left;
      break;
    case Missing::nan_as_zero:
      if (std::isnan(x)) x = 0.0;
      break;
    case Missing::zero_or_nan_default:
      if (is_zero_or_nan(x)) return node.default_left;
      break;
  }
  return spec.compare == ForestSpec::Compare::less ? x < node.threshold : x <= node.threshold;
}

}  // namespace jackdaw::ops
