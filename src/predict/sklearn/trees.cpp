// Decision trees and forests: DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*. A single tree is a forest of one.
//
// Read: estimators_[].tree_ (forests) or tree_, classes_ (one array, or a list of arrays for several outputs).
#include "src/predict/sklearn/trees.h"

#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/trees_forests.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

struct Trees {
  Signature signature;
  std::vector<StoredTree> trees;
};

// Trees one by one would do for forests, but leaf vectors need the outputs of all of them first.
Result<Trees> read_trees(const BuildContext& context) {
  Trees out;
  TreeReader reader(context);
  bool takes_nan = false;
  if (context.has("tree_")) {
    JACKDAW_ASSIGN(out.trees.emplace_back(), reader.read(context.attribute("tree_"), "tree_"));
    takes_nan = tree_takes_nan(context, out.trees[0]);
  } else {
    JACKDAW_ASSIGN(const std::vector<NodeId> estimators, object_list(context, "estimators_"));
    for (std::size_t i = 0; i < estimators.size(); ++i) {
      const std::string name = fmt::format("estimators_[{}]", i);
      JACKDAW_ASSIGN(const NodeId tree, tree_of(context, estimators[i], name));
      JACKDAW_ASSIGN(out.trees.emplace_back(), reader.read(tree, name + ".tree_"));
    }
    const BuildContext first = context.child(estimators[0], "estimators_[0]");
    takes_nan = written_since(context, 1, 4) && tree_takes_nan(first, out.trees[0]);
  }
  JACKDAW_ASSIGN(out.signature, tree_signature(context, out.trees[0]));
  if (takes_nan) out.signature.rule.finite = Finite::nan_allowed;
  for (std::size_t i = 0; i < out.trees.size(); ++i) {
    if (out.trees[i].n_outputs == out.trees[0].n_outputs && out.trees[i].width == out.trees[0].width) continue;
    return context.error(Code::parse_error,
                         fmt::format("estimators_[{}].tree_ has values of another shape than the first", i));
  }
  return out;
}

class TreeEnsemble : public ExplainedForest {
 public:
  using ExplainedForest::ExplainedForest;
  double cost_ns(std::size_t rows) const override {
    return 500.0 + static_cast<double>(rows) * (forest().row_ns() + 20.0);
  }

 protected:
  // Mean over the trees: rows x forest outputs.
  Result<Matrix> means(const Frame& x) const {
    JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule()));
    Matrix out = Matrix::dense(m->rows, forest().n_outputs(), DType::fp64);
    add_forest_scores(forest(), *m, out.values.data());
    const auto trees = static_cast<double>(forest().tree_count());
    for (double& v : out.values) v /= trees;
    return out;
  }
};

// ---- classifiers --------------------------------------------------------------------------------------------------

Matrix columns_of(const Matrix& all, std::size_t begin, std::size_t count) {
  if (begin == 0 && count == all.cols) return all;
  Matrix out = Matrix::dense(all.rows, count, all.dtype);
  for (std::size_t r = 0; r < all.rows; ++r) std::copy_n(all.row(r) + begin, count, out.row(r));
  return out;
}

class TreeClassifier final : public TreeEnsemble {
 public:
  // float_labels: until 0.20 the labels of several outputs were stacked as float64.
  TreeClassifier(Signature signature, ops::Forest forest, Result<ops::ForestContributions> contributions,
                 bool float_labels)
      : TreeEnsemble(std::move(signature), std::move(forest), std::move(contributions)), float_labels_(float_labels) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::predict_proba || method == Method::predict_log_proba;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const Matrix all, means(x));
    Output out;
    std::size_t begin = 0;
    for (const Labels& labels : classes()) {
      Matrix m = columns_of(all, begin, labels.size());
      begin += labels.size();
      if (method == Method::predict) {
        out.arrays.push_back(label_tensor(labels, row_argmax(m)));
      } else {
        if (method == Method::predict_log_proba) log_in_place(m);
        out.arrays.push_back(std::move(matrix_output(m).arrays[0]));
      }
    }
    if (method == Method::predict && out.arrays.size() > 1) return stacked(out.arrays);
    return out;
  }

 private:
  Result<Output> stacked(const std::vector<engine::Tensor>& columns) const {
    engine::Tensor out = stack_columns(columns);
    if (!float_labels_ || out.dtype == DType::bytes) return one_array(std::move(out));
    JACKDAW_ASSIGN(Matrix m, tensor_numbers(out));
    m.dtype = DType::fp64;
    return matrix_output(m);
  }
  bool float_labels_;
};

// Class shares of a leaf. Weights (until 1.3) are divided by their sum; fractions (since) are kept as they are.
void write_shares(const double* values, std::size_t classes, double* out) {
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) sum += values[c];
  const bool fractions = std::abs(sum - 1.0) < 1e-9;
  const double divisor = fractions || sum == 0.0 ? 1.0 : sum;
  for (std::size_t c = 0; c < classes; ++c) out[c] = values[c] / divisor;
}

Result<std::unique_ptr<Estimator>> build_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Trees all, read_trees(context));
  JACKDAW_ASSIGN(all.signature.classes, context.labels_list("classes_"));
  const StoredTree& first = all.trees[0];
  std::size_t width = 0;
  if (all.signature.classes.size() != first.n_outputs) {
    return context.error(Code::parse_error, fmt::format("classes_ is for {} outputs, its trees have {}",
                                                        all.signature.classes.size(), first.n_outputs));
  }
  for (const Labels& labels : all.signature.classes) {
    if (labels.size() > first.width) {
      return context.error(Code::parse_error,
                           fmt::format("classes_ has {} classes, its trees know {}", labels.size(), first.width));
    }
    width += labels.size();
  }
  ForestAssembler assembler(static_cast<std::uint32_t>(all.signature.rule.n_features),
                            static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(width));
  for (StoredTree& tree : all.trees) {
    assembler.add(tree, 0, {}, [&](std::size_t node, double* out) {
      for (std::size_t k = 0; k < tree.n_outputs; ++k) {
        write_shares(tree.value(node, k), all.signature.classes[k].size(), out);
        out += all.signature.classes[k].size();
      }
    });
    tree = {};
  }
  JACKDAW_ASSIGN(ops::Forest forest, assembler.build(context));
  Result<ops::ForestContributions> contributions = assembler.contributions();
  return std::unique_ptr<Estimator>(std::make_unique<TreeClassifier>(
      std::move(all.signature), std::move(forest), std::move(contributions), !written_since(context, 0, 21)));
}

// ---- regressors ---------------------------------------------------------------------------------------------------

class TreeRegressor final : public TreeEnsemble {
 public:
  using TreeEnsemble::TreeEnsemble;
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const Matrix m, means(x));
    return m.cols > 1 ? matrix_output(m) : vector_output(DType::fp64, m.values);
  }
};

Result<std::unique_ptr<Estimator>> build_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Trees all, read_trees(context));
  const auto width = static_cast<std::uint32_t>(all.trees[0].n_outputs);
  ForestAssembler assembler(static_cast<std::uint32_t>(all.signature.rule.n_features), width, width);
  for (StoredTree& tree : all.trees) {
    assembler.add(tree, 0, {}, [&](std::size_t node, double* out) {
      for (std::size_t k = 0; k < tree.n_outputs; ++k) out[k] = *tree.value(node, k);
    });
    tree = {};
  }
  JACKDAW_ASSIGN(ops::Forest forest, assembler.build(context));
  Result<ops::ForestContributions> contributions = assembler.contributions();
  return std::unique_ptr<Estimator>(
      std::make_unique<TreeRegressor>(std::move(all.signature), std::move(forest), std::move(contributions)));
}

constexpr ClassRow rows[] = {
    {"sklearn.tree.DecisionTreeClassifier", build_classifier},
    {"sklearn.tree.DecisionTreeRegressor", build_regressor},
    {"sklearn.tree.ExtraTreeClassifier", build_classifier},
    {"sklearn.tree.ExtraTreeRegressor", build_regressor},
    {"sklearn.ensemble.RandomForestClassifier", build_classifier},
    {"sklearn.ensemble.RandomForestRegressor", build_regressor},
    {"sklearn.ensemble.ExtraTreesClassifier", build_classifier},
    {"sklearn.ensemble.ExtraTreesRegressor", build_regressor},
    {"sklearn.ensemble.IsolationForest", build_isolation_forest},
    {"sklearn.ensemble.RandomTreesEmbedding", build_trees_embedding},
};

}  // namespace

std::span<const ClassRow> tree_rows() {
  return rows;
}

}  // namespace jackdaw::predict
