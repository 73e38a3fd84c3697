// RowLayout: a forest laid out for one row at a time, eight trees interleaved.
//
// Eight neighbouring trees form a group. Where the deepest of them has at most 8 levels they are padded to complete
// trees; deeper groups use compact breadth-first nodes. Leaf values are added in tree order whatever the grouping.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "forest_categories.h"

namespace jackdaw::ops {

template <typename X, typename Sum>
class RowLayout {
 public:
  using Key = std::conditional_t<std::is_same_v<X, float>, std::int32_t, std::int64_t>;

  // The spec must have passed check_forest.
  RowLayout(const ForestSpec& spec, const Splits& splits, std::shared_ptr<const CategoryColumns> categories);

  // Adds every tree's leaf to out[0 .. n_outputs). Any thread; scratch is thread-local.
  void add_row(const X* row, Sum* out) const;

  std::size_t resident_bytes() const;
  // Estimated cost of one row, from the number of steps and columns (see README.md for where the constants come from).
  double row_ns() const;

 private:
  using PaddedNode = std::conditional_t<std::is_same_v<X, float>, kernels::PaddedNode32, kernels::PaddedNode64>;
  using SmallNode = kernels::CompactNode8;
  using WideNode = std::conditional_t<std::is_same_v<X, float>, kernels::CompactNode12, kernels::CompactNode16>;
  enum class Kind : std::uint8_t { padded, compact_small, compact_wide };

  struct Group {
    Kind kind;
    std::uint32_t depth;                         // Padded: of all eight trees.
    std::uint32_t tree_count;                    // Real ones; the rest repeat the last one and are not added.
    std::size_t tree_begin;                      // Index into outputs_.
    std::size_t node_begin;                      // Padded: of the first tree.
    std::size_t node_of[kernels::forest_lanes];  // Compact: first node of each tree.
    std::size_t slot_of[kernels::forest_lanes];  // First leaf slot of each tree.
  };

  void add_padded(Group& group, const SplitTree* trees);
  void add_compact(Group& group, const SplitTree* trees);
  template <typename Node>
  void push_compact(std::vector<Node>& nodes, const SplitTree& tree);
  void fill_keys(const X* row, Key* keys) const;
  void walk(const Group& group, const Key* keys, std::size_t* slots) const;
  void add_lazily(const X* row, const Key* keys, Sum* out) const;
  bool split_goes_right(const Split& split, const X* row, const Key* keys) const;

  std::uint32_t n_outputs_;
  std::uint32_t leaf_width_;
  std::vector<Sum> leaf_values_;             // leaf_width 1: by slot; wider: by leaf.
  std::vector<std::uint32_t> leaf_of_slot_;  // Only for wider leaves.
  std::vector<kernels::KeyColumn> columns_;
  std::shared_ptr<const CategoryColumns> categories_;
  std::vector<std::uint32_t> outputs_;  // By tree.
  std::vector<Group> groups_;
  std::vector<PaddedNode> padded_;
  std::vector<SmallNode> small_;
  std::vector<WideNode> wide_;
  // Where answering all categorical splits would cost more than the walk, trees are walked one by one and categories
  // are looked up where a row meets them.
  std::vector<SplitTree> lazy_trees_;
  double steps_ = 0;
};

extern template class RowLayout<float, float>;
extern template class RowLayout<float, double>;
extern template class RowLayout<double, double>;

}  // namespace jackdaw::ops
