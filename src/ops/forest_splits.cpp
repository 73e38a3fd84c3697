#include "forest_splits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

namespace jackdaw::ops {
namespace {

using kernels::ColumnFill;

std::int32_t key_of(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x + 0.0f);
  return bits ^ ((bits >> 31) & INT32_MAX);
}

std::int64_t key_of(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x + 0.0);
  return bits ^ ((bits >> 63) & INT64_MAX);
}

// The nearest float at or below / at or above, infinities included. A plain cast may round either way, and is not
// defined beyond float's range.
float float_toward(double threshold, bool up) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float largest = std::numeric_limits<float>::max();
  if (threshold > double{largest}) return up || std::isinf(threshold) ? infinity : largest;
  if (threshold < -double{largest}) return !up || std::isinf(threshold) ? -infinity : -largest;
  const auto nearest = static_cast<float>(threshold);
  if (up && double{nearest} < threshold) return std::nextafter(nearest, infinity);
  if (!up && double{nearest} > threshold) return std::nextafter(nearest, -infinity);
  return nearest;
}

ColumnFill fill_of(const ForestNode& node) {
  switch (node.missing) {
    case Missing::nan_as_zero:
      return ColumnFill::nan_zero;
    case Missing::zero_or_nan_default:
      return node.default_left ? ColumnFill::zero_left : ColumnFill::zero_right;
    case Missing::nan_default:
      break;
  }
  return node.default_left ? ColumnFill::nan_left : ColumnFill::nan_right;
}

// Hands out column numbers. Categorical columns are numbered from 0 here and moved behind the numeric ones at the end.
class Columns {
 public:
  explicit Columns(Splits& splits) : splits_(splits) {}

  std::uint32_t numeric(const ForestNode& node) {
    const auto feature = static_cast<std::uint32_t>(node.feature);
    const ColumnFill fill = fill_of(node);
    const auto [at, added] = numeric_.try_emplace({feature, fill}, static_cast<std::uint32_t>(splits_.columns.size()));
    if (added) splits_.columns.push_back({feature, fill});
    return at->second;
  }

  std::uint32_t categorical(const ForestNode& node) {
    const CategoryKey key{node.feature, node.category_begin, node.category_words,
                          node.default_left * 4 + node.category_left_if_absent * 2 + node.invalid_category_is_absent};
    const auto [at, added] = categorical_.try_emplace(key, static_cast<std::uint32_t>(splits_.categories.size()));
    if (added) splits_.categories.push_back(node);
    return at->second;
  }

 private:
  using CategoryKey = std::tuple<std::int32_t, std::uint32_t, std::uint32_t, int>;
  Splits& splits_;
  std::map<std::pair<std::uint32_t, ColumnFill>, std::uint32_t> numeric_;
  std::map<CategoryKey, std::uint32_t> categorical_;
};

SplitTree make_tree(const ForestSpec& spec, const ForestTree& tree, Columns& columns, std::vector<std::uint32_t>& order,
                    std::vector<Split*>& categorical) {
  SplitTree result;
  result.output = tree.output;
  order.assign(1, 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ForestNode& node = spec.nodes[tree.node_begin + order[i]];
    if (node.left == -1) continue;
    order.push_back(static_cast<std::uint32_t>(node.left));
    order.push_back(static_cast<std::uint32_t>(node.right));
  }
  result.splits.resize(order.size());
  std::uint32_t next = 1;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const ForestNode& node = spec.nodes[tree.node_begin + order[i]];
    Split& split = result.splits[i];
    if (node.left == -1) {
      split.leaf = node.leaf;
      continue;
    }
    split.left = next;
    next += 2;
    if (node.categorical) {
      split.column = columns.categorical(node);
      categorical.push_back(&split);
      continue;
    }
    split.column = columns.numeric(node);
    split.last_left =
        spec.features_f64 ? last_left_64(node.threshold, spec.compare) : last_left_32(node.threshold, spec.compare);
  }
  return result;
}

// Sorts the categorical splits and returns each one's new place.
std::vector<std::uint32_t> order_by_feature(std::vector<ForestNode>& categories) {
  std::vector<std::uint32_t> order(categories.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return categories[a].feature < categories[b].feature; });
  std::vector<ForestNode> sorted;
  sorted.reserve(categories.size());
  std::vector<std::uint32_t> places(categories.size());
  for (const std::uint32_t at : order) {
    places[at] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(categories[at]);
  }
  categories = std::move(sorted);
  return places;
}

}  // namespace

std::int64_t last_left_32(double threshold, ForestSpec::Compare compare) {
  if (std::isnan(threshold)) return kernels::key_always_left_32;  // Only a missing value still goes left.
  if (compare == ForestSpec::Compare::less) return std::int64_t{key_of(float_toward(threshold, true))} - 1;
  return key_of(float_toward(threshold, false));
}

std::int64_t last_left_64(double threshold, ForestSpec::Compare compare) {
  if (std::isnan(threshold)) return kernels::key_always_left_64;
  return compare == ForestSpec::Compare::less ? key_of(threshold) - 1 : key_of(threshold);
}

Splits make_splits(const ForestSpec& spec, const std::vector<std::uint32_t>& depths) {
  Splits splits;
  Columns columns(splits);
  std::vector<std::uint32_t> order;
  std::vector<Split*> categorical;
  splits.trees.reserve(spec.trees.size());
  for (std::size_t i = 0; i < spec.trees.size(); ++i) {
    splits.trees.push_back(make_tree(spec, spec.trees[i], columns, order, categorical));
    splits.trees.back().depth = depths[i];
  }
  const std::vector<std::uint32_t> places = order_by_feature(splits.categories);
  for (Split* split : categorical)
    split->column = static_cast<std::uint32_t>(splits.columns.size()) + places[split->column];
  return splits;
}

}  // namespace jackdaw::ops
