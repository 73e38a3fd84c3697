// Forest kernels behind raw pointers: one row through eight interleaved trees, and 64 rows through whole forests.
//
// Everything is compared as integers. A feature's value becomes a *key*: its bits, reordered so that integer order is
// number order (-0 counts as 0), with missing values already sent to the lowest or highest key of its *column*. A
// column is one feature with one rule for missing values, so that a node needs no rule of its own.
// For 64-row blocks keys become *ranks*: how many of the feature's thresholds are <= x, cut into bytes of 255
// thresholds each. Bytes compare 64 at a time, whatever width the feature had.
//
// No allocation, no exceptions, callable from any thread. Callers guarantee every index; nothing is checked here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::kernels {

// What a column makes of a missing value. "left"/"right" is the side every split of the column sends it to.
enum class ColumnFill : std::uint8_t {
  nan_left,
  nan_right,
  nan_zero,   // NaN is 0.0.
  zero_left,  // NaN and |x| <= float(1e-35) are missing.
  zero_right,
};
inline constexpr int column_fill_count = 5;

struct KeyColumn {
  std::uint32_t feature;
  ColumnFill fill;
};

inline constexpr std::int32_t key_always_left_32 = INT32_MIN;   // A value every split sends left,
inline constexpr std::int32_t key_always_right_32 = INT32_MAX;  // and one every real split sends right.
inline constexpr std::int64_t key_always_left_64 = INT64_MIN;
inline constexpr std::int64_t key_always_right_64 = INT64_MAX;

// keys[i] = the key of row[columns[i].feature].
void forest_row_keys(const float* row, const KeyColumn* columns, std::size_t n_columns, std::int32_t* keys);
void forest_row_keys(const double* row, const KeyColumn* columns, std::size_t n_columns, std::int64_t* keys);

// ---- One row, eight trees at a time -------------------------------------------------------------------------------
inline constexpr std::uint32_t forest_lanes = 8;

// Complete trees: node i of a tree (from 1) has children 2i and 2i+1; key > last_left goes right. A tree of depth d
// takes 2^d nodes (the first is unused); eight trees lie one after the other. Depth 0 takes no nodes.
struct PaddedNode32 {
  std::int32_t last_left;
  std::uint32_t column;
};
struct PaddedNode64 {
  std::int64_t last_left;
  std::uint32_t column;
  std::uint32_t unused;
};
inline constexpr std::uint32_t forest_padded_depth_max = 8;

// leaves[t] = which of the 2^depth leaves tree t ends in.
void forest_walk_padded(const PaddedNode32* trees, std::uint32_t depth, const std::int32_t* keys,
                        std::uint32_t* leaves);
void forest_walk_padded(const PaddedNode64* trees, std::uint32_t depth, const std::int64_t* keys,
                        std::uint32_t* leaves);

// Compact trees: the right child follows the left one; leaves loop to themselves (last_left is the highest key, child
// is the node itself), so that trees of different depths walk together.
struct CompactNode8 {
  std::int32_t last_left;
  std::uint16_t column;
  std::uint16_t child;
};
struct CompactNode12 {
  std::int32_t last_left;
  std::uint32_t column;
  std::uint32_t child;
};
struct CompactNode16 {
  std::int64_t last_left;
  std::uint32_t column;
  std::uint32_t child;
};

// nodes[t] = the leaf node that the tree at trees[t] ends in.
void forest_walk_compact(const CompactNode8* const* trees, const std::int32_t* keys, std::uint32_t* nodes);
void forest_walk_compact(const CompactNode12* const* trees, const std::int32_t* keys, std::uint32_t* nodes);
void forest_walk_compact(const CompactNode16* const* trees, const std::int64_t* keys, std::uint32_t* nodes);

}  // namespace jackdaw::kernels
