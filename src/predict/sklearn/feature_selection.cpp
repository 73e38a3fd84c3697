// Feature selection: every selector is a mask over columns. Read: SelectKBest & co scores_, pvalues_, k, percentile,
// alpha, mode; VarianceThreshold variances_, threshold; RFE, RFECV and SequentialFeatureSelector support_ (+
// estimator_); SelectFromModel estimator_ (estimator when prefit), threshold, norm_order, max_features.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/predict/sklearn/feature_importances.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

using Mask = std::vector<bool>;

class ColumnSelector : public Estimator {
 public:
  ColumnSelector(InputRule rule, const Mask& mask, std::unique_ptr<Estimator> model)
      : rule_(std::move(rule)), model_(std::move(model)) {
    for (std::size_t i = 0; i < mask.size(); ++i) {
      if (mask[i]) places_.push_back(i);
    }
  }

  bool supports(Method method) const override {
    return method == Method::transform || (model_ && model_->supports(method));
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!model_) {
      return make_error(Code::unsupported, "'{}' object has no attribute '{}'", rule_.class_name, method_name(method));
    }
    JACKDAW_ASSIGN(const Frame chosen, transform(x));
    return model_->run(method, chosen);
  }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef in, check_input(x, rule_));
    return Frame(select_columns(*in, places_));
  }
  std::int64_t n_features_in() const override { return rule_.n_features; }
  std::span<const std::string> feature_names_in() const override { return rule_.names; }
  std::span<const Labels> classes() const override { return model_ ? model_->classes() : std::span<const Labels>(); }
  double cost_ns(std::size_t rows) const override {
    const double model = model_ ? model_->cost_ns(rows) : 0.0;
    return 60.0 + static_cast<double>(rows * places_.size()) + model;
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + 8 * places_.size(); }

 private:
  InputRule rule_;
  std::vector<std::size_t> places_;
  std::unique_ptr<Estimator> model_;
};

Result<std::unique_ptr<Estimator>> make_selector(const BuildContext& c, const Mask& mask, bool allow_nan,
                                                 std::unique_ptr<Estimator> model = nullptr) {
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  rule.finite = allow_nan ? Finite::nan_allowed : Finite::required;
  JACKDAW_TRY(fit_width(c, rule, mask.size()));
  return std::unique_ptr<Estimator>(new ColumnSelector(std::move(rule), mask, std::move(model)));
}

// Scores with NaN as the smallest number.
Result<std::vector<double>> read_scores(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<double> scores, c.doubles("scores_"));
  for (double& v : scores) {
    if (std::isnan(v)) v = std::numeric_limits<double>::lowest();
  }
  return scores;
}

// The k largest; of equals the later ones, as a stable ascending sort has it.
Mask largest(const std::vector<double>& scores, std::size_t k) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  Mask mask(scores.size());
  for (std::size_t i = scores.size() - std::min(k, scores.size()); i < scores.size(); ++i) mask[order[i]] = true;
  return mask;
}

Result<Mask> best_k(const BuildContext& c, std::string_view parameter) {
  JACKDAW_ASSIGN(const std::vector<double> scores, read_scores(c));
  if (c.text_or(parameter, "") == "all") return Mask(scores.size(), true);
  JACKDAW_ASSIGN(const std::int64_t k, c.integer(parameter));
  if (k < 0) return c.error(Code::parse_error, "'k' is out of range");
  return largest(scores, static_cast<std::size_t>(k));
}

// numpy.percentile with linear interpolation.
double percentile_of(std::vector<double> values, double percent) {
  std::sort(values.begin(), values.end());
  const double at = percent / 100.0 * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(at));
  const std::size_t high = std::min(low + 1, values.size() - 1);
  const double t = at - static_cast<double>(low);
  const double d = values[high] - values[low];
  return t >= 0.5 ? values[high] - d * (1.0 - t) : values[low] + d * t;
}

Result<Mask> best_percent(const BuildContext& c, std::string_view parameter) {
  JACKDAW_ASSIGN(const std::vector<double> scores, read_scores(c));
  JACKDAW_ASSIGN(const double percent, c.number(parameter));
  if (scores.empty() || !(percent >= 0 && percent <= 100))
    return c.error(Code::parse_error, "'percentile' is out of range");
  if (percent == 100 || percent == 0) return Mask(scores.size(), percent == 100);
  const double threshold = percentile_of(scores, 100.0 - percent);
  Mask mask(scores.size());
  std::int64_t chosen = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    mask[i] = scores[i] > threshold;
    chosen += mask[i];
  }
  auto left = static_cast<std::int64_t>(static_cast<double>(scores.size()) * percent / 100.0) - chosen;
  for (std::size_t i = 0; i < scores.size() && left > 0; ++i) {
    if (scores[i] != threshold) continue;
    mask[i] = true;
    --left;
  }
  return mask;
}

Result<Mask> below_alpha(const BuildContext& c, std::string_view parameter, std::string_view mode) {
  JACKDAW_ASSIGN(const std::vector<double> p, c.doubles("pvalues_"));
  JACKDAW_ASSIGN(double limit, c.number(parameter));
  const double n = static_cast<double>(p.size());
  bool inclusive = false;
  if (mode == "fwe") limit /= n;
  if (mode == "fdr") {
    std::vector<double> sorted = p;
    std::sort(sorted.begin(), sorted.end());
    double largest_kept = -1;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (sorted[i] <= limit / n * static_cast<double>(i + 1)) largest_kept = sorted[i];
    }
    limit = largest_kept;
    inclusive = true;
  }
  Mask mask(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) mask[i] = inclusive ? p[i] <= limit : p[i] < limit;
  return mask;
}

Result<Mask> by_mode(const BuildContext& c, std::string_view mode, std::string_view parameter) {
  if (mode == "k_best") return best_k(c, parameter);
  if (mode == "percentile") return best_percent(c, parameter);
  return below_alpha(c, parameter, mode);
}

template <const char* mode, const char* parameter>
Result<std::unique_ptr<Estimator>> univariate(const BuildContext& c) {
  JACKDAW_ASSIGN(const Mask mask, by_mode(c, mode, parameter));
  return make_selector(c, mask, false);
}

constexpr char k_best_mode[] = "k_best", percentile_mode[] = "percentile", fpr_mode[] = "fpr", fdr_mode[] = "fdr",
               fwe_mode[] = "fwe", k_name[] = "k", percentile_name[] = "percentile", alpha_name[] = "alpha";

Result<std::unique_ptr<Estimator>> generic_univariate(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::string mode, c.text("mode"));
  JACKDAW_ASSIGN(const Mask mask, by_mode(c, mode, "param"));
  return make_selector(c, mask, false);
}

Result<std::unique_ptr<Estimator>> variance_threshold(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<double> variances, c.doubles("variances_"));
  const double threshold = c.number_or("threshold", 0.0);
  Mask mask(variances.size());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = variances[i] > threshold;
  return make_selector(c, mask, true);
}

Result<Mask> read_support(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<double> support, c.doubles("support_"));
  Mask mask(support.size());
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = support[i] != 0;
  return mask;
}

Result<std::unique_ptr<Estimator>> recursive_elimination(const BuildContext& c) {
  JACKDAW_ASSIGN(const Mask mask, read_support(c));
  JACKDAW_ASSIGN(auto model, c.estimator("estimator_"));
  return make_selector(c, mask, true, std::move(model));
}

Result<std::unique_ptr<Estimator>> sequential(const BuildContext& c) {
  JACKDAW_ASSIGN(const Mask mask, read_support(c));
  return make_selector(c, mask, true);
}

// ---- SelectFromModel ----------------------------------------------------------------------------------------------

double mean_of(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x;
  return sum / static_cast<double>(v.size());
}

double median_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const std::size_t half = v.size() / 2;
  return v.size() % 2 == 1 ? v[half] : (v[half - 1] + v[half]) / 2.0;
}

// The estimators whose coefficients are zero where they do not matter.
bool is_sparse_model(const BuildContext& model) {
  const std::string name = model.short_class();
  if (name.find("Lasso") != std::string::npos || model.text_or("penalty", "") == "l1") return true;
  const bool by_ratio = name == "ElasticNet" || (name == "LogisticRegression" && written_since(model, 1, 8));
  return (by_ratio && model.number_or("l1_ratio", 0.0) == 1.0) ||
         (name == "ElasticNetCV" && model.number_or("l1_ratio_", 0.0) == 1.0);
}

Result<double> read_threshold(const BuildContext& c, const BuildContext& model, const std::vector<double>& scores) {
  if (c.has("threshold") && !c.text("threshold")) return c.number("threshold");
  if (!c.has("threshold") && is_sparse_model(model)) return 1e-5;
  std::string text = c.text_or("threshold", "mean");
  double factor = 1.0;
  if (const std::size_t star = text.find('*'); star != std::string::npos) {
    factor = std::strtod(text.c_str(), nullptr);
    text = text.substr(star + 1);
  }
  std::erase(text, ' ');
  if (text == "mean") return factor * mean_of(scores);
  if (text == "median") return factor * median_of(scores);
  return c.error(Code::unsupported, fmt::format("the threshold '{}' is not known", text));
}

Result<std::unique_ptr<Estimator>> from_model(const BuildContext& c) {
  const std::string_view name = c.has("estimator_") ? "estimator_" : "estimator";
  if (!c.has(name)) return c.error(Code::parse_error, "it holds no fitted estimator");
  if (c.has("importance_getter") && c.text_or("importance_getter", "") != "auto") {
    return c.error(Code::unsupported, "its importance_getter is not 'auto'");
  }
  const BuildContext model = c.child(c.attribute(name), name);
  JACKDAW_ASSIGN(const std::vector<double> scores, feature_importances(model, c.number_or("norm_order", 1.0)));
  if (scores.empty()) return c.error(Code::parse_error, "its estimator has no features");
  JACKDAW_ASSIGN(const double threshold, read_threshold(c, model, scores));
  Mask mask(scores.size(), true);
  if (c.has("max_features")) {
    const std::int64_t most = c.integer_or("max_features_", c.integer_or("max_features", -1));
    if (most < 0) return c.error(Code::unsupported, "its max_features is Python code");
    // The largest, and of equals the earlier ones.
    std::vector<double> reversed(scores.rbegin(), scores.rend());
    const Mask kept = largest(reversed, static_cast<std::size_t>(most));
    mask.assign(kept.rbegin(), kept.rend());
  }
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] && !(scores[i] < threshold);
  return make_selector(c, mask, true);
}

constexpr ClassRow rows[] = {
    {"sklearn.feature_selection.SelectKBest", univariate<k_best_mode, k_name>},
    {"sklearn.feature_selection.SelectPercentile", univariate<percentile_mode, percentile_name>},
    {"sklearn.feature_selection.SelectFpr", univariate<fpr_mode, alpha_name>},
    {"sklearn.feature_selection.SelectFdr", univariate<fdr_mode, alpha_name>},
    {"sklearn.feature_selection.SelectFwe", univariate<fwe_mode, alpha_name>},
    {"sklearn.feature_selection.GenericUnivariateSelect", generic_univariate},
    {"sklearn.feature_selection.VarianceThreshold", variance_threshold},
    {"sklearn.feature_selection.SelectFromModel", from_model},
    {"sklearn.feature_selection.RFE", recursive_elimination},
    {"sklearn.feature_selection.RFECV", recursive_elimination},
    {"sklearn.feature_selection.SequentialFeatureSelector", sequential},
};

}  // namespace

std::span<const ClassRow> feature_selection_rows() {
  return rows;
}

}  // namespace jackdaw::predict
