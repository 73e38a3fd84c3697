#include "src/predict/sklearn/feature_importances.h"

#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;

double norm(const Matrix& m, std::size_t column, double order) {
  double sum = 0;
  for (std::size_t r = 0; r < m.rows; ++r) {
    const double v = std::abs(m.row(r)[column]);
    sum = std::isinf(order) ? std::max(sum, v) : sum + std::pow(v, order);
  }
  return std::isinf(order) ? sum : std::pow(sum, 1.0 / order);
}

Result<std::vector<double>> of_coefficients(const BuildContext& c, double norm_order) {
  JACKDAW_ASSIGN(const Matrix coef, c.matrix("coef_"));
  if (!(norm_order > 0)) return c.error(Code::unsupported, "a norm_order that is not positive is not supported");
  std::vector<double> out(coef.cols);
  for (std::size_t f = 0; f < coef.cols; ++f) {
    out[f] = coef.rows == 1 ? std::abs(coef.row(0)[f]) : norm(coef, f, norm_order);
  }
  return out;
}

struct TreeImportance {
  std::vector<double> decrease;  // unnormalised: divided by the root's weight
  std::size_t nodes = 0;
};

// The weighted impurity decrease per feature of one sklearn.tree._tree.Tree.
Result<TreeImportance> of_tree(const BuildContext& c, std::size_t features) {
  JACKDAW_ASSIGN(const formats::NdArray nodes, c.ndarray("nodes"));
  JACKDAW_ASSIGN(const auto left, formats::field_int64s(nodes, "left_child"));
  JACKDAW_ASSIGN(const auto right, formats::field_int64s(nodes, "right_child"));
  JACKDAW_ASSIGN(const auto feature, formats::field_int64s(nodes, "feature"));
  JACKDAW_ASSIGN(const auto impurity, formats::field_doubles(nodes, "impurity"));
  JACKDAW_ASSIGN(const auto weight, formats::field_doubles(nodes, "weighted_n_node_samples"));
  TreeImportance out{std::vector<double>(features), left.size()};
  const auto count = static_cast<std::int64_t>(left.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] < 0) continue;
    if (left[i] >= count || right[i] < 0 || right[i] >= count || feature[i] < 0 ||
        feature[i] >= static_cast<std::int64_t>(features)) {
      return c.error(Code::parse_error, fmt::format("node {} points outside of its tree", i));
    }
    const auto l = static_cast<std::size_t>(left[i]);
    const auto r = static_cast<std::size_t>(right[i]);
    out.decrease[static_cast<std::size_t>(feature[i])] +=
        weight[i] * impurity[i] - weight[l] * impurity[l] - weight[r] * impurity[r];
  }
  if (!weight.empty() && weight[0] > 0) {
    for (double& v : out.decrease) v /= weight[0];
  }
  return out;
}

void normalize(std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v;
  if (sum > 0) {
    for (double& v : values) v /= sum;
  }
}

Result<std::size_t> width_of(const BuildContext& c) {
  for (const char* name : {"n_features_in_", "n_features_"}) {
    const std::int64_t width = c.integer_or(name, -1);
    if (width > 0 && width < (1 << 28)) return static_cast<std::size_t>(width);
  }
  return c.error(Code::parse_error, "'n_features_in_' is missing");
}

// The mean over trees with more than one node; each tree's share is normalised first in forests, not in boosting.
Result<std::vector<double>> of_ensemble(const BuildContext& c, bool normalize_each) {
  JACKDAW_ASSIGN(const std::size_t width, width_of(c));
  JACKDAW_ASSIGN(const std::vector<NodeId> trees, object_list(c, "estimators_"));
  std::vector<double> sum(width);
  std::size_t counted = 0;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const BuildContext tree = c.child(trees[i], fmt::format("estimators_[{}]", i));
    if (!tree.has("tree_")) return tree.error(Code::unsupported, "has no feature importances jackdaw can compute");
    JACKDAW_ASSIGN(TreeImportance one, of_tree(tree.child(tree.attribute("tree_"), "tree_"), width));
    if (one.nodes <= 1) continue;
    if (normalize_each) normalize(one.decrease);
    for (std::size_t f = 0; f < width; ++f) sum[f] += one.decrease[f];
    ++counted;
  }
  if (counted == 0) return sum;
  for (double& v : sum) v /= static_cast<double>(counted);
  normalize(sum);
  return sum;
}

}  // namespace

Result<std::vector<double>> feature_importances(const BuildContext& c, double norm_order) {
  if (c.has("coef_")) return of_coefficients(c, norm_order);
  if (c.has("tree_")) {
    JACKDAW_ASSIGN(const std::size_t width, width_of(c));
    JACKDAW_ASSIGN(TreeImportance tree, of_tree(c.child(c.attribute("tree_"), "tree_"), width));
    normalize(tree.decrease);
    return std::move(tree.decrease);
  }
  const std::string name = c.short_class();
  const bool forest = name.starts_with("RandomForest") || name.starts_with("ExtraTrees");
  if (forest || name.starts_with("GradientBoosting")) return of_ensemble(c, forest);
  return c.error(Code::unsupported,
                 "its feature importances cannot be computed here; select the columns by name instead");
}

}  // namespace jackdaw::predict
