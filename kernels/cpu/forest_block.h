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
      return right_mask ? (right | static_cast<std::uint8_t>(1 << (height - 1))) : left;
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
void score_blocks(const BlockForest<Sum>& forest, const BlockBatch<Sum>& batch) {
  alignas(64) std::uint8_t leaves[forest_block_rows];
  for (std::size_t i = 0; i < forest.tree_count; ++i) {
    const BlockTree& tree = forest.trees[i];
    for (std::size_t block = 0; block < batch.block_count; ++block) {
      const std::uint8_t* columns = batch.columns + block * batch.column_stride;
      Sum* sums = batch.sums + block * batch.sum_stride;
      tree_leaves_of<width>(tree.depth, forest.nodes + tree.node_begin, columns, leaves);
      if (tree.deep) {
        add_deep_leaves(forest, tree, columns, leaves, sums);
      } else {
        add_leaves(forest, tree, leaves, sums);
      }
    }
  }
}

// ranks[row] = thresholds below key[row]. Eight searches run together, or each would wait for its own loads.
template <typename Key>
inline void search_ranks(const Key* keys, std::uint32_t levels, const Key* key, std::uint32_t* ranks) {
  for (std::uint32_t begin = 0; begin < forest_block_rows; begin += 8) {
    std::uint32_t at[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (std::uint32_t level = 0; level < levels; ++level) {
#pragma GCC unroll 8
      for (std::uint32_t row = 0; row < 8; ++row)
        at[row] = 2 * at[row] + static_cast<std::uint32_t>(keys[at[row]] < key[begin + row]);
    }
    for (std::uint32_t row = 0; row < 8; ++row) ranks[begin + row] = at[row] - (1u << levels);
  }
}

inline void write_ranks(const std::uint32_t* ranks, std::uint32_t first_rank, std::uint8_t* out) {
  for (std::uint32_t row = 0; row < forest_block_rows; ++row) {
    const std::uint32_t above = (ranks[row] > first_rank ? ranks[row] : first_rank) - first_rank;
    out[row] = static_cast<std::uint8_t>(above < 255 ? above : 255);
  }
}

// `missing`: 255 where the value is missing.
inline void fill_missing(const std::uint8_t* missing, std::uint8_t fill, std::uint8_t* out) {
  for (std::uint32_t row = 0; row < forest_block_rows; ++row)
    out[row] = static_cast<std::uint8_t>((out[row] & ~missing[row]) | (fill & missing[row]));
}

// Keys with NaN as zero, and masks of what is missing; all on bits, because a branch on NaN would be mispredicted.
template <typename X, typename Key>
inline void split_values(const X* value, Key* key, std::uint8_t* nan, std::uint8_t* zero) {
  constexpr Key magnitude_bits = sizeof(Key) == 4 ? static_cast<Key>(INT32_MAX) : static_cast<Key>(INT64_MAX);
  constexpr Key infinity = __builtin_bit_cast(Key, static_cast<X>(__builtin_inf()));
  constexpr Key zero_threshold = __builtin_bit_cast(Key, static_cast<X>(1e-35f));
  for (std::uint32_t row = 0; row < forest_block_rows; ++row) {
    const Key bits = __builtin_bit_cast(Key, value[row] + X{0});  // -0 + 0 is 0.
    const Key magnitude = bits & magnitude_bits;
    const Key nan_mask = -static_cast<Key>(magnitude > infinity);
    key[row] = (bits ^ ((bits >> (8 * sizeof(Key) - 1)) & magnitude_bits)) & ~nan_mask;
    nan[row] = static_cast<std::uint8_t>(nan_mask);
    zero[row] = static_cast<std::uint8_t>(nan_mask | -static_cast<Key>(magnitude <= zero_threshold));
  }
}

template <typename X, typename Key>
void rank_feature(const RankPlan<X, Key>& plan, const RankFeature& feature, const X* rows, std::size_t n_rows,
                  std::size_t stride, std::uint8_t* columns) {
  X value[forest_block_rows];
  Key key[forest_block_rows];
  std::uint32_t ranks[forest_block_rows];
  std::uint8_t nan[forest_block_rows];
  std::uint8_t zero[forest_block_rows];
  for (std::uint32_t row = 0; row < forest_block_rows; ++row)
    value[row] = rows[(row < n_rows ? row : n_rows - 1) * stride + feature.feature];
  split_values(value, key, nan, zero);
  search_ranks(plan.keys + feature.key_begin, feature.levels, key, ranks);
  for (std::uint32_t c = feature.column_begin; c < feature.column_end; ++c) {
    const RankColumn& column = plan.columns[c];
    std::uint8_t* out = columns + std::size_t{c} * forest_block_rows;
    write_ranks(ranks, column.first_rank, out);
    switch (column.fill) {
      case ColumnFill::nan_left:
        fill_missing(nan, 0, out);
        break;
      case ColumnFill::nan_right:
        fill_missing(nan, 255, out);
        break;
      case ColumnFill::nan_zero:
        break;
      case ColumnFill::zero_left:
        fill_missing(zero, 0, out);
        break;
      case ColumnFill::zero_right:
        fill_missing(zero, 255, out);
        break;
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
