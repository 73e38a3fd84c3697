// PowerTransformer (lambdas_, method, standardize, _scaler) and QuantileTransformer (quantiles_, references_,
// output_distribution).
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/preprocessing.h"

namespace jackdaw::predict {
namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

double box_cox(double x, double lambda) {
  return lambda == 0 ? std::log(x) : std::expm1(lambda * std::log(x)) / lambda;
}

// ((x + 1)^lambda - 1) / lambda for x >= 0. Since 1.7 SciPy computes it as expm1(lambda log1p(x)) / lambda, with a
// float32 logarithm for float32 inputs; before, every step had the input's width.
double yeo_johnson_half(double x, double lambda, DType dtype, bool by_scipy) {
  const double logarithm = round_to(dtype, std::log1p(x));
  if (by_scipy) return std::abs(lambda) < eps ? logarithm : std::expm1(lambda * logarithm) / lambda;
  if (std::abs(lambda) < eps) return logarithm;
  const double narrow = round_to(dtype, lambda);
  const double power = round_to(dtype, std::pow(round_to(dtype, x + 1.0), narrow));
  return round_to(dtype, power - 1.0) / narrow;
}

double yeo_johnson(double x, double lambda, DType dtype, bool by_scipy) {
  return x >= 0 ? yeo_johnson_half(x, lambda, dtype, by_scipy) : -yeo_johnson_half(-x, 2.0 - lambda, dtype, by_scipy);
}

double yeo_johnson_inverse(double x, double lambda) {
  if (x >= 0) return std::abs(lambda) < eps ? std::expm1(x) : std::pow(x * lambda + 1.0, 1.0 / lambda) - 1.0;
  const double other = 2.0 - lambda;
  return std::abs(other) > eps ? 1.0 - std::pow(-other * x + 1.0, 1.0 / other) : -std::expm1(-x);
}

double box_cox_inverse(double x, double lambda) {
  return lambda == 0 ? std::exp(x) : std::exp(std::log1p(lambda * x) / lambda);
}

class PowerTransformer : public Transformer {
 public:
  PowerTransformer(InputRule rule, std::vector<double> lambdas, bool positive, bool by_scipy,
                   std::unique_ptr<Estimator> scaler)
      : Transformer(std::move(rule)),
        lambdas_(std::move(lambdas)),
        positive_(positive),
        by_scipy_(by_scipy),
        scaler_(std::move(scaler)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    if (positive_ && std::any_of(m.values.begin(), m.values.end(), [](double v) { return v <= 0; })) {
      return make_error(Code::invalid_argument,
                        "The Box-Cox transformation can only be applied to strictly positive data");
    }
    each(m, [this](double v, double lambda, DType dtype) {
      return positive_ ? box_cox(v, lambda) : yeo_johnson(v, lambda, dtype, by_scipy_);
    });
    if (scaler_) return scaler_->transform_owned(Frame(std::move(m)));
    return Frame(std::move(m));
  }

  Result<Frame> inverse_transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Frame frame(std::move(in).take());
    if (scaler_) {
      JACKDAW_ASSIGN(frame, scaler_->inverse_transform(frame));
    }
    each(std::get<Matrix>(frame), [this](double v, double lambda, DType) {
      return positive_ ? box_cox_inverse(v, lambda) : yeo_johnson_inverse(v, lambda);
    });
    return frame;
  }

  double cost_ns(std::size_t rows) const override {
    return 80.0 + 60.0 * static_cast<double>(lambdas_.size()) * static_cast<double>(rows);
  }

 private:
  template <typename Function>
  void each(Matrix& m, Function function) const {
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) {
        double& v = m.row(r)[c];
        if (!std::isnan(v) && !std::isnan(lambdas_[c])) v = round_to(m.dtype, function(v, lambdas_[c], m.dtype));
      }
    }
  }

  std::vector<double> lambdas_;  // NaN: a column that was left alone
  bool positive_;
  bool by_scipy_;
  std::unique_ptr<Estimator> scaler_;
};

// ---- quantiles ----------------------------------------------------------------------------------------------------

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x * 0.70710678118654752440);
}

// Inverse of the normal distribution for 0 < p <= 0.5, by Halley's method on the complementary error function.
double lower_normal_quantile(double p) {
  const double t = std::sqrt(-2.0 * std::log(p));
  // Abramowitz and Stegun 26.2.23: within 4.5e-4.
  double x = -(t - (2.515517 + 0.802853 * t + 0.010328 * t * t) /
                       (1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t));
  for (int i = 0; i < 3; ++i) {
    const double density = 0.39894228040143267794 * std::exp(-0.5 * x * x);
    const double u = (normal_cdf(x) - p) / density;
    x -= u / (1.0 + 0.5 * x * u);
  }
  return x;
}

double normal_quantile(double p) {
  if (!(p > 0)) return p == 0 ? -INFINITY : NAN;
  if (!(p < 1)) return p == 1 ? INFINITY : NAN;
  return p <= 0.5 ? lower_normal_quantile(p) : -lower_normal_quantile(1.0 - p);
}

// numpy.interp for x inside or outside of xs (in order).
double interpolate(double x, std::span<const double> xs, std::span<const double> ys) {
  if (x >= xs.back()) return ys.back();
  if (x < xs.front()) return ys.front();
  const auto after = static_cast<std::size_t>(std::upper_bound(xs.begin(), xs.end(), x) - xs.begin());
  const std::size_t i = std::clamp<std::size_t>(after, 1, xs.size() - 1) - 1;  // xs may be NaN throughout
  if (xs[i] == x) return ys[i];
  return (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) * (x - xs[i]) + ys[i];
}

struct Quantiles {
  std::vector<double> up;    // quantiles in order
  std::vector<double> down;  // negated, reversed
};

class QuantileTransformer : public Transformer {
 public:
  QuantileTransformer(InputRule rule, std::vector<Quantiles> columns, std::vector<double> references, bool normal)
      : Transformer(std::move(rule)),
        columns_(std::move(columns)),
        references_(std::move(references)),
        normal_(normal) {
    for (auto it = references_.rbegin(); it != references_.rend(); ++it) references_down_.push_back(-*it);
  }

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) {
        double& v = m.row(r)[c];
        if (!std::isnan(v)) v = round_to(m.dtype, map(v, columns_[c], m.dtype));
      }
    }
    return Frame(std::move(m));
  }

  Result<Frame> inverse_transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) {
        double& v = m.row(r)[c];
        if (!std::isnan(v)) v = round_to(m.dtype, back(v, columns_[c]));
      }
    }
    return Frame(std::move(m));
  }

  double cost_ns(std::size_t rows) const override {
    return 80.0 + 120.0 * static_cast<double>(columns_.size()) * static_cast<double>(rows);
  }

 private:
  static constexpr double bound = 1e-7;

  double map(double v, const Quantiles& q, DType dtype) const {
    const double low = q.up.front();
    const double high = q.up.back();
    const bool below = normal_ ? v - bound < low : v == low;
    const bool above = normal_ ? v + bound > high : v == high;
    double p = 0.5 * (interpolate(v, q.up, references_) - interpolate(-v, q.down, references_down_));
    if (above) p = 1.0;
    if (below) p = 0.0;
    p = round_to(dtype, p);
    if (!normal_) return p;
    static const double clip_low = normal_quantile(bound - eps);
    static const double clip_high = normal_quantile(1.0 - (bound - eps));
    return std::clamp(normal_quantile(p), clip_low, clip_high);
  }

  double back(double v, const Quantiles& q) const {
    const double p = normal_ ? normal_cdf(v) : v;
    const bool below = normal_ ? p - bound < 0 : p == 0;
    const bool above = normal_ ? p + bound > 1 : p == 1;
    if (below) return q.up.front();
    if (above) return q.up.back();
    return interpolate(p, references_, q.up);
  }

  std::vector<Quantiles> columns_;
  std::vector<double> references_;
  std::vector<double> references_down_;
  bool normal_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_power_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<double> lambdas, c.doubles("lambdas_"));
  const std::string method = c.text_or("method", "yeo-johnson");
  if (method != "yeo-johnson" && method != "box-cox") {
    return c.error(Code::unsupported, fmt::format("method '{}' is not known", method));
  }
  std::unique_ptr<Estimator> scaler;
  if (c.flag_or("standardize", true)) {
    JACKDAW_ASSIGN(scaler, c.estimator("_scaler"));
    if (!scaler->supports(Method::transform)) return c.error(Code::parse_error, "'_scaler' is no scaler");
  }
  InputRule rule = InputRule::of(c);
  rule.finite = Finite::nan_allowed;
  rule.numbers = Numbers::floats;
  JACKDAW_TRY(fit_width(c, rule, lambdas.size()));
  return std::unique_ptr<Estimator>(new PowerTransformer(std::move(rule), std::move(lambdas), method == "box-cox",
                                                         written_since(c, 1, 7), std::move(scaler)));
}

Result<std::unique_ptr<Estimator>> build_quantile_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<double> references, c.doubles("references_"));
  JACKDAW_ASSIGN(const Matrix q, shaped_matrix(c, "quantiles_", static_cast<std::int64_t>(references.size()), -1));
  if (q.rows < 2 || q.cols == 0) return c.error(Code::parse_error, "'quantiles_' is empty");
  std::vector<Quantiles> columns(q.cols);
  for (std::size_t col = 0; col < q.cols; ++col) {
    for (std::size_t r = 0; r < q.rows; ++r) columns[col].up.push_back(q.row(r)[col]);
    for (std::size_t r = q.rows; r-- > 0;) columns[col].down.push_back(-q.row(r)[col]);
  }
  InputRule rule = InputRule::of(c);
  rule.finite = Finite::nan_allowed;
  rule.numbers = Numbers::floats;
  JACKDAW_TRY(fit_width(c, rule, q.cols));
  return std::unique_ptr<Estimator>(new QuantileTransformer(std::move(rule), std::move(columns), std::move(references),
                                                            c.text_or("output_distribution", "") == "normal"));
}

}  // namespace jackdaw::predict
