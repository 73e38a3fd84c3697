#include <algorithm>

#include "src/predict/xgboost.h"

namespace jackdaw::predict {
namespace {

using formats::XgboostModel;
using formats::XgboostTree;

// Words of category bits a model may need: a few bytes of file can name category 2^24 - 1.
constexpr std::size_t category_words_max = 1u << 24;

class SpecBuilder {
 public:
  SpecBuilder(const XgboostModel& model, std::size_t tree_count) : model_(model), tree_count_(tree_count) {}

  Result<ops::ForestSpec> run() {
    spec_.compare = ops::ForestSpec::Compare::less;
    spec_.n_features = model_.num_feature;
    spec_.n_outputs = model_.n_groups;
    spec_.leaf_width = tree_count_ == 0 ? 1 : model_.trees[0].leaf_width;
    for (std::size_t i = 0; i < tree_count_; ++i) JACKDAW_TRY(add_tree(i));
    if (spec_.covers.size() != spec_.nodes.size()) spec_.covers.clear();  // Some tree does not say.
    return std::move(spec_);
  }

 private:
  Result<void> add_tree(std::size_t index) {
    const XgboostTree& tree = model_.trees[index];
    if (tree.leaf_width != spec_.leaf_width) {
      return make_error(Code::unsupported, "Tree {} has leaves of width {}, the first tree of width {}.", index,
                        tree.leaf_width, spec_.leaf_width);
    }
    const float weight = model_.tree_weight.empty() ? 1.0f : model_.tree_weight[index];
    spec_.trees.push_back({static_cast<std::uint32_t>(spec_.nodes.size()),
                           static_cast<std::uint32_t>(tree.node_count()), model_.tree_group[index]});
    spec_.covers.insert(spec_.covers.end(), tree.cover.begin(), tree.cover.end());
    for (std::size_t node = 0; node < tree.node_count(); ++node) {
      ops::ForestNode& out = spec_.nodes.emplace_back();
      if (tree.left[node] < 0) {
        add_leaf(tree, node, weight, out);
      } else {
        add_split(tree, node, out);
        JACKDAW_TRY(add_categories(tree, node, out));
      }
    }
    return {};
  }

  // A dart weight scales each leaf before the sum, in float32.
  void add_leaf(const XgboostTree& tree, std::size_t node, float weight, ops::ForestNode& out) {
    out.leaf = static_cast<std::uint32_t>(spec_.leaf_values.size() / tree.leaf_width);
    if (tree.leaf_width == 1) {
      spec_.leaf_values.push_back(tree.value[node] * weight);
      return;
    }
    const float* values = tree.leaf_vectors.data() + std::size_t{tree.leaf[node]} * tree.leaf_width;
    for (std::size_t i = 0; i < tree.leaf_width; ++i) spec_.leaf_values.push_back(values[i] * weight);
  }

  static void add_split(const XgboostTree& tree, std::size_t node, ops::ForestNode& out) {
    out.left = tree.left[node];
    out.right = tree.right[node];
    out.feature = static_cast<std::int32_t>(tree.feature[node]);
    out.threshold = tree.value[node];
    out.default_left = tree.default_left[node] != 0;
    out.missing = ops::Missing::nan_default;
  }

  Result<void> add_categories(const XgboostTree& tree, std::size_t node, ops::ForestNode& out) {
    if (tree.is_categorical.empty() || tree.is_categorical[node] == 0) return {};
    out.categorical = true;
    out.category_left_if_absent = true;
    out.invalid_category_is_absent = true;
    const auto begin = tree.categories.begin() + tree.category_begin[node];
    const auto end = begin + tree.category_count[node];
    const std::size_t words = begin == end ? 0 : static_cast<std::size_t>(*std::max_element(begin, end)) / 32 + 1;
    out.category_begin = static_cast<std::uint32_t>(spec_.category_bits.size());
    out.category_words = static_cast<std::uint32_t>(words);
    if (spec_.category_bits.size() + words > category_words_max) {
      return make_error(Code::too_large, "The category sets of this model need more than {} MiB.",
                        category_words_max * 4 >> 20);
    }
    spec_.category_bits.resize(spec_.category_bits.size() + words, 0u);
    for (auto it = begin; it != end; ++it) {
      spec_.category_bits[out.category_begin + static_cast<std::uint32_t>(*it) / 32] |= 1u << (*it % 32);
    }
    return {};
  }

  const XgboostModel& model_;
  std::size_t tree_count_;
  ops::ForestSpec spec_;
};

}  // namespace

Result<ops::ForestSpec> xgboost_forest_spec(const XgboostModel& model, std::size_t tree_count) {
  CHECK(tree_count <= model.trees.size());
  return SpecBuilder(model, tree_count).run();
}

}  // namespace jackdaw::predict
