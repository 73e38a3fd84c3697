// One row through eight trees. Shapes: 8 complete trees of one depth, or 8 compact trees of any depth.
//
// Layout: 8-byte nodes for 32-bit keys (16 for 64-bit ones); the walk is branch-free and its eight chains of loads
// overlap, which is what hides the latency of L1 and L2. Depth is a template parameter so that the eight trees are
// constant displacements from one base register.
#include "forest_key.h"

namespace jackdaw::kernels {
namespace {

template <typename X, typename Key>
void row_keys(const X* row, const KeyColumn* columns, std::size_t n_columns, Key* keys, Key lowest, Key highest) {
  for (std::size_t i = 0; i < n_columns; ++i) {
    const X x = row[columns[i].feature];
    const bool nan = x != x;
    const Key key = key_of(nan ? X{0} : x);
    switch (columns[i].fill) {
      case ColumnFill::nan_left:
        keys[i] = nan ? lowest : key;
        break;
      case ColumnFill::nan_right:
        keys[i] = nan ? highest : key;
        break;
      case ColumnFill::nan_zero:
        keys[i] = key;
        break;
      case ColumnFill::zero_left:
        keys[i] = is_zero_or_nan(x) ? lowest : key;
        break;
      case ColumnFill::zero_right:
        keys[i] = is_zero_or_nan(x) ? highest : key;
        break;
    }
  }
}

template <std::uint32_t depth, typename Node, typename Key>
void walk_padded(const Node* trees, const Key* keys, std::uint32_t* leaves) {
  std::uint32_t at[forest_lanes] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (std::uint32_t level = 0; level < depth; ++level) {
#pragma GCC unroll 8
    for (std::uint32_t t = 0; t < forest_lanes; ++t) {
      const Node& node = trees[(t << depth) + at[t]];
      at[t] = 2 * at[t] + static_cast<std::uint32_t>(keys[node.column] > node.last_left);
    }
  }
#pragma GCC unroll 8
  for (std::uint32_t t = 0; t < forest_lanes; ++t) leaves[t] = at[t] - (1u << depth);
}

template <typename Node, typename Key>
void walk_padded_of(const Node* trees, std::uint32_t depth, const Key* keys, std::uint32_t* leaves) {
  switch (depth) {
    case 0:
      return walk_padded<0>(trees, keys, leaves);
    case 1:
      return walk_padded<1>(trees, keys, leaves);
    case 2:
      return walk_padded<2>(trees, keys, leaves);
    case 3:
      return walk_padded<3>(trees, keys, leaves);
    case 4:
      return walk_padded<4>(trees, keys, leaves);
    case 5:
      return walk_padded<5>(trees, keys, leaves);
    case 6:
      return walk_padded<6>(trees, keys, leaves);
    case 7:
      return walk_padded<7>(trees, keys, leaves);
    default:
      return walk_padded<8>(trees, keys, leaves);
  }
}

template <typename Node, typename Key>
inline std::uint32_t step_compact(const Node& node, const Key* keys) {
  return node.child + static_cast<std::uint32_t>(keys[node.column] > node.last_left);
}

// Leaves loop to themselves, so a step that moves nobody says that all eight trees are at their leaves. Asking after
// every fourth step only costs less than the steps it wastes.
template <typename Node, typename Key>
void walk_compact(const Node* const* trees, const Key* keys, std::uint32_t* nodes) {
  std::uint32_t at[forest_lanes] = {};
  std::uint32_t moved = 1;
  while (moved != 0) {
#pragma GCC unroll 3
    for (int step = 0; step < 3; ++step) {
#pragma GCC unroll 8
      for (std::uint32_t t = 0; t < forest_lanes; ++t) at[t] = step_compact(trees[t][at[t]], keys);
    }
    moved = 0;
#pragma GCC unroll 8
    for (std::uint32_t t = 0; t < forest_lanes; ++t) {
      const std::uint32_t next = step_compact(trees[t][at[t]], keys);
      moved |= next ^ at[t];
      at[t] = next;
    }
  }
#pragma GCC unroll 8
  for (std::uint32_t t = 0; t < forest_lanes; ++t) nodes[t] = at[t];
}

}  // namespace

void forest_row_keys(const float* row, const KeyColumn* columns, std::size_t n_columns, std::int32_t* keys) {
  row_keys(row, columns, n_columns, keys, key_always_left_32, key_always_right_32);
}
void forest_row_keys(const double* row, const KeyColumn* columns, std::size_t n_columns, std::int64_t* keys) {
  row_keys(row, columns, n_columns, keys, key_always_left_64, key_always_right_64);
}

void forest_walk_padded(const PaddedNode32* trees, std::uint32_t depth, const std::int32_t* keys,
                        std::uint32_t* leaves) {
  walk_padded_of(trees, depth, keys, leaves);
}
void forest_walk_padded(const PaddedNode64* trees, std::uint32_t depth, const std::int64_t* keys,
                        std::uint32_t* leaves) {
  walk_padded_of(trees, depth, keys, leaves);
}

void forest_walk_compact(const CompactNode8* const* trees, const std::int32_t* keys, std::uint32_t* nodes) {
  walk_compact(trees, keys, nodes);
}
void forest_walk_compact(const CompactNode12* const* trees, const std::int32_t* keys, std::uint32_t* nodes) {
  walk_compact(trees, keys, nodes);
}
void forest_walk_compact(const CompactNode16* const* trees, const std::int64_t* keys, std::uint32_t* nodes) {
  walk_compact(trees, keys, nodes);
}

}  // namespace jackdaw::kernels
