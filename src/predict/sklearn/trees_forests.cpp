// IsolationForest: estimators_[].tree_, estimators_features_, offset_, max_samples_ (since 1.3 _max_samples).
// RandomTreesEmbedding: estimators_[].tree_, one_hot_encoder_.categories_ (the leaves seen in training, per tree).
#include "src/predict/sklearn/trees_forests.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;

std::size_t ExplainedForest::resident_bytes() const {
  return forest_.resident_bytes() + (contributions_ ? contributions_->resident_bytes() : 0);
}

Result<Contributions> ExplainedForest::explain(const Frame& x) const {
  if (!contributions_) return contributions_.error();
  JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule()));
  return forest_contributions(*contributions_, *m, 1.0 / static_cast<double>(forest_.tree_count()));
}

double ExplainedForest::explain_ns(std::size_t rows) const {
  if (!contributions_) return 500.0;
  return 500.0 + contributions_->call_ns() + static_cast<double>(rows) * (contributions_->row_ns() + 20.0);
}

namespace {

// ---- IsolationForest ----------------------------------------------------------------------------------------------

// Mean depth of an unsuccessful search in a binary tree of n samples. Until 0.20 small trees counted otherwise.
double average_path_length(double n, bool old) {
  if (n <= 1.0) return old ? 1.0 : 0.0;
  if (n == 2.0 && !old) return 1.0;
  return 2.0 * (std::log(n - 1.0) + std::numbers::egamma) - 2.0 * (n - 1.0) / n;
}

class IsolationForest final : public ExplainedForest {
 public:
  struct Parts {
    double offset = 0.0;
    double threshold = 0.0;  // of 0.20's "old" behaviour; else 0
    double denominator = 0.0;
  };
  IsolationForest(Signature signature, ops::Forest forest, Result<ops::ForestContributions> contributions, Parts parts)
      : ExplainedForest(std::move(signature), std::move(forest), std::move(contributions)), parts_(parts) {}

  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function || method == Method::score_samples;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule()));
    std::vector<double> out(m->rows, 0.0);
    add_forest_scores(forest(), *m, out.data());
    for (double& v : out) v = answer(method, v);
    return vector_output(method == Method::predict ? DType::int64 : DType::fp64, out);
  }
  bool is_outlier_detector() const override { return true; }
  double cost_ns(std::size_t rows) const override {
    return 500.0 + static_cast<double>(rows) * (forest().row_ns() + 40.0);
  }

 private:
  double answer(Method method, double depths) const {
    const double score = -std::pow(2.0, -(parts_.denominator != 0.0 ? depths / parts_.denominator : 1.0));
    if (method == Method::score_samples) return score;
    const double decision = score - parts_.offset;
    if (method == Method::decision_function) return decision;
    return decision < parts_.threshold ? -1.0 : 1.0;
  }

  Parts parts_;
};

// Depth of every node below the root; nodes in a loop keep 0, and Forest::build refuses them.
std::vector<double> node_depths(const StoredTree& tree) {
  std::vector<double> depth(tree.node_count, 0.0);
  std::vector<std::size_t> open{0};
  std::vector<bool> met(tree.node_count, false);
  met[0] = true;
  while (!open.empty()) {
    const std::size_t n = open.back();
    open.pop_back();
    if (tree.is_leaf(n)) continue;
    for (std::int64_t child : {tree.left[n], tree.right[n]}) {
      if (child < 0 || child >= static_cast<std::int64_t>(tree.node_count)) continue;
      const auto c = static_cast<std::size_t>(child);
      if (met[c]) continue;
      met[c] = true;
      depth[c] = depth[n] + 1.0;
      open.push_back(c);
    }
  }
  return depth;
}

// estimators_features_: one integer array per tree. Absent before 0.20: every tree has all columns.
Result<std::vector<std::vector<std::int64_t>>> tree_features(const BuildContext& context, std::size_t trees) {
  std::vector<std::vector<std::int64_t>> out(trees);
  if (!context.has("estimators_features_")) return out;
  const NodeId node = context.attribute("estimators_features_");
  auto items = list_of(context.graph, node);
  if (!items || items->size() != trees) {
    return context.error(Code::parse_error, fmt::format("estimators_features_ is not a list of {} arrays", trees));
  }
  for (std::size_t i = 0; i < trees; ++i) {
    if (!formats::is_ndarray(context.graph, (*items)[i])) {
      return context.error(Code::parse_error, fmt::format("estimators_features_[{}] is not an array", i));
    }
    JACKDAW_ASSIGN(const formats::NdArray array,
                   placed(context, "a feature or leaf list", formats::to_ndarray(context.graph, (*items)[i])));
    JACKDAW_ASSIGN(out[i], placed(context, "estimators_features_", formats::to_int64s(context.graph, array)));
  }
  return out;
}

Result<double> samples_per_tree(const BuildContext& context) {
  if (context.has("_max_samples")) return context.number("_max_samples");
  return context.number("max_samples_");
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_isolation_forest(const BuildContext& context) {
  JACKDAW_ASSIGN(const std::vector<NodeId> estimators, object_list(context, "estimators_"));
  JACKDAW_ASSIGN(const auto features, tree_features(context, estimators.size()));
  IsolationForest::Parts parts;
  JACKDAW_ASSIGN(parts.offset, context.number("offset_"));
  if (context.text_or("behaviour", "new") == "old") parts.threshold = context.number_or("_threshold_", 0.0);
  JACKDAW_ASSIGN(const double samples, samples_per_tree(context));
  const bool old = !written_since(context, 0, 21);
  parts.denominator = static_cast<double>(estimators.size()) * average_path_length(samples, old);
  bool takes_nan = written_since(context, 1, 9);

  TreeReader reader(context);
  std::optional<ForestAssembler> assembler;
  Signature signature;
  for (std::size_t i = 0; i < estimators.size(); ++i) {
    const std::string name = fmt::format("estimators_[{}]", i);
    JACKDAW_ASSIGN(const NodeId node, tree_of(context, estimators[i], name));
    JACKDAW_ASSIGN(const StoredTree tree, reader.read(node, name + ".tree_"));
    if (!assembler) {
      JACKDAW_ASSIGN(signature, tree_signature(context, tree));
      assembler.emplace(static_cast<std::uint32_t>(signature.rule.n_features), 1, 1);
    }
    takes_nan = takes_nan && tree.knows_missing;
    const std::vector<double> depth = node_depths(tree);
    assembler->add(tree, 0, features[i], [&](std::size_t n, double* out) {
      // As scikit-learn adds it up: nodes on the path, plus the rest of the search, less one.
      *out = (depth[n] + 1.0) + average_path_length(tree.samples[n], old) - 1.0;
    });
  }
  if (takes_nan) signature.rule.finite = Finite::any;
  JACKDAW_ASSIGN(ops::Forest forest, assembler->build(context));
  Result<ops::ForestContributions> contributions = assembler->contributions();
  return std::unique_ptr<Estimator>(
      std::make_unique<IsolationForest>(std::move(signature), std::move(forest), std::move(contributions), parts));
}

// ---- RandomTreesEmbedding -----------------------------------------------------------------------------------------

namespace {

class TreesEmbedding final : public FittedEstimator {
 public:
  TreesEmbedding(Signature signature, ops::Forest forest, std::size_t columns, bool sparse)
      : FittedEstimator(std::move(signature)), forest_(std::move(forest)), columns_(columns), sparse_(sparse) {}

  bool supports(Method method) const override { return method == Method::transform; }
  Result<Output> run(Method method, const Frame&) const override { return no_method(method); }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule()));
    std::vector<double> leaves(m->rows * forest_.n_outputs(), 0.0);
    add_forest_scores(forest_, *m, leaves.data());
    Matrix out;
    out.rows = m->rows;
    out.cols = columns_;
    out.sparse = true;
    out.row_begin.push_back(0);
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaves[i] < 0.0) {
        return make_error(Code::invalid_argument, "a row falls into a leaf that {} did not see in training",
                          rule().class_name);
      }
      out.columns.push_back(static_cast<std::uint32_t>(leaves[i]));
      out.values.push_back(1.0);
      if ((i + 1) % forest_.n_outputs() == 0) out.row_begin.push_back(out.values.size());
    }
    if (!sparse_) return Frame(to_dense(out));
    return Frame(std::move(out));
  }
  double cost_ns(std::size_t rows) const override {
    return 500.0 + static_cast<double>(rows) * (forest_.row_ns() + 40.0);
  }
  std::size_t resident_bytes() const override { return forest_.resident_bytes(); }

 private:
  ops::Forest forest_;
  std::size_t columns_;
  bool sparse_;
};

Result<std::vector<double>> seen_leaves(const BuildContext& context, NodeId node, std::size_t tree) {
  if (!formats::is_ndarray(context.graph, node)) {
    return context.error(Code::parse_error, fmt::format("one_hot_encoder_.categories_[{}] is not an array", tree));
  }
  JACKDAW_ASSIGN(const formats::NdArray array,
                 placed(context, "a feature or leaf list", formats::to_ndarray(context.graph, node)));
  JACKDAW_ASSIGN(std::vector<double> out,
                 placed(context, "one_hot_encoder_.categories_", formats::to_doubles(context.graph, array)));
  if (!std::is_sorted(out.begin(), out.end())) {
    return context.error(Code::parse_error, fmt::format("one_hot_encoder_.categories_[{}] is not sorted", tree));
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_trees_embedding(const BuildContext& context) {
  JACKDAW_ASSIGN(const std::vector<NodeId> estimators, object_list(context, "estimators_"));
  const BuildContext encoder = context.child(context.attribute("one_hot_encoder_"), "one_hot_encoder_");
  if (encoder.node == no_node) return context.error(Code::parse_error, "attribute one_hot_encoder_ is missing");
  JACKDAW_ASSIGN(const std::vector<NodeId> categories, object_list(encoder, "categories_"));
  if (categories.size() != estimators.size()) {
    return context.error(Code::parse_error,
                         fmt::format("one_hot_encoder_ knows {} trees of {}", categories.size(), estimators.size()));
  }
  TreeReader reader(context);
  std::optional<ForestAssembler> assembler;
  Signature signature;
  std::size_t columns = 0;
  for (std::size_t i = 0; i < estimators.size(); ++i) {
    const std::string name = fmt::format("estimators_[{}]", i);
    JACKDAW_ASSIGN(const NodeId node, tree_of(context, estimators[i], name));
    JACKDAW_ASSIGN(const StoredTree tree, reader.read(node, name + ".tree_"));
    JACKDAW_ASSIGN(const std::vector<double> leaves, seen_leaves(context, categories[i], i));
    if (!assembler) {
      JACKDAW_ASSIGN(signature, tree_signature(context, tree));
      assembler.emplace(static_cast<std::uint32_t>(signature.rule.n_features),
                        static_cast<std::uint32_t>(estimators.size()), 1);
    }
    assembler->add(tree, static_cast<std::uint32_t>(i), {}, [&](std::size_t n, double* out) {
      const auto found = std::lower_bound(leaves.begin(), leaves.end(), static_cast<double>(n));
      const bool known = found != leaves.end() && *found == static_cast<double>(n);
      *out = known ? static_cast<double>(columns + static_cast<std::size_t>(found - leaves.begin())) : -1.0;
    });
    columns += leaves.size();
  }
  JACKDAW_ASSIGN(ops::Forest forest, assembler->build(context));
  return std::unique_ptr<Estimator>(std::make_unique<TreesEmbedding>(std::move(signature), std::move(forest), columns,
                                                                     context.flag_or("sparse_output", true)));
}

}  // namespace jackdaw::predict
