// Splits: a checked ForestSpec in one neutral form that every fast layout is made from.
//
// Trees are in breadth-first order with siblings adjacent (right = left + 1), unreachable nodes are gone, and a numeric
// split is "key > last_left goes right" on a column (a feature with one rule for missing values). A categorical split
// is a column of its own, whose key is lowest (left) or highest (right).
#pragma once

#include <vector>

#include "jackdaw/kernels/forest.h"
#include "jackdaw/ops/forest.h"

namespace jackdaw::ops {

struct Split {
  std::int64_t last_left = 0;  // In 32-bit keys when features are f32, in 64-bit keys otherwise.
  std::uint32_t column = 0;
  std::uint32_t left = 0;  // 0: a leaf (the root is nobody's child).
  std::uint32_t leaf = 0;
};

struct SplitTree {
  std::vector<Split> splits;
  std::uint32_t depth = 0;
  std::uint32_t output = 0;
};

struct Splits {
  std::vector<kernels::KeyColumn> columns;  // Numeric columns 0..; then one column per distinct categorical split.
  // The categorical splits, columns.size() + i, ordered by feature; feature and bits as in the spec.
  std::vector<ForestNode> categories;
  std::vector<SplitTree> trees;

  std::size_t column_count() const { return columns.size() + categories.size(); }
};

// `depths` comes from check_forest.
Splits make_splits(const ForestSpec& spec, const std::vector<std::uint32_t>& depths);

// Keys of thresholds, for tests: x goes right iff key(x) > last_left.
std::int64_t last_left_32(double threshold, ForestSpec::Compare compare);
std::int64_t last_left_64(double threshold, ForestSpec::Compare compare);

}  // namespace jackdaw::ops
