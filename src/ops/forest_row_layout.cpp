#include "forest_row_layout.h"

#include <algorithm>
#include <bit>

namespace jackdaw::ops {
namespace {

constexpr std::size_t eager_categories_max = 4096;

template <typename Key>
constexpr Key lowest_key = std::is_same_v<Key, std::int32_t> ? Key(kernels::key_always_left_32)
                                                             : Key(kernels::key_always_left_64);
template <typename Key>
constexpr Key highest_key = std::is_same_v<Key, std::int32_t> ? Key(kernels::key_always_right_32)
                                                              : Key(kernels::key_always_right_64);

// Keys of the row at hand. Grows to the widest forest this thread has met; 16 bytes per column at most.
template <typename Key>
Key* key_scratch(std::size_t count) {
  thread_local std::vector<Key> keys;
  if (keys.size() < count) keys.resize(count);
  return keys.data();
}

template <typename Node>
std::size_t bytes_of(const std::vector<Node>& nodes) {
  return nodes.capacity() * sizeof(Node);
}

}  // namespace

template <typename X, typename Sum>
RowLayout<X, Sum>::RowLayout(const ForestSpec& spec, const Splits& splits,
                             std::shared_ptr<const CategoryColumns> categories)
    : n_outputs_(spec.n_outputs),
      leaf_width_(spec.leaf_width),
      columns_(splits.columns),
      categories_(std::move(categories)) {
  for (const SplitTree& tree : splits.trees) {
    outputs_.push_back(tree.output);
    steps_ += 1 + std::min<double>(tree.depth, 2.0 * std::bit_width(tree.splits.size()));
  }
  leaf_values_.reserve(spec.leaf_values.size());
  for (const double value : spec.leaf_values) leaf_values_.push_back(static_cast<Sum>(value));
  if (!categories_->cheap() || categories_->count() > eager_categories_max) {
    lazy_trees_ = splits.trees;
    return;
  }
  const std::vector<Sum> by_leaf = leaf_width_ == 1 ? std::move(leaf_values_) : std::vector<Sum>{};
  if (leaf_width_ == 1) leaf_values_.clear();
  for (std::size_t begin = 0; begin < splits.trees.size(); begin += kernels::forest_lanes) {
    Group group{};
    group.tree_begin = begin;
    group.tree_count =
        static_cast<std::uint32_t>(std::min<std::size_t>(kernels::forest_lanes, splits.trees.size() - begin));
    for (std::uint32_t t = 0; t < group.tree_count; ++t)
      group.depth = std::max(group.depth, splits.trees[begin + t].depth);
    if (group.depth <= kernels::forest_padded_depth_max) {
      add_padded(group, &splits.trees[begin]);
    } else {
      add_compact(group, &splits.trees[begin]);
    }
    groups_.push_back(group);
  }
  if (leaf_width_ == 1) {
    leaf_values_.reserve(leaf_of_slot_.size());
    for (const std::uint32_t leaf : leaf_of_slot_) leaf_values_.push_back(by_leaf[leaf]);
    leaf_of_slot_ = {};
  }
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::add_padded(Group& group, const SplitTree* trees) {
  group.kind = Kind::padded;
  group.node_begin = padded_.size();
  const std::size_t width = std::size_t{1} << group.depth;
  for (std::uint32_t t = 0; t < kernels::forest_lanes; ++t) {
    const std::vector<Split>& splits = trees[std::min(t, group.tree_count - 1)].splits;
    group.slot_of[t] = leaf_of_slot_.size();
    std::vector<std::uint32_t> level{0};  // The split at each place of the level; a leaf repeats itself downwards.
    padded_.push_back({highest_key<Key>, 0});
    for (std::uint32_t depth = 0; depth < group.depth; ++depth) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t at : level) {
        const Split& split = splits[at];
        const bool leaf = split.left == 0;
        padded_.push_back({leaf ? highest_key<Key> : static_cast<Key>(split.last_left), leaf ? 0 : split.column});
        next.push_back(leaf ? at : split.left);
        next.push_back(leaf ? at : split.left + 1);
      }
      level = std::move(next);
    }
    CHECK(level.size() == width);
    for (const std::uint32_t at : level) leaf_of_slot_.push_back(splits[at].leaf);
  }
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::add_compact(Group& group, const SplitTree* trees) {
  std::size_t largest = 0;
  for (std::uint32_t t = 0; t < group.tree_count; ++t) largest = std::max(largest, trees[t].splits.size());
  const std::size_t column_count = columns_.size() + categories_->count();
  const bool small = std::is_same_v<X, float> && largest <= 65536 && column_count <= 65536;
  group.kind = small ? Kind::compact_small : Kind::compact_wide;
  for (std::uint32_t t = 0; t < group.tree_count; ++t) {
    group.node_of[t] = small ? small_.size() : wide_.size();
    group.slot_of[t] = leaf_of_slot_.size();
    for (const Split& split : trees[t].splits) leaf_of_slot_.push_back(split.leaf);
    if (small) {
      push_compact(small_, trees[t]);
    } else {
      push_compact(wide_, trees[t]);
    }
  }
  for (std::uint32_t t = group.tree_count; t < kernels::forest_lanes; ++t) {
    group.node_of[t] = group.node_of[group.tree_count - 1];
    group.slot_of[t] = group.slot_of[group.tree_count - 1];
  }
}

template <typename X, typename Sum>
template <typename Node>
void RowLayout<X, Sum>::push_compact(std::vector<Node>& nodes, const SplitTree& tree) {
  using NodeKey = decltype(Node::last_left);
  using Column = decltype(Node::column);
  using Child = decltype(Node::child);
  for (std::size_t i = 0; i < tree.splits.size(); ++i) {
    const Split& split = tree.splits[i];
    if (split.left == 0) {
      nodes.push_back({highest_key<NodeKey>, 0, static_cast<Child>(i)});
    } else {
      nodes.push_back(
          {static_cast<NodeKey>(split.last_left), static_cast<Column>(split.column), static_cast<Child>(split.left)});
    }
  }
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::fill_keys(const X* row, Key* keys) const {
  kernels::forest_row_keys(row, columns_.data(), columns_.size(), keys);
  if (!lazy_trees_.empty()) return;
  categories_->fill_keys(row, lowest_key<Key>, highest_key<Key>, keys + columns_.size());
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::walk(const Group& group, const Key* keys, std::size_t* slots) const {
  std::uint32_t ends[kernels::forest_lanes];
  if (group.kind == Kind::padded) {
    kernels::forest_walk_padded(padded_.data() + group.node_begin, group.depth, keys, ends);
  } else if (group.kind == Kind::compact_wide) {
    const WideNode* trees[kernels::forest_lanes];
    for (std::uint32_t t = 0; t < kernels::forest_lanes; ++t) trees[t] = wide_.data() + group.node_of[t];
    kernels::forest_walk_compact(trees, keys, ends);
  } else if constexpr (std::is_same_v<X, float>) {
    const SmallNode* trees[kernels::forest_lanes];
    for (std::uint32_t t = 0; t < kernels::forest_lanes; ++t) trees[t] = small_.data() + group.node_of[t];
    kernels::forest_walk_compact(trees, keys, ends);
  }
  for (std::uint32_t t = 0; t < kernels::forest_lanes; ++t) slots[t] = group.slot_of[t] + ends[t];
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::add_row(const X* row, Sum* out) const {
  Key* keys = key_scratch<Key>(columns_.size() + categories_->count() + 1);
  fill_keys(row, keys);
  if (!lazy_trees_.empty()) return add_lazily(row, keys, out);
  std::size_t slots[kernels::forest_lanes];
  if (n_outputs_ == 1) {  // Kept in a register: a store and a load between two additions would double their latency.
    Sum sum = out[0];
    for (const Group& group : groups_) {
      walk(group, keys, slots);
      for (std::uint32_t t = 0; t < group.tree_count; ++t) sum += leaf_values_[slots[t]];
    }
    out[0] = sum;
    return;
  }
  for (const Group& group : groups_) {
    walk(group, keys, slots);
    for (std::uint32_t t = 0; t < group.tree_count; ++t) {
      Sum* sums = out + outputs_[group.tree_begin + t];
      if (leaf_width_ == 1) {
        sums[0] += leaf_values_[slots[t]];
        continue;
      }
      const Sum* leaf = &leaf_values_[std::size_t{leaf_of_slot_[slots[t]]} * leaf_width_];
      for (std::uint32_t k = 0; k < leaf_width_; ++k) sums[k] += leaf[k];
    }
  }
}

template <typename X, typename Sum>
bool RowLayout<X, Sum>::split_goes_right(const Split& split, const X* row, const Key* keys) const {
  if (split.column < columns_.size()) return keys[split.column] > static_cast<Key>(split.last_left);
  const std::size_t category = split.column - columns_.size();
  return categories_->goes_right(category, static_cast<double>(row[categories_->split(category).feature]));
}

template <typename X, typename Sum>
void RowLayout<X, Sum>::add_lazily(const X* row, const Key* keys, Sum* out) const {
  for (const SplitTree& tree : lazy_trees_) {
    const Split* split = tree.splits.data();
    while (split->left != 0) split = &tree.splits[split->left + (split_goes_right(*split, row, keys) ? 1 : 0)];
    const Sum* leaf = &leaf_values_[std::size_t{split->leaf} * leaf_width_];
    for (std::uint32_t k = 0; k < leaf_width_; ++k) out[tree.output + k] += leaf[k];
  }
}

template <typename X, typename Sum>
std::size_t RowLayout<X, Sum>::resident_bytes() const {
  std::size_t bytes = bytes_of(leaf_values_) + bytes_of(leaf_of_slot_) + bytes_of(columns_) + bytes_of(outputs_) +
                      bytes_of(groups_) + bytes_of(padded_) + bytes_of(small_) + bytes_of(wide_) +
                      bytes_of(lazy_trees_);
  for (const SplitTree& tree : lazy_trees_) bytes += bytes_of(tree.splits);
  return bytes;
}

template <typename X, typename Sum>
double RowLayout<X, Sum>::row_ns() const {
  const double step_ns = lazy_trees_.empty() ? 1.3 : 5.0;
  return 20.0 + 1.0 * static_cast<double>(columns_.size()) +
         0.5 * static_cast<double>(lazy_trees_.empty() ? categories_->count() : 0) + step_ns * steps_ +
         1.0 * static_cast<double>(outputs_.size()) * leaf_width_;
}

template class RowLayout<float, float>;
template class RowLayout<float, double>;
template class RowLayout<double, double>;

}  // namespace jackdaw::ops
