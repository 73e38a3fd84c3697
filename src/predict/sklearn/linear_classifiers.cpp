// Linear classifiers. Read: classes_, coef_ (n_classes or 1, n_features), intercept_; LogisticRegression: multi_class
// (absent since 1.8) and solver; SGDClassifier: loss; RidgeClassifier: the
// classes are those of _label_binarizer.
#include "src/predict/sklearn/linear_classifiers.h"

#include <algorithm>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/labels.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

// How scores become probabilities.
enum class Proba : unsigned char { none, one_vs_rest, softmax, modified_huber };

void fill_binary(const double* p, std::size_t rows, DType dtype, double* out) {
  for (std::size_t r = 0; r < rows; ++r) {
    const double positive = round_to(dtype, p[r]);
    out[2 * r] = round_to(dtype, 1.0 - positive);
    out[2 * r + 1] = positive;
  }
}

void one_vs_rest_row(double* row, std::size_t n, DType dtype) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += row[i] = round_to(dtype, expit(row[i]));
  for (std::size_t i = 0; i < n; ++i) row[i] = round_to(dtype, row[i] / sum);
}

// A row whose scores are all at or below -1 becomes uniform.
void modified_huber_row(double* row, std::size_t n, DType dtype) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += row[i] = round_to(dtype, (std::clamp(row[i], -1.0, 1.0) + 1.0) / 2.0);
  if (sum == 0) {
    std::fill(row, row + n, 1.0);
    sum = static_cast<double>(n);
  }
  for (std::size_t i = 0; i < n; ++i) row[i] = round_to(dtype, row[i] / sum);
}

class LinearClassifier : public Predictor {
 public:
  LinearClassifier(InputRule rule, Affine affine, Labels labels, Proba proba)
      : Predictor(std::move(rule)), affine_(std::move(affine)), proba_(proba) {
    classes_.push_back(std::move(labels));
  }

  bool supports(Method method) const override {
    if (method == Method::predict || method == Method::decision_function) return true;
    return proba_ != Proba::none && (method == Method::predict_proba || method == Method::predict_log_proba);
  }

  Result<Output> run(Method method, const Frame& frame) const override {
    if (!supports(method)) return lacks(method);
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    double* scores = scratch(0, x->rows * affine_.outputs());
    apply(affine_, *x, scores);
    const DType dtype = affine_.result_dtype(x->dtype);
    if (method == Method::predict) return predict(scores, x->rows);
    if (method == Method::decision_function) return decision(scores, x->rows, dtype);
    return probabilities(scores, x->rows, dtype, method == Method::predict_log_proba);
  }

  std::span<const Labels> classes() const override { return classes_; }
  double cost_ns(std::size_t rows) const override {
    const double exps = proba_ == Proba::none ? 0.0 : 8.0 * static_cast<double>(affine_.outputs());
    return 150.0 + (affine_row_ns(affine_) + exps) * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + affine_.resident_bytes(); }

 private:
  bool binary() const { return affine_.outputs() == 1; }

  Output predict(const double* scores, std::size_t rows) const {
    thread_local std::vector<std::uint32_t> indices;
    indices.resize(rows);
    const std::size_t k = affine_.outputs();
    for (std::size_t r = 0; r < rows; ++r) {
      const double* row = scores + r * k;
      indices[r] = binary() ? row[0] > 0 : static_cast<std::uint32_t>(argmax(row, k));
    }
    return one_array(label_tensor(classes_[0], indices));
  }

  Output decision(const double* scores, std::size_t rows, DType dtype) const {
    const std::size_t k = affine_.outputs();
    std::vector<std::int64_t> shape = {static_cast<std::int64_t>(rows)};
    if (!binary()) shape.push_back(static_cast<std::int64_t>(k));
    return one_array(make_tensor(dtype, std::move(shape), {scores, rows * k}));
  }

  void fill_probabilities(double* scores, std::size_t rows, DType dtype, double* out) const {
    const std::size_t k = affine_.outputs();
    if (binary()) {
      for (std::size_t r = 0; r < rows; ++r) {
        double& s = scores[r];
        if (proba_ == Proba::modified_huber) {
          s = (std::clamp(s, -1.0, 1.0) + 1.0) / 2.0;
        } else if (proba_ == Proba::one_vs_rest) {
          s = expit(s);
        }
      }
      if (proba_ != Proba::softmax) return fill_binary(scores, rows, dtype, out);
      for (std::size_t r = 0; r < rows; ++r) {
        out[2 * r] = -scores[r];
        out[2 * r + 1] = scores[r];
        softmax_row(out + 2 * r, 2, dtype);
      }
      return;
    }
    std::copy(scores, scores + rows * k, out);
    for (std::size_t r = 0; r < rows; ++r) {
      double* row = out + r * k;
      if (proba_ == Proba::softmax) {
        softmax_row(row, k, dtype);
      } else if (proba_ == Proba::one_vs_rest) {
        one_vs_rest_row(row, k, dtype);
      } else {
        modified_huber_row(row, k, dtype);
      }
    }
  }

  Output probabilities(double* scores, std::size_t rows, DType dtype, bool logarithm) const {
    const std::size_t k = classes_[0].size();
    double* out = scratch(1, rows * k);
    fill_probabilities(scores, rows, dtype, out);
    if (logarithm) {
      for (std::size_t i = 0; i < rows * k; ++i) out[i] = round_to(dtype, std::log(out[i]));
    }
    return one_array(
        make_tensor(dtype, {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(k)}, {out, rows * k}));
  }

  Affine affine_;
  std::vector<Labels> classes_;
  Proba proba_;
};

// RidgeClassifier fitted on a multilabel indicator: one yes or no per label.
class MultilabelRidge : public Predictor {
 public:
  MultilabelRidge(InputRule rule, Affine affine, std::vector<Labels> classes)
      : Predictor(std::move(rule)), affine_(std::move(affine)), classes_(std::move(classes)) {}

  bool supports(Method m) const override { return m == Method::predict || m == Method::decision_function; }

  Result<Output> run(Method method, const Frame& frame) const override {
    if (!supports(method)) return lacks(method);
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    const std::size_t count = x->rows * affine_.outputs();
    double* scores = scratch(0, count);
    apply(affine_, *x, scores);
    DType dtype = affine_.result_dtype(x->dtype);
    if (method == Method::predict) {
      for (std::size_t i = 0; i < count; ++i) scores[i] = scores[i] > 0 ? 1.0 : 0.0;
      dtype = DType::int64;
    }
    return one_array(make_tensor(
        dtype, {static_cast<std::int64_t>(x->rows), static_cast<std::int64_t>(affine_.outputs())}, {scores, count}));
  }

  std::span<const Labels> classes() const override { return classes_; }
  double cost_ns(std::size_t rows) const override { return 150.0 + affine_row_ns(affine_) * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this) + affine_.resident_bytes(); }

 private:
  Affine affine_;
  std::vector<Labels> classes_;
};

Result<std::unique_ptr<Estimator>> build_with(const BuildContext& c, Proba proba, const BuildContext& labelled) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c));
  JACKDAW_ASSIGN(Labels labels, labelled.labels("classes_"));
  const std::size_t outputs = affine.outputs();
  if (labels.size() != outputs && !(outputs == 1 && labels.size() == 2)) {
    return c.error(Code::parse_error, fmt::format("'coef_' has {} rows for {} classes", outputs, labels.size()));
  }
  if (labels.size() < 2) return c.error(Code::parse_error, "a classifier needs at least two classes");
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  return std::unique_ptr<Estimator>(new LinearClassifier(std::move(rule), std::move(affine), std::move(labels), proba));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_linear_classifier(const BuildContext& c) {
  return build_with(c, Proba::none, c);
}

Result<std::unique_ptr<Estimator>> build_logistic_regression(const BuildContext& c) {
  const std::string multi_class = c.text_or("multi_class", "auto");
  const std::string solver = c.text_or("solver", "lbfgs");
  JACKDAW_ASSIGN(const Labels labels, c.labels("classes_"));
  // newton-cholesky fitted one against the rest until 1.6.
  const bool rest_solver = solver == "liblinear" || (solver == "newton-cholesky" && !written_since(c, 1, 6));
  const bool automatic = multi_class == "auto" || multi_class == "deprecated";
  const bool one_vs_rest =
      multi_class == "ovr" || multi_class == "warn" || (automatic && (labels.size() <= 2 || rest_solver));
  return build_with(c, one_vs_rest ? Proba::one_vs_rest : Proba::softmax, c);
}

Result<std::unique_ptr<Estimator>> build_sgd_classifier(const BuildContext& c) {
  const std::string loss = c.text_or("loss", "hinge");
  if (loss == "log_loss" || loss == "log") return build_with(c, Proba::one_vs_rest, c);
  return build_with(c, loss == "modified_huber" ? Proba::modified_huber : Proba::none, c);
}

Result<std::unique_ptr<Estimator>> build_ridge_classifier(const BuildContext& c) {
  const formats::NodeId binarizer = c.attribute("_label_binarizer");
  if (binarizer == formats::no_node) return build_linear_classifier(c);
  const BuildContext inner = c.child(binarizer, "_label_binarizer");
  if (!inner.text_or("y_type_", "").starts_with("multilabel")) {
    return build_with(c, Proba::none, c.has("classes_") ? c : inner);
  }
  JACKDAW_ASSIGN(Affine affine, Affine::read(c));
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  std::vector<Labels> classes(affine.outputs(), range_labels(2));
  return std::unique_ptr<Estimator>(new MultilabelRidge(std::move(rule), std::move(affine), std::move(classes)));
}

}  // namespace jackdaw::predict
