// 64 rows through whole forests, in portable vectors. Included once per instruction set; internal linkage throughout.
//
// Method (after RapidScorer's idea of comparing one node with many rows): trees outside, rows inside. Every node of a
// complete tree compares one byte column with one byte, 64 rows at once, whether rows visit the node or not, and the
// results are folded upwards: of a subtree of height h each row keeps the number of the leaf it would end in, and the
// parent picks left, or right + 2^(h-1). No gathers, no branches, no dependence on what is missing.
// Shapes: columns u8 [column][64], 64-byte aligned; sums [output][64].
#pragma once

#include "forest_key.h"

namespace jackdaw::kernels {
namespace {

template <int width>
struct Lanes {
  typedef std::uint8_t U8 __attribute__((vector_size(width)));
};

template <int width>
inline typename Lanes<width>::U8 load_lanes(const std::uint8_t* from) {
  typename Lanes<width>::U8 lanes;
  __builtin_memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

// For `width` rows: which of the 2^height leaves below node `index` each ends in.
template <int width, int height, int index>
inline typename Lanes<width>::U8 subtree_leaf(const BlockNode* nodes, const std::uint8_t* columns) {
  using U8 = typename Lanes<width>::U8;
  if constexpr (height == 0) {
    return U8{};
  } else {
    const U8 ranks = load_lanes<width>(columns + nodes[index].column_at);
    const U8 right_mask = (U8)(ranks > (U8{} + static_cast<std::uint8_t>(nodes[index].rank)));
    if constexpr (height == 1) {
      return right_mask & 1;
    } else {
      const U8 left = subtree_leaf<width, height - 1, 2 * index + 1>(nodes, columns);
      const U8 right = subtree_leaf<width, height - 1, 2 * index + 2>(nodes, columns);
      return (right_mask & (right | static_cast<std::uint8_t>(1 << (height - 1)))) | (~right_mask & left);
    }
  }
}

template <int width, int height>
inline void tree_leaves(const BlockNode* nodes, const std::uint8_t* columns, std::uint8_t* leaves) {
  for (std::uint32_t row = 0; row < forest_block_rows; row += width) {
    const auto lanes = subtree_leaf<width, height, 0>(nodes, columns + row);
    __builtin_memcpy(leaves + row, &lanes, sizeof(lanes));
  }
}

template <int width>
inline void tree_leaves_of(std::uint32_t depth, const BlockNode* nodes, const std::uint8_t* columns,
                           std::uint8_t* leaves) {
  switch (depth) {
    case 0:
      return tree_leaves<width, 0>(nodes, columns, leaves);
    case 1:
      return tree_leaves<width, 1>(nodes, columns, leaves);
    case 2:
      return tree_leaves<width, 2>(nodes, columns, leaves);
    case 3:
      return tree_leaves<width, 3>(nodes, columns, leaves);
    case 4:
      return tree_leaves<width, 4>(nodes, columns, leaves);
    case 5:
      return tree_leaves<width, 5>(nodes, columns, leaves);
    case 6:
      return tree_leaves<width, 6>(nodes, columns, leaves);
    case 7:
      return tree_leaves<width, 7>(nodes, columns, leaves);
    default:
      return tree_leaves<width, 8>(nodes, columns, leaves);
  }
}

// Eight rows go down the tail together; leaves loop to themselves, so a round that moves nobody is the last.
inline void walk_tail(const TailNode* nodes, const std::uint8_t* columns, std::uint32_t* at) {
  std::uint32_t moved = 1;
  while (moved != 0) {
    for (int step = 0; step < 2; ++step) {
      moved = 0;
#pragma GCC unroll 8
      for (std::uint32_t row = 0; row < 8; ++row) {
        const TailNode& node = nodes[at[row]];
        const std::uint8_t rank = columns[node.column * forest_block_rows + row];
        const std::uint32_t next = node.child + static_cast<std::uint32_t>(rank > node.rank);
        moved |= next ^ at[row];
        at[row] = next;
      }
    }
  }
}

template <typename Sum>
inline void add_deep_leaves(const BlockForest<Sum>& forest, const BlockTree& tree, const std::uint8_t* columns,
                            const std::uint8_t* leaves, Sum* sums) {
  const std::uint32_t* exits = forest.exits + tree.leaf_begin;
  Sum* out = sums + std::size_t{tree.output} * forest_block_rows;
  for (std::uint32_t begin = 0; begin < forest_block_rows; begin += 8) {
    std::uint32_t at[8];
    for (std::uint32_t row = 0; row < 8; ++row) at[row] = exits[leaves[begin + row]];
    walk_tail(forest.tail_nodes, columns + begin, at);
    for (std::uint32_t row = 0; row < 8; ++row) {
      const Sum* values = forest.tail_values + std::size_t{forest.tail_leaf[at[row]]} * forest.leaf_width;
      for (std::uint32_t k = 0; k < forest.leaf_width; ++k) out[k * forest_block_rows + begin + row] += values[k];
    }
  }
}

template <typename Sum>
inline void add_leaves(const BlockForest<Sum>& forest, const BlockTree& tree, const std::uint8_t* leaves, Sum* sums) {
  const Sum* values = forest.leaves + tree.leaf_begin;
  Sum* out = sums + std::size_t{tree.output} * forest_block_rows;
  for (std::uint32_t k = 0; k < forest.leaf_width; ++k) {
    for (std::uint32_t row = 0; row < forest_block_rows; ++row) out[row] += values[leaves[row]];
    values += std::size_t{1} << tree.depth;
    out += forest_block_rows;
  }
}

template <int width, typename Sum>
void score_block(const BlockForest<Sum>& forest, const std::uint8_t* columns, Sum* sums) {
  alignas(64) std::uint8_t leaves[forest_block_rows];
  for (std::size_t i = 0; i < forest.tree_count; ++i) {
    const BlockTree& tree = forest.trees[i];
    tree_leaves_of<width>(tree.depth, forest.nodes + tree.node_begin, columns, leaves);
    if (tree.deep) {
      add_deep_leaves(forest, tree, columns, leaves, sums);
    } else {
      add_leaves(forest, tree, leaves, sums);
    }
  }
}

template <typename X, typename Key>
void rank_feature(const RankPlan<X, Key>& plan, const RankFeature& feature, const X* rows, std::size_t n_rows,
                  std::size_t stride, std::uint8_t* columns) {
  std::uint32_t ranks[forest_block_rows];
  std::uint8_t nan[forest_block_rows];
  std::uint8_t zero[forest_block_rows];
  const Key* keys = plan.keys + feature.key_begin;
  for (std::uint32_t row = 0; row < forest_block_rows; ++row) {
    const X x = rows[(row < n_rows ? row : n_rows - 1) * stride + feature.feature];
    nan[row] = x != x;
    zero[row] = is_zero_or_nan(x);
    const Key key = key_of(nan[row] ? X{0} : x);
    std::uint32_t at = 1;
    for (std::uint32_t level = 0; level < feature.levels; ++level) at = 2 * at + (keys[at] < key);
    ranks[row] = at - (1u << feature.levels);
  }
  for (std::uint32_t c = feature.column_begin; c < feature.column_end; ++c) {
    const RankColumn& column = plan.columns[c];
    const bool zero_is_missing = column.fill == ColumnFill::zero_left || column.fill == ColumnFill::zero_right;
    const std::uint8_t* missing = zero_is_missing ? zero : nan;
    const bool right = column.fill == ColumnFill::nan_right || column.fill == ColumnFill::zero_right;
    std::uint8_t* out = columns + std::size_t{c} * forest_block_rows;
    for (std::uint32_t row = 0; row < forest_block_rows; ++row) {
      const std::uint32_t above = ranks[row] > column.first_rank ? ranks[row] - column.first_rank : 0;
      out[row] = static_cast<std::uint8_t>(above < 255 ? above : 255);
      if (missing[row] && column.fill != ColumnFill::nan_zero) out[row] = right ? 255 : 0;
    }
  }
}

template <typename X, typename Key>
void rank_block(const RankPlan<X, Key>& plan, const X* rows, std::size_t n_rows, std::size_t stride,
                std::uint8_t* columns) {
  for (std::size_t i = 0; i < plan.feature_count; ++i)
    rank_feature(plan, plan.features[i], rows, n_rows, stride, columns);
}

}  // namespace
}  // namespace jackdaw::kernels
