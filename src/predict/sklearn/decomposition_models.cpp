// PLS (_x_mean, _x_std, x_rotations_, coef_ or _coef_, intercept_), IsotonicRegression (X_thresholds_, y_thresholds_,
// out_of_bounds) and EllipticEnvelope (location_, precision_, offset_).
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/decomposition.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

class Pls : public RuledEstimator {
 public:
  struct Fitted {
    std::vector<double> mean, std;
    Affine predict;  // on x - mean, divided by std first before 1.3
    bool divide = false;
    Affine rotate;
    bool vector = false;  // predict answers (n,)
  };
  Pls(InputRule rule, Fitted fitted) : RuledEstimator(std::move(rule)), f_(std::move(fitted)) {}

  bool supports(Method m) const override { return m == Method::predict || m == Method::transform; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) return lacks(method);
    JACKDAW_ASSIGN(const Matrix out, map(x, f_.predict, f_.divide));
    return f_.vector ? vector_output(out.dtype, out.values) : matrix_output(out);
  }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, map(x, f_.rotate, true));
    return Frame(std::move(out));
  }
  double cost_ns(std::size_t rows) const override {
    return 100.0 + affine_row_ns(f_.predict) * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + f_.predict.resident_bytes(); }

 private:
  Result<Matrix> map(const Frame& frame, const Affine& affine, bool divide) const {
    JACKDAW_ASSIGN(MatrixRef checked, check_input(frame, rule_));
    Matrix x = std::move(checked).take();
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t c = 0; c < x.cols; ++c) {
        double v = round_to(x.dtype, x.row(r)[c] - f_.mean[c]);
        if (divide) v = round_to(x.dtype, v / f_.std[c]);
        x.row(r)[c] = v;
      }
    }
    Matrix out = Matrix::dense(x.rows, affine.outputs(), affine.result_dtype(x.dtype));
    apply(affine, x, out.values.data());
    return out;
  }
  Fitted f_;
};

Matrix transposed(const Matrix& m) {
  Matrix out = Matrix::dense(m.cols, m.rows, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) out.row(c)[r] = m.row(r)[c];
  }
  return out;
}

class Isotonic : public Estimator {
 public:
  enum class Outside : unsigned char { clip, nan, raise };
  Isotonic(std::vector<double> x, std::vector<double> y, Outside outside, DType dtype)
      : x_(std::move(x)), y_(std::move(y)), outside_(outside), dtype_(dtype) {}

  bool supports(Method m) const override { return m == Method::predict || m == Method::transform; }
  Result<Output> run(Method, const Frame& x) const override {
    JACKDAW_ASSIGN(const Matrix out, map(x));
    return vector_output(out.dtype, out.values);
  }
  Result<Output> transform_output(const Frame& x) const override { return run(Method::transform, x); }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, map(x));
    return Frame(std::move(out));
  }
  std::int64_t n_features_in() const override { return 1; }
  double cost_ns(std::size_t rows) const override { return 60.0 + 30.0 * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this) + 16 * x_.size(); }

 private:
  Result<Matrix> map(const Frame& frame) const {
    InputRule rule;
    rule.class_name = "IsotonicRegression";
    rule.n_features = 1;
    rule.numbers = dtype_ == DType::fp32 ? Numbers::fp32 : Numbers::fp64;
    JACKDAW_ASSIGN(MatrixRef in, check_input(frame, rule));
    Matrix m = std::move(in).take();
    for (double& v : m.values) {
      const bool outside = v < x_.front() || v > x_.back();
      if (outside && outside_ == Outside::raise) {
        return make_error(Code::invalid_argument, "A value ({}) in x_new is {} the interpolation range.", v,
                          v < x_.front() ? "below" : "above");
      }
      v = outside && outside_ == Outside::nan ? NAN : round_to(m.dtype, at(std::clamp(v, x_.front(), x_.back())));
    }
    return m;
  }

  double at(double v) const {
    if (x_.size() == 1) return y_[0];
    const auto right = std::clamp<std::ptrdiff_t>(std::lower_bound(x_.begin(), x_.end(), v) - x_.begin(), 1,
                                                  static_cast<std::ptrdiff_t>(x_.size()) - 1);
    const auto i = static_cast<std::size_t>(right);
    const double slope = (y_[i] - y_[i - 1]) / (x_[i] - x_[i - 1]);
    return slope * (v - x_[i - 1]) + y_[i - 1];
  }

  std::vector<double> x_, y_;
  Outside outside_;
  DType dtype_;
};

class EllipticEnvelope : public Predictor {
 public:
  EllipticEnvelope(InputRule rule, std::vector<double> location, Matrix precision, double offset)
      : Predictor(std::move(rule)), location_(std::move(location)), precision_(std::move(precision)), offset_(offset) {}

  bool supports(Method m) const override {
    return m == Method::predict || m == Method::decision_function || m == Method::score_samples;
  }
  bool is_outlier_detector() const override { return true; }
  Result<Output> run(Method method, const Frame& frame) const override {
    if (!supports(method)) return lacks(method);
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    std::vector<double> scores(x->rows);
    std::vector<double> d(x->cols);
    for (std::size_t r = 0; r < x->rows; ++r) {
      for (std::size_t c = 0; c < x->cols; ++c) d[c] = x->row(r)[c] - location_[c];
      double distance = 0;
      for (std::size_t c = 0; c < x->cols; ++c) distance += d[c] * dot(precision_.row(c), d.data(), x->cols);
      scores[r] = -distance;
      if (method != Method::score_samples) scores[r] -= offset_;
      if (method == Method::predict) scores[r] = scores[r] >= 0 ? 1.0 : -1.0;
    }
    return vector_output(method == Method::predict ? DType::int64 : DType::fp64, scores);
  }
  double cost_ns(std::size_t rows) const override {
    return 100.0 + static_cast<double>(rows * precision_.values.size());
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + 8 * precision_.values.size(); }

 private:
  std::vector<double> location_;
  Matrix precision_;
  double offset_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_pls(const BuildContext& c) {
  Pls::Fitted f;
  const bool private_names = c.has("_x_mean");  // since 0.24
  JACKDAW_ASSIGN(f.mean, c.doubles(private_names ? "_x_mean" : "x_mean_"));
  JACKDAW_ASSIGN(f.std, sized_doubles(c, private_names ? "_x_std" : "x_std_", f.mean.size()));
  JACKDAW_ASSIGN(const Matrix rotations,
                 shaped_matrix(c, "x_rotations_", static_cast<std::int64_t>(f.mean.size()), -1));
  f.rotate.weights = transposed(rotations);
  f.rotate.bias = {0.0};
  f.rotate.bias_dtype = DType::fp16;
  const bool old_shape = !written_since(c, 1, 3);  // (features, targets); from 1.1 to 1.2 `_coef_` has the new shape
  if (c.has("_coef_")) {
    JACKDAW_ASSIGN(f.predict.weights, c.matrix("_coef_"));
  } else {
    JACKDAW_ASSIGN(Matrix coef, c.matrix("coef_"));
    f.predict.weights = old_shape ? transposed(coef) : std::move(coef);
  }
  f.divide = old_shape;
  if (c.has("intercept_")) {
    JACKDAW_ASSIGN(f.predict.bias, c.doubles("intercept_"));
  } else {
    JACKDAW_ASSIGN(f.predict.bias, c.doubles(private_names ? "_y_mean" : "y_mean_"));
  }
  if (f.predict.features() != f.mean.size() || f.rotate.outputs() == 0 ||
      (f.predict.bias.size() != 1 && f.predict.bias.size() != f.predict.outputs()) || f.predict.outputs() == 0) {
    return c.error(Code::parse_error, "'coef_' does not fit '_x_mean'");
  }
  f.vector = c.flag_or("_predict_1d", false);
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  JACKDAW_TRY(fit_width(c, rule, f.mean.size()));
  return std::unique_ptr<Estimator>(new Pls(std::move(rule), std::move(f)));
}

Result<std::unique_ptr<Estimator>> build_isotonic(const BuildContext& c) {
  const bool named = c.has("X_thresholds_");  // since 0.24; `_necessary_X_` before
  JACKDAW_ASSIGN(std::vector<double> x, c.doubles(named ? "X_thresholds_" : "_necessary_X_"));
  JACKDAW_ASSIGN(std::vector<double> y, sized_doubles(c, named ? "y_thresholds_" : "_necessary_y_", x.size()));
  if (x.empty() || !std::is_sorted(x.begin(), x.end()))
    return c.error(Code::parse_error, "'X_thresholds_' is not in order");
  const std::string outside = c.text_or("out_of_bounds", "nan");
  JACKDAW_ASSIGN(const Matrix typed, c.matrix(named ? "X_thresholds_" : "_necessary_X_"));
  return std::unique_ptr<Estimator>(new Isotonic(std::move(x), std::move(y),
                                                 outside == "clip"    ? Isotonic::Outside::clip
                                                 : outside == "raise" ? Isotonic::Outside::raise
                                                                      : Isotonic::Outside::nan,
                                                 typed.dtype));
}

Result<std::unique_ptr<Estimator>> build_elliptic_envelope(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<double> location, c.doubles("location_"));
  const auto n = static_cast<std::int64_t>(location.size());
  JACKDAW_ASSIGN(Matrix precision, shaped_matrix(c, "precision_", n, n));
  JACKDAW_ASSIGN(const double offset, c.number("offset_"));
  InputRule rule = InputRule::of(c);
  JACKDAW_TRY(fit_width(c, rule, location.size()));
  return std::unique_ptr<Estimator>(
      new EllipticEnvelope(std::move(rule), std::move(location), std::move(precision), offset));
}

}  // namespace jackdaw::predict
