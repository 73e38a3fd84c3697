#include "src/predict/lightgbm.h"

namespace jackdaw::predict {
namespace {

using formats::LightgbmMissing;
using formats::LightgbmModel;
using formats::LightgbmTree;

ops::Missing missing_of(LightgbmMissing missing) {
  switch (missing) {
    case LightgbmMissing::none:
      return ops::Missing::nan_as_zero;
    case LightgbmMissing::zero:
      return ops::Missing::zero_or_nan_default;
    case LightgbmMissing::nan:
      break;
  }
  return ops::Missing::nan_default;
}

// Inner nodes keep their numbers, leaf l becomes node num_leaves - 1 + l.
std::int32_t node_of(const LightgbmTree& tree, std::int32_t child) {
  return child >= 0 ? child : static_cast<std::int32_t>(tree.num_leaves) - 1 + ~child;
}

void add_split(const LightgbmTree& tree, std::size_t node, ops::ForestSpec& spec, std::uint32_t first_word) {
  ops::ForestNode& out = spec.nodes.emplace_back();
  out.left = node_of(tree, tree.left[node]);
  out.right = node_of(tree, tree.right[node]);
  out.feature = static_cast<std::int32_t>(tree.split_feature[node]);
  if (!tree.categorical(node)) {
    out.threshold = tree.threshold[node];
    out.default_left = tree.default_left(node);
    out.missing = missing_of(tree.missing(node));
    return;
  }
  // In the set goes left; NaN, negative, too large or unknown goes right.
  const auto set = static_cast<std::size_t>(tree.threshold[node]);
  out.categorical = true;
  out.default_left = false;
  out.category_begin = first_word + tree.cat_boundaries[set];
  out.category_words = tree.cat_boundaries[set + 1] - tree.cat_boundaries[set];
}

void add_tree(const LightgbmTree& tree, std::uint32_t output, ops::ForestSpec& spec) {
  const auto first_word = static_cast<std::uint32_t>(spec.category_bits.size());
  spec.category_bits.insert(spec.category_bits.end(), tree.cat_words.begin(), tree.cat_words.end());
  spec.trees.push_back({static_cast<std::uint32_t>(spec.nodes.size()), 2 * tree.num_leaves - 1, output});
  for (std::size_t node = 0; node + 1 < tree.num_leaves; ++node) add_split(tree, node, spec, first_word);
  // A tree of one leaf needs no counts.
  if (tree.num_leaves == 1) spec.covers.push_back(1.0);
  spec.covers.insert(spec.covers.end(), tree.internal_count.begin(), tree.internal_count.end());
  spec.covers.insert(spec.covers.end(), tree.leaf_count.begin(), tree.leaf_count.end());
  for (const double value : tree.leaf_value) {
    spec.nodes.emplace_back().leaf = static_cast<std::uint32_t>(spec.leaf_values.size());
    spec.leaf_values.push_back(value);
  }
}

}  // namespace

Result<ops::ForestSpec> lightgbm_forest_spec(const LightgbmModel& model) {
  ops::ForestSpec spec;
  spec.compare = ops::ForestSpec::Compare::less_equal;
  spec.features_f64 = true;
  spec.sums_f64 = true;
  spec.n_features = model.num_feature;
  spec.n_outputs = model.num_tree_per_iteration;
  for (std::size_t i = 0; i < model.trees.size(); ++i) {
    if (model.trees[i].num_leaves > 1u << 30) return make_error(Code::too_large, "Tree {} has too many leaves.", i);
    add_tree(model.trees[i], static_cast<std::uint32_t>(i % model.num_tree_per_iteration), spec);
  }
  if (spec.covers.size() != spec.nodes.size()) spec.covers.clear();  // Some tree does not say.
  return spec;
}

}  // namespace jackdaw::predict
