#include "src/predict/lightgbm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace jackdaw::predict {
namespace {

using formats::LightgbmMissing;
using formats::LightgbmModel;
using formats::LightgbmTree;
using Transform = LightgbmTransform;

// LightGBM's kZeroThreshold, a float constant.
constexpr double zero_threshold = static_cast<double>(1e-35f);

bool is_zero(double x) {
  return x >= -zero_threshold && x <= zero_threshold;
}

bool has_param(const LightgbmModel& model, std::string_view name) {
  return std::any_of(model.objective_params.begin(), model.objective_params.end(),
                     [&](const auto& param) { return param.first == name; });
}

Transform transform_of(const LightgbmModel& model) {
  const std::string_view name = model.objective;
  if (name == "binary" || name == "multiclassova" || name == "cross_entropy" || name == "xentropy")
    return Transform::sigmoid;
  if (name == "multiclass") return Transform::softmax;
  if (name == "cross_entropy_lambda" || name == "xentlambda") return Transform::log1p_exp;
  if (name == "poisson" || name == "gamma" || name == "tweedie") return Transform::exponential;
  return has_param(model, "sqrt") ? Transform::signed_square : Transform::identity;
}

// "sigmoid:2" of binary and multiclassova; cross_entropy has none.
Result<double> sigmoid_of(const LightgbmModel& model) {
  const std::string_view text = formats::value_or(model.objective_params, "sigmoid", "1");
  double value = 0.0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || stop != text.data() + text.size() || !(value > 0.0)) {
    return make_error(Code::parse_error, "The objective's sigmoid '{}' must be a number above 0.", text.substr(0, 24));
  }
  return value;
}

bool goes_left_by_category(const LightgbmTree& tree, std::size_t node, double x) {
  if (std::isnan(x) || x < 0.0 || x >= 2147483648.0) return false;
  const auto category = static_cast<std::uint32_t>(x);
  const auto set = static_cast<std::size_t>(tree.threshold[node]);
  const std::uint32_t word = category / 32;
  if (word >= tree.cat_boundaries[set + 1] - tree.cat_boundaries[set]) return false;
  return (tree.cat_words[tree.cat_boundaries[set] + word] >> (category % 32) & 1u) != 0;
}

bool goes_left(const LightgbmTree& tree, std::size_t node, double x) {
  if (tree.categorical(node)) return goes_left_by_category(tree, node, x);
  const LightgbmMissing missing = tree.missing(node);
  if (std::isnan(x) && missing != LightgbmMissing::nan) x = 0.0;
  if (missing == LightgbmMissing::zero && is_zero(x)) return tree.default_left(node);
  if (missing == LightgbmMissing::nan && std::isnan(x)) return tree.default_left(node);
  return x <= tree.threshold[node];
}

std::size_t leaf_of(const LightgbmTree& tree, const double* row) {
  std::int32_t node = tree.num_leaves > 1 ? 0 : -1;
  while (node >= 0) {
    const auto at = static_cast<std::size_t>(node);
    node = goes_left(tree, at, row[tree.split_feature[at]]) ? tree.left[at] : tree.right[at];
  }
  return static_cast<std::size_t>(~node);
}

void softmax(double* values, std::size_t count) {
  const double top = *std::max_element(values, values + count);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = std::exp(values[i] - top);
    sum += values[i];
  }
  for (std::size_t i = 0; i < count; ++i) values[i] /= sum;
}

}  // namespace

double lightgbm_tree_output(const LightgbmTree& tree, const double* row) {
  const std::size_t leaf = leaf_of(tree, row);
  if (!tree.is_linear) return tree.leaf_value[leaf];
  double output = tree.leaf_const[leaf];
  for (std::uint32_t i = tree.linear_begin[leaf]; i < tree.linear_begin[leaf + 1]; ++i) {
    const double x = row[tree.linear_feature[i]];
    if (std::isnan(x)) return tree.leaf_value[leaf];
    output += tree.linear_coeff[i] * x;
  }
  return output;
}

Result<LightgbmScorer> LightgbmScorer::build(LightgbmModel model) {
  LightgbmScorer scorer;
  if (model.num_class != model.num_tree_per_iteration) {
    return make_error(Code::unsupported, "num_class={} with num_tree_per_iteration={} is not supported.",
                      model.num_class, model.num_tree_per_iteration);
  }
  scorer.n_features_ = model.num_feature;
  scorer.n_outputs_ = model.num_tree_per_iteration;
  scorer.transform_ = transform_of(model);
  JACKDAW_ASSIGN(scorer.sigmoid_, sigmoid_of(model));
  if (model.average_output && !model.trees.empty()) {
    scorer.average_over_ = static_cast<double>(model.trees.size() / scorer.n_outputs_);
  }
  std::set<std::uint32_t> categorical;
  for (const LightgbmTree& tree : model.trees) {
    for (std::size_t node = 0; node + 1 < tree.num_leaves; ++node) {
      if (tree.categorical(node)) categorical.insert(tree.split_feature[node]);
    }
  }
  scorer.categorical_features_.assign(categorical.begin(), categorical.end());
  if (model.has_linear_trees) {
    scorer.linear_trees_ = std::move(model.trees);
  } else if (!model.trees.empty()) {
    JACKDAW_ASSIGN(const ops::ForestSpec spec, lightgbm_forest_spec(model));
    JACKDAW_ASSIGN(scorer.forest_, ops::Forest::build(spec));
    scorer.contributions_ = ops::ForestContributions::build(spec);
  }
  return scorer;
}

void LightgbmScorer::prepare_row(double* row) const {
  for (std::size_t i = 0; i < n_features_; ++i) {
    if (is_zero(row[i])) row[i] = 0.0;
  }
  for (const std::uint32_t feature : categorical_features_) {
    if (row[feature] > -1.0 && row[feature] < 0.0) row[feature] = 0.0;
  }
}

void LightgbmScorer::raw_scores(const double* rows, std::size_t n, double* out) const {
  std::fill(out, out + n * n_outputs_, 0.0);
  if (forest_) forest_->add_scores(rows, n, n_features_, out);
  for (std::size_t row = 0; row < (linear_trees_.empty() ? 0 : n); ++row) {
    for (std::size_t tree = 0; tree < linear_trees_.size(); ++tree) {
      out[row * n_outputs_ + tree % n_outputs_] += lightgbm_tree_output(linear_trees_[tree], rows + row * n_features_);
    }
  }
}

Result<void> LightgbmScorer::contributions(const double* rows, std::size_t n, double* out) const {
  if (!linear_trees_.empty()) {
    return make_error(
        Code::unsupported,
        "Predicting SHAP feature contributions is not implemented for linear trees.");  // LightGBM's words.
  }
  if (forest_ && !contributions_) return contributions_.error();
  if (contributions_) {
    contributions_->write(rows, n, n_features_, out);
  } else {
    std::fill_n(out, n * n_outputs_ * (n_features_ + 1), 0.0);
  }
  return {};
}

double LightgbmScorer::explain_row_ns() const {
  return static_cast<double>((n_features_ + 1) * n_outputs_) + (contributions_ ? contributions_->row_ns() : 0.0);
}

void LightgbmScorer::convert(double* scores, std::size_t n) const {
  const std::size_t count = n * n_outputs_;
  for (std::size_t i = 0; i < (average_over_ != 0.0 ? count : 0); ++i) scores[i] /= average_over_;
  switch (transform_) {
    case Transform::identity:
      return;
    case Transform::softmax:
      for (std::size_t row = 0; row < n; ++row) softmax(scores + row * n_outputs_, n_outputs_);
      return;
    case Transform::sigmoid:
      for (std::size_t i = 0; i < count; ++i) scores[i] = 1.0 / (1.0 + std::exp(-sigmoid_ * scores[i]));
      return;
    case Transform::exponential:
      for (std::size_t i = 0; i < count; ++i) scores[i] = std::exp(scores[i]);
      return;
    case Transform::log1p_exp:
      for (std::size_t i = 0; i < count; ++i) scores[i] = std::log1p(std::exp(scores[i]));
      return;
    case Transform::signed_square:
      for (std::size_t i = 0; i < count; ++i) {
        const double x = scores[i];
        scores[i] = static_cast<double>((x > 0.0) - (x < 0.0)) * x * x;
      }
      return;
  }
}

double LightgbmScorer::row_ns() const {
  const double convert_ns = 10.0 * static_cast<double>(n_outputs_) + static_cast<double>(n_features_);
  return convert_ns + (forest_ ? forest_->row_ns() : walk_ns());
}

double LightgbmScorer::walk_ns() const {
  double ns = 0.0;
  for (const LightgbmTree& tree : linear_trees_)
    ns += 8.0 * std::log2(static_cast<double>(tree.num_leaves) + 1.0) + 10.0;
  return ns;
}

std::size_t LightgbmScorer::resident_bytes() const {
  std::size_t bytes = sizeof(*this) + (forest_ ? forest_->resident_bytes() : 0) +
                      (contributions_ ? contributions_->resident_bytes() : 0);
  for (const LightgbmTree& tree : linear_trees_) {
    bytes += tree.num_leaves * 40ull + (tree.linear_coeff.size() * 12) + 4 * tree.cat_words.size();
  }
  return bytes;
}

}  // namespace jackdaw::predict
