#include "forest_block_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace jackdaw::ops {
namespace {

constexpr std::uint32_t block_rows = kernels::forest_block_rows;
constexpr std::size_t byte_columns_max = 16384;
constexpr std::size_t outputs_max = 2048;
constexpr std::size_t group_thresholds = 255;         // A byte column tells 255 thresholds apart.
constexpr std::size_t padded_leaf_values_max = 4096;  // Of one tree; wider leaves are not copied into padding.
constexpr std::uint32_t deep_top_depth = 6;           // Below it, walking beats comparing every node.
constexpr std::size_t batch_bytes =
    256 * 1024;  // Byte columns and sums of the blocks that share a pass over the trees.
constexpr std::size_t batch_blocks_max = 8;
constexpr std::size_t leaf_padding = 64;  // Kernels read whole vectors at a leaf table's begin.

// Grows to what the largest forest of this thread needs: byte columns and sums, 64-byte aligned.
std::byte* scratch(std::size_t bytes) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  thread_local std::vector<Line> lines;
  if (lines.size() * sizeof(Line) < bytes) lines.resize((bytes + sizeof(Line) - 1) / sizeof(Line));
  return lines.data()->bytes;
}

std::uint32_t levels_for(std::size_t thresholds) {
  std::uint32_t levels = 0;
  while ((std::size_t{1} << levels) <= thresholds) ++levels;
  return levels;
}

// The sorted keys as a search tree: entry i from 1, in-order.
template <typename Key>
void fill_search_tree(const std::vector<std::int64_t>& sorted, std::size_t size, std::vector<Key>& out) {
  const std::size_t begin = out.size();
  out.resize(begin + std::max<std::size_t>(size, 16), std::numeric_limits<Key>::max());
  for (std::size_t i = 1; i < size; ++i) {
    const auto level = static_cast<std::uint32_t>(std::bit_width(i)) - 1;
    const std::size_t span = size >> level;
    const std::size_t at = (i - (std::size_t{1} << level)) * span + span / 2 - 1;
    if (at < sorted.size()) out[begin + i] = static_cast<Key>(sorted[at]);
  }
}

template <typename T>
std::size_t bytes_of(const std::vector<T>& values) {
  return values.capacity() * sizeof(T);
}

}  // namespace

template <typename X, typename Sum>
class BlockLayout<X, Sum>::Builder {
 public:
  Builder(const ForestSpec& spec, const Splits& splits, BlockLayout& layout)
      : spec_(spec), splits_(splits), layout_(layout) {}

  bool run() {
    if (spec_.n_outputs > outputs_max || !layout_.categories_->cheap()) return false;
    layout_.n_outputs_ = spec_.n_outputs;
    layout_.leaf_width_ = spec_.leaf_width;
    collect_thresholds();
    number_columns();
    if (layout_.columns_.size() + splits_.categories.size() > byte_columns_max) return false;
    for (const double value : spec_.leaf_values) layout_.tail_values_.push_back(static_cast<Sum>(value));
    for (const SplitTree& tree : splits_.trees) {
      const bool shallow = tree.depth <= kernels::forest_block_depth_max &&
                           (std::size_t{spec_.leaf_width} << tree.depth) <= padded_leaf_values_max;
      if (!add_tree(tree, shallow)) return false;
    }
    if (layout_.tail_nodes_.empty()) layout_.tail_values_ = {};
    layout_.leaves_.resize(layout_.leaves_.size() + leaf_padding);
    return true;
  }

 private:
  // A numeric split as the block sees it.
  struct Place {
    std::uint32_t column;
    std::uint8_t rank;
  };

  bool is_numeric(const Split& split) const { return split.column < splits_.columns.size(); }

  void collect_thresholds() {
    for (const SplitTree& tree : splits_.trees) {
      for (const Split& split : tree.splits) {
        if (split.left != 0 && is_numeric(split))
          thresholds_[splits_.columns[split.column].feature].push_back(split.last_left);
      }
    }
    for (auto& [feature, keys] : thresholds_) {
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    }
  }

  std::size_t rank_of(const Split& split) const {
    const auto& keys = thresholds_.at(splits_.columns[split.column].feature);
    return static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), split.last_left) - keys.begin());
  }

  // Byte columns exist only for the (feature, fill, group of 255 thresholds) that some split uses.
  void number_columns() {
    std::map<std::uint32_t, std::set<std::pair<std::uint32_t, std::size_t>>> used;  // By feature: (column, group).
    for (const SplitTree& tree : splits_.trees) {
      for (const Split& split : tree.splits) {
        if (split.left != 0 && is_numeric(split))
          used[splits_.columns[split.column].feature].insert({split.column, rank_of(split) / group_thresholds});
      }
    }
    for (const auto& [feature, columns] : used) {
      const auto& keys = thresholds_.at(feature);
      const std::uint32_t levels = levels_for(keys.size());
      const auto column_begin = static_cast<std::uint32_t>(layout_.columns_.size());
      for (const auto& [column, group] : columns) {
        numbers_[{column, group}] = static_cast<std::uint32_t>(layout_.columns_.size());
        layout_.columns_.push_back(
            {static_cast<std::uint32_t>(group * group_thresholds), splits_.columns[column].fill});
      }
      const auto column_end = static_cast<std::uint32_t>(layout_.columns_.size());
      layout_.features_.push_back({feature, levels, layout_.keys_.size(), column_begin, column_end});
      fill_search_tree(keys, std::size_t{1} << levels, layout_.keys_);
    }
  }

  Place place_of(const Split& split) const {
    if (!is_numeric(split)) {
      const std::size_t category = split.column - splits_.columns.size();
      return {static_cast<std::uint32_t>(layout_.columns_.size() + category), 0};
    }
    const std::size_t rank = rank_of(split);
    return {numbers_.at({split.column, rank / group_thresholds}), static_cast<std::uint8_t>(rank % group_thresholds)};
  }

  bool add_tree(const SplitTree& tree, bool shallow) {
    kernels::BlockTree block{};
    block.node_begin = layout_.nodes_.size();
    block.depth = shallow ? tree.depth : std::min(tree.depth, deep_top_depth);
    block.output = tree.output;
    block.deep = !shallow;
    const std::vector<std::uint32_t> bottom = add_top(tree, block.depth);
    if (shallow) {
      block.leaf_begin = layout_.leaves_.size();
      for (std::uint32_t k = 0; k < spec_.leaf_width; ++k) {
        for (const std::uint32_t at : bottom)
          layout_.leaves_.push_back(
              static_cast<Sum>(spec_.leaf_values[std::size_t{tree.splits[at].leaf} * spec_.leaf_width + k]));
      }
    } else {
      block.leaf_begin = layout_.exits_.size();
      if (!add_tail(tree, bottom)) return false;
    }
    layout_.trees_.push_back(block);
    return true;
  }

  // The complete part; returns the split at each of its leaves. A leaf above the bottom repeats itself downwards.
  std::vector<std::uint32_t> add_top(const SplitTree& tree, std::uint32_t depth) {
    std::vector<std::uint32_t> level{0};
    for (std::uint32_t d = 0; d < depth; ++d) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t at : level) {
        const Split& split = tree.splits[at];
        const bool leaf = split.left == 0;
        const Place place = leaf ? Place{0, 255} : place_of(split);
        layout_.nodes_.push_back({place.column * block_rows, place.rank * 0x01010101u});
        next.push_back(leaf ? at : split.left);
        next.push_back(leaf ? at : split.left + 1);
      }
      level = std::move(next);
    }
    return level;
  }

  // What hangs below `bottom`, breadth first, siblings adjacent.
  bool add_tail(const SplitTree& tree, const std::vector<std::uint32_t>& bottom) {
    std::map<std::uint32_t, std::uint32_t> copies;  // A leaf above the bottom is repeated there, but copied once.
    std::vector<std::uint32_t> order;
    const std::size_t base = layout_.tail_nodes_.size();
    for (const std::uint32_t at : bottom) {
      const auto [copy, added] = copies.try_emplace(at, static_cast<std::uint32_t>(base + order.size()));
      if (added) order.push_back(at);
      layout_.exits_.push_back(copy->second);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Split& split = tree.splits[order[i]];
      const std::size_t self = base + i;
      if (base + order.size() + 2 > std::numeric_limits<std::uint32_t>::max()) return false;
      kernels::TailNode node{static_cast<std::uint32_t>(self), 0, 255, 0};
      if (split.left != 0) {
        const Place place = place_of(split);
        node = {static_cast<std::uint32_t>(base + order.size()), static_cast<std::uint16_t>(place.column), place.rank,
                0};
        order.push_back(split.left);
        order.push_back(split.left + 1);
      }
      layout_.tail_nodes_.push_back(node);
      layout_.tail_leaf_.push_back(split.leaf);
    }
    return true;
  }

  const ForestSpec& spec_;
  const Splits& splits_;
  BlockLayout& layout_;
  std::map<std::uint32_t, std::vector<std::int64_t>> thresholds_;  // last_left by feature, ascending, distinct.
  std::map<std::pair<std::uint32_t, std::size_t>, std::uint32_t> numbers_;  // (key column, group) to byte column.
};

template <typename X, typename Sum>
std::unique_ptr<BlockLayout<X, Sum>> BlockLayout<X, Sum>::make(const ForestSpec& spec, const Splits& splits,
                                                               std::shared_ptr<const CategoryColumns> categories) {
  std::unique_ptr<BlockLayout> layout(new BlockLayout(std::move(categories)));
  if (!Builder(spec, splits, *layout).run()) return nullptr;
  return layout;
}

template <typename X, typename Sum>
void BlockLayout<X, Sum>::fill_columns(const kernels::ForestBlockKernels& kernels, const X* rows, std::size_t n_rows,
                                       std::size_t stride, std::uint8_t* columns) const {
  const kernels::RankPlan<X, Key> plan{features_.data(), features_.size(), keys_.data(), columns_.data()};
  if constexpr (std::is_same_v<X, float>) {
    kernels.rank32(plan, rows, n_rows, stride, columns);
  } else {
    kernels.rank64(plan, rows, n_rows, stride, columns);
  }
  categories_->fill_bytes(rows, n_rows, stride, columns + columns_.size() * block_rows);
}

template <typename X, typename Sum>
void BlockLayout<X, Sum>::score(const kernels::ForestBlockKernels& kernels,
                                const kernels::BlockBatch<Sum>& batch) const {
  const kernels::BlockForest<Sum> forest{trees_.data(),      trees_.size(),     leaf_width_,
                                         nodes_.data(),      leaves_.data(),    exits_.data(),
                                         tail_nodes_.data(), tail_leaf_.data(), tail_values_.data()};
  if constexpr (std::is_same_v<Sum, float>) {
    kernels.score32(forest, batch);
  } else {
    kernels.score64(forest, batch);
  }
}

template <typename X, typename Sum>
void BlockLayout<X, Sum>::add_scores(const kernels::ForestBlockKernels& kernels, const X* rows, std::size_t n_rows,
                                     std::size_t stride, Sum* out) const {
  const std::size_t column_bytes = (columns_.size() + categories_->count() + 1) * block_rows;
  const std::size_t sum_count = std::size_t{n_outputs_} * block_rows;
  const std::size_t bytes = column_bytes + sum_count * sizeof(Sum);
  const std::size_t blocks_max = std::clamp<std::size_t>(batch_bytes / bytes, 1, batch_blocks_max);
  std::byte* memory = scratch(bytes * std::min(blocks_max, (n_rows + block_rows - 1) / block_rows));
  for (std::size_t begin = 0; begin < n_rows; begin += blocks_max * block_rows) {
    const std::size_t count = std::min(blocks_max * block_rows, n_rows - begin);
    const std::size_t blocks = (count + block_rows - 1) / block_rows;
    auto* columns = reinterpret_cast<std::uint8_t*>(memory);
    auto* sums = reinterpret_cast<Sum*>(memory + column_bytes * blocks);
    Sum* batch_out = out + begin * n_outputs_;
    for (std::size_t row = 0; row < blocks * block_rows; ++row) {
      Sum* sum = sums + row / block_rows * sum_count + row % block_rows;
      for (std::uint32_t k = 0; k < n_outputs_; ++k)
        sum[k * block_rows] = row < count ? batch_out[row * n_outputs_ + k] : Sum{0};
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::size_t first = b * block_rows;
      fill_columns(kernels, rows + (begin + first) * stride, std::min<std::size_t>(block_rows, count - first), stride,
                   columns + b * column_bytes);
    }
    score(kernels, {blocks, columns, column_bytes, sums, sum_count});
    for (std::size_t row = 0; row < count; ++row) {
      const Sum* sum = sums + row / block_rows * sum_count + row % block_rows;
      for (std::uint32_t k = 0; k < n_outputs_; ++k) batch_out[row * n_outputs_ + k] = sum[k * block_rows];
    }
  }
}

template <typename X, typename Sum>
std::size_t BlockLayout<X, Sum>::resident_bytes() const {
  return bytes_of(features_) + bytes_of(columns_) + bytes_of(keys_) + bytes_of(trees_) + bytes_of(nodes_) +
         bytes_of(leaves_) + bytes_of(exits_) + bytes_of(tail_nodes_) + bytes_of(tail_leaf_) + bytes_of(tail_values_);
}

template <typename X, typename Sum>
double BlockLayout<X, Sum>::block_ns() const {
  double deep_steps = 0;  // Of one row: as many levels as a tree of that size must have, and half as many again.
  std::size_t deep_trees = 0;
  for (const kernels::BlockTree& tree : trees_) deep_trees += tree.deep ? 1 : 0;
  if (deep_trees > 0) {
    const double tail_nodes = static_cast<double>(tail_nodes_.size()) / static_cast<double>(deep_trees);
    deep_steps = static_cast<double>(deep_trees) * (2.0 + 1.5 * std::max(0.0, std::log2(tail_nodes) - deep_top_depth));
  }
  return 100.0 + 100.0 * static_cast<double>(features_.size()) + 8.0 * static_cast<double>(categories_->count()) +
         0.7 * static_cast<double>(nodes_.size()) + 10.0 * static_cast<double>(trees_.size()) * leaf_width_ +
         1.5 * block_rows * deep_steps;
}

template class BlockLayout<float, float>;
template class BlockLayout<float, double>;
template class BlockLayout<double, double>;

}  // namespace jackdaw::ops
