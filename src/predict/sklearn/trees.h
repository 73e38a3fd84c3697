// Trees as scikit-learn stores them, and the way from there to ops::Forest.
//
// Layout (sklearn/tree/_tree.pyx, `__reduce__` and `__getstate__`): Tree(n_features, n_classes, n_outputs) with the
// state {max_depth, node_count, nodes, values}. `nodes` is a structured array, read by field name: left_child,
// right_child, feature, threshold, n_node_samples, weighted_n_node_samples, and missing_go_to_left since 1.3; integers
// have 4 or 8 bytes.
// `values` is (node_count, n_outputs, max_n_classes): class weights until 1.3, fractions since. A leaf has left_child
// -1.
#pragma once

#include <unordered_set>

#include "jackdaw/ops/forest.h"
#include "jackdaw/ops/forest_contributions.h"
#include "src/predict/sklearn/explainable.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

struct StoredTree {
  std::size_t node_count = 0;
  std::int64_t n_features = -1;
  std::size_t n_outputs = 1;
  std::size_t width = 1;  // max_n_classes
  bool knows_missing = false;
  std::vector<std::int64_t> left, right, feature;
  std::vector<std::int64_t> missing_left;  // empty unless knows_missing
  std::vector<double> threshold;
  std::vector<double> samples;  // n_node_samples
  std::vector<double> weights;  // weighted_n_node_samples; empty when the file has none
  std::vector<double> values;   // node_count x n_outputs x width

  bool is_leaf(std::size_t node) const { return left[node] == -1; }
  const double* value(std::size_t node, std::size_t output) const {
    return values.data() + (node * n_outputs + output) * width;
  }
};

// Reads the trees of one model. The same tree twice is refused: scikit-learn never writes that, and a small file could
// otherwise ask for any amount of memory.
class TreeReader {
 public:
  explicit TreeReader(const BuildContext& context) : context_(context) {}
  // `node`: a Tree. `name` is for errors: "estimators_[3].tree_".
  Result<StoredTree> read(formats::NodeId node, std::string_view name);

 private:
  Error broken(std::string_view name, std::string_view what) const;
  Result<StoredTree> read_nodes(formats::NodeId node, std::string_view name);
  Result<void> read_values(formats::NodeId node, std::string_view name, StoredTree& tree);

  const BuildContext& context_;
  std::unordered_set<formats::NodeId> seen_;
  std::size_t nodes_total_ = 0;
};

// Collects trees into a ForestSpec.
class ForestAssembler {
 public:
  ForestAssembler(std::uint32_t n_features, std::uint32_t n_outputs, std::uint32_t leaf_width);
  // `leaf_value(node, out)` writes leaf_width numbers. `features` maps the tree's columns to the model's; empty: as is.
  template <typename LeafValue>
  void add(const StoredTree& tree, std::uint32_t output, std::span<const std::int64_t> features,
           LeafValue&& leaf_value) {
    begin_tree(tree, output, features);
    for (std::size_t n = 0; n < tree.node_count; ++n) {
      if (!tree.is_leaf(n)) continue;
      spec_.nodes[tree_begin_ + n].leaf = static_cast<std::uint32_t>(spec_.leaf_values.size() / spec_.leaf_width);
      spec_.leaf_values.resize(spec_.leaf_values.size() + spec_.leaf_width);
      leaf_value(n, spec_.leaf_values.data() + spec_.leaf_values.size() - spec_.leaf_width);
    }
  }
  Result<ops::Forest> build(const BuildContext& context);
  // For models that can be explained. An error, when trees do not say what weights reached their nodes, is their
  // user's.
  Result<ops::ForestContributions> contributions() const { return ops::ForestContributions::build(spec_); }

 private:
  void begin_tree(const StoredTree& tree, std::uint32_t output, std::span<const std::int64_t> features);

  ops::ForestSpec spec_;
  std::size_t tree_begin_ = 0;
};

// Rows as trees take them: dense or sparse, rounded to float32. Sparse rows never carry NaN past scikit-learn's check.
Result<MatrixRef> tree_input(const Frame& x, const InputRule& rule);

// Adds the scores of all rows to `out` (rows x n_outputs), through float32 rows.
void add_forest_scores(const ops::Forest& forest, const Matrix& x, double* out);

// The contributions of all rows times `scale`, through float32 rows. Errors: too_large.
Result<Contributions> forest_contributions(const ops::ForestContributions& forest, const Matrix& x, double scale);
// Room for them. Errors: too_large.
Result<Contributions> room_for_contributions(const ops::ForestContributions& forest, std::size_t rows);

// Whether a DecisionTree*/ExtraTree* at the context takes NaN, by the rules of its version.
bool tree_takes_nan(const BuildContext& context, const StoredTree& tree);

// Width, names and the cast to float32 that trees do.
Result<Signature> tree_signature(const BuildContext& context, const StoredTree& first);

// The Tree node of a fitted DecisionTree*.
Result<formats::NodeId> tree_of(const BuildContext& context, formats::NodeId estimator, std::string_view name);

}  // namespace jackdaw::predict
