// Linear regressors, and the table of the whole linear family. Read: coef_ (n_features,) or (n_targets, n_features),
// intercept_ (a float or an array); in every scikit-learn version since 0.18.
#include <array>

#include "src/predict/sklearn/check_input.h"
#include "src/predict/sklearn/labels.h"
#include "src/predict/sklearn/linear_classifiers.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

enum class Link : unsigned char { identity, log };

class LinearRegressor : public Predictor {
 public:
  LinearRegressor(InputRule rule, Affine affine, Link link)
      : Predictor(std::move(rule)), affine_(std::move(affine)), link_(link) {}

  bool supports(Method method) const override { return method == Method::predict; }

  Result<Output> run(Method method, const Frame& frame) const override {
    if (method != Method::predict) return lacks(method);
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    const std::size_t count = x->rows * affine_.outputs();
    double* values = scratch(0, count);
    apply(affine_, *x, values);
    const DType dtype = affine_.result_dtype(x->dtype);
    if (link_ == Link::log) {
      for (std::size_t i = 0; i < count; ++i) values[i] = round_to(dtype, std::exp(values[i]));
    }
    std::vector<std::int64_t> shape = {static_cast<std::int64_t>(x->rows)};
    if (!affine_.one_dimensional) shape.push_back(static_cast<std::int64_t>(affine_.outputs()));
    return one_array(make_tensor(dtype, std::move(shape), {values, count}));
  }

  double cost_ns(std::size_t rows) const override { return 120.0 + affine_row_ns(affine_) * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this) + affine_.resident_bytes(); }

 private:
  Affine affine_;
  Link link_;
};

Result<std::unique_ptr<Estimator>> build_linked(const BuildContext& c, Link link, Numbers numbers) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c));
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  rule.numbers = numbers;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  return std::unique_ptr<Estimator>(new LinearRegressor(std::move(rule), std::move(affine), link));
}

Result<std::unique_ptr<Estimator>> linear_regressor(const BuildContext& c) {
  return build_linked(c, Link::identity, Numbers::numeric);
}

// LinearSVR and SGDRegressor answer (n,) although LinearSVR keeps its coefficients as a vector only since 0.18.
Result<std::unique_ptr<Estimator>> raveled_regressor(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c));
  if (affine.outputs() == 1) affine.one_dimensional = true;
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  return std::unique_ptr<Estimator>(new LinearRegressor(std::move(rule), std::move(affine), Link::identity));
}

Result<std::unique_ptr<Estimator>> log_linked(const BuildContext& c) {
  return build_linked(c, Link::log, Numbers::floats);
}

// link: 'auto' is log for powers above 0; 'identity' and 'log' say so themselves.
Result<std::unique_ptr<Estimator>> tweedie(const BuildContext& c) {
  const std::string link = c.text_or("link", "auto");
  const bool log = link == "log" || (link == "auto" && c.number_or("power", 0.0) > 0.0);
  if (link != "log" && link != "auto" && link != "identity") {
    return c.error(Code::unsupported, fmt::format("link '{}' is not known", link));
  }
  return build_linked(c, log ? Link::log : Link::identity, Numbers::floats);
}

// RANSACRegressor answers as its final estimator.
Result<std::unique_ptr<Estimator>> ransac(const BuildContext& c) {
  return c.estimator("estimator_");
}

constexpr ClassRow rows[] = {
    {"sklearn.linear_model.LinearRegression", linear_regressor},
    {"sklearn.linear_model.Ridge", linear_regressor},
    {"sklearn.linear_model.RidgeCV", linear_regressor},
    {"sklearn.linear_model.Lasso", linear_regressor},
    {"sklearn.linear_model.LassoCV", linear_regressor},
    {"sklearn.linear_model.ElasticNet", linear_regressor},
    {"sklearn.linear_model.ElasticNetCV", linear_regressor},
    {"sklearn.linear_model.MultiTaskLasso", linear_regressor},
    {"sklearn.linear_model.MultiTaskLassoCV", linear_regressor},
    {"sklearn.linear_model.MultiTaskElasticNet", linear_regressor},
    {"sklearn.linear_model.MultiTaskElasticNetCV", linear_regressor},
    {"sklearn.linear_model.Lars", linear_regressor},
    {"sklearn.linear_model.LarsCV", linear_regressor},
    {"sklearn.linear_model.LassoLars", linear_regressor},
    {"sklearn.linear_model.LassoLarsCV", linear_regressor},
    {"sklearn.linear_model.LassoLarsIC", linear_regressor},
    {"sklearn.linear_model.OrthogonalMatchingPursuit", linear_regressor},
    {"sklearn.linear_model.OrthogonalMatchingPursuitCV", linear_regressor},
    {"sklearn.linear_model.BayesianRidge", linear_regressor},
    {"sklearn.linear_model.ARDRegression", linear_regressor},
    {"sklearn.linear_model.HuberRegressor", linear_regressor},
    {"sklearn.linear_model.TheilSenRegressor", linear_regressor},
    {"sklearn.linear_model.QuantileRegressor", linear_regressor},
    {"sklearn.linear_model.RANSACRegressor", ransac},
    {"sklearn.linear_model.SGDRegressor", raveled_regressor},
    {"sklearn.linear_model.PassiveAggressiveRegressor", raveled_regressor},
    {"sklearn.svm.LinearSVR", raveled_regressor},
    {"sklearn.linear_model.PoissonRegressor", log_linked},
    {"sklearn.linear_model.GammaRegressor", log_linked},
    {"sklearn.linear_model.TweedieRegressor", tweedie},
    {"sklearn.linear_model.LogisticRegression", build_logistic_regression},
    {"sklearn.linear_model.LogisticRegressionCV", build_logistic_regression},
    {"sklearn.linear_model.SGDClassifier", build_sgd_classifier},
    {"sklearn.linear_model.Perceptron", build_linear_classifier},
    {"sklearn.linear_model.PassiveAggressiveClassifier", build_linear_classifier},
    {"sklearn.linear_model.RidgeClassifier", build_ridge_classifier},
    {"sklearn.linear_model.RidgeClassifierCV", build_ridge_classifier},
    {"sklearn.svm.LinearSVC", build_linear_classifier},
};

}  // namespace

std::span<const ClassRow> linear_rows() {
  return rows;
}

}  // namespace jackdaw::predict
