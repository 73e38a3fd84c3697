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

// ---- 64 rows at a time --------------------------------------------------------------------------------------------
inline constexpr std::uint32_t forest_block_rows = 64;

// A byte column holds, for each of the 64 rows, how many thresholds of the feature with index >= first_rank lie below
// the row's key, at most 255. A missing value is 0 (left of everything) or 255 (right of everything).
struct RankColumn {
  std::uint32_t first_rank;
  ColumnFill fill;
};
// The thresholds (last_left, ascending, distinct) of one feature as a search tree: entry i has children 2i and 2i+1,
// entry 0 is unused, 2^levels entries, padded at the end with the highest key and to at least 16 entries.
struct RankFeature {
  std::uint32_t feature;
  std::uint32_t levels;
  std::size_t key_begin;
  std::uint32_t column_begin;  // Its byte columns are [column_begin, column_end).
  std::uint32_t column_end;
};

template <typename X, typename Key>
struct RankPlan {
  const RankFeature* features;
  std::size_t feature_count;
  const Key* keys;
  const RankColumn* columns;
};
using RankPlan32 = RankPlan<float, std::int32_t>;
using RankPlan64 = RankPlan<double, std::int64_t>;

// A complete tree in breadth-first order: node i (from 0) has children 2i+1 and 2i+2; a row goes right iff its byte in
// the column is above the rank. `rank` holds the byte four times over; `column_at` is 64 x the column.
struct BlockNode {
  std::uint32_t column_at;
  std::uint32_t rank;
};
// Below a complete top, deep trees go on in compact nodes, siblings adjacent; a leaf loops to itself (rank 255).
struct TailNode {
  std::uint32_t child;  // Index into the forest's tail nodes.
  std::uint16_t column;
  std::uint8_t rank;
  std::uint8_t unused;
};
inline constexpr std::uint32_t forest_block_depth_max = 8;

struct BlockTree {
  std::size_t node_begin;
  std::size_t leaf_begin;  // Complete: leaf vectors as [leaf_width][2^depth]. Deep: 2^depth entries of `exits`.
  std::uint32_t depth;     // Of the complete part, at most forest_block_depth_max.
  std::uint32_t output;
  bool deep;
};

template <typename Sum>
struct BlockForest {
  const BlockTree* trees;
  std::size_t tree_count;
  std::uint32_t leaf_width;
  const BlockNode* nodes;
  const Sum* leaves;           // Of complete trees.
  const std::uint32_t* exits;  // Deep trees: where the top's leaves go on.
  const TailNode* tail_nodes;
  const std::uint32_t* tail_leaf;  // By tail node: its leaf.
  const Sum* tail_values;          // By leaf: leaf_width values.
};

// Several blocks of 64 rows: block b has its byte columns at columns + b * column_stride (64-byte aligned) and its sums
// at sums + b * sum_stride. Trees are the outer loop, so that each is read from L2 once for all blocks.
template <typename Sum>
struct BlockBatch {
  std::size_t block_count;
  const std::uint8_t* columns;
  std::size_t column_stride;
  Sum* sums;  // [output][64]
  std::size_t sum_stride;
};

// One implementation per instruction set; all give the same bits. `rows`: n_rows (1..64) rows, `stride` elements apart;
// byte columns of missing rows are filled with something harmless.
struct ForestBlockKernels {
  void (*rank32)(const RankPlan32& plan, const float* rows, std::size_t n_rows, std::size_t stride,
                 std::uint8_t* columns);
  void (*rank64)(const RankPlan64& plan, const double* rows, std::size_t n_rows, std::size_t stride,
                 std::uint8_t* columns);
  void (*score32)(const BlockForest<float>& forest, const BlockBatch<float>& batch);
  void (*score64)(const BlockForest<double>& forest, const BlockBatch<double>& batch);
};

// The caller asks the CPU first; null where this build has no such kernels.
const ForestBlockKernels* forest_block_plain();
const ForestBlockKernels* forest_block_avx2();
const ForestBlockKernels* forest_block_avx512();

// rows: 64 pointers to n_columns bits each, bit i in byte i / 8. columns[i * 64 + row] = 255 where bit i is set, else
// 0.
void forest_bit_columns(const std::uint8_t* const* rows, std::size_t n_columns, std::uint8_t* columns);

}  // namespace jackdaw::kernels
