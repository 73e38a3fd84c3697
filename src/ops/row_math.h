// Passes over a row of logits: the largest value, the sum of exponentials, the k largest. All are plain vector code for
// the baseline instruction set with one fixed order of additions, so that every CPU draws the same tokens.
//
// NaN counts as minus infinity everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jackdaw::ops {

struct RowMax {
  std::size_t index = 0;  // the lowest one among equals
  float value = 0.0f;     // -inf when no element is larger than that
};
RowMax row_max(std::span<const float> row);

// Sum of exp((x - max) * scale) over the row; `max` finite.
double row_exp_sum(std::span<const float> row, float max, float scale);
// row[i] = exp((row[i] - max) * scale), and the sum. Arguments above 0 count as 0, below -87 the result is 0.
double row_exp(std::span<float> row, float max, float scale);

double row_sum(std::span<const float> row);

// How many elements are larger than `value`.
std::size_t row_count_above(std::span<const float> row, float value);

// Ids of the `count` largest elements (fewer if the rest is -inf), largest first, lowest id among equals. Appends
// nothing else: `out` is overwritten.
void row_top(std::span<const float> row, std::size_t count, std::vector<std::int32_t>& out);

// Ids of the elements >= floor, ascending.
void row_at_least(std::span<const float> row, float floor, std::vector<std::int32_t>& out);

}  // namespace jackdaw::ops
