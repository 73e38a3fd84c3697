// SplineTransformer: bsplines_ (scipy BSpline objects: t, c, k), degree, extrapolation, include_bias, periodic or not.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/preprocessing.h"

namespace jackdaw::predict {
namespace {

enum class Beyond : unsigned char { error, constant, linear, proceed, periodic };

// A basis of B-splines over one feature: `outputs` combinations of t.size() - k - 1 basis functions.
struct Basis {
  std::vector<double> t;
  Matrix c;  // basis functions x outputs
  std::size_t k = 0;

  std::size_t count() const { return t.size() - k - 1; }
  double low() const { return t[k]; }
  double high() const { return t[count()]; }
};

// The knot interval [t[i], t[i+1]) of x, the first or last one beyond the ends.
std::size_t interval(const Basis& b, double x) {
  const auto first = b.t.begin() + static_cast<std::ptrdiff_t>(b.k) + 1;
  const auto last = b.t.begin() + static_cast<std::ptrdiff_t>(b.count());
  return static_cast<std::size_t>(std::upper_bound(first, last, x) - b.t.begin()) - 1;
}

double ratio(double a, double b) {
  return b == 0 ? 0.0 : a / b;
}

// values[j] = B_{i-k+j, degree}(x) for j = 0..k, where only the last degree + 1 differ from zero (Cox, de Boor).
void basis_values(const Basis& b, double x, std::size_t i, std::size_t degree, std::vector<double>& values) {
  values.assign(b.k + 2, 0.0);
  values[b.k] = 1.0;
  for (std::size_t d = 1; d <= degree; ++d) {
    for (std::size_t j = b.k - d; j <= b.k; ++j) {
      const std::size_t s = i - b.k + j;
      const double left = ratio(x - b.t[s], b.t[s + d] - b.t[s]) * values[j];
      const double right = ratio(b.t[s + d + 1] - x, b.t[s + d + 1] - b.t[s + 1]) * values[j + 1];
      values[j] = left + right;
    }
  }
}

void combine(const Basis& b, std::size_t i, const std::vector<double>& values, double* out) {
  std::fill(out, out + b.c.cols, 0.0);
  for (std::size_t j = 0; j <= b.k; ++j) {
    const double* c = b.c.row(i - b.k + j);
    for (std::size_t o = 0; o < b.c.cols; ++o) out[o] += values[j] * c[o];
  }
}

void evaluate(const Basis& b, double x, double* out) {
  std::vector<double> values;
  const std::size_t i = interval(b, x);
  basis_values(b, x, i, b.k, values);
  combine(b, i, values, out);
}

void slope(const Basis& b, double x, double* out) {
  std::vector<double> lower;
  std::vector<double> values(b.k + 1, 0.0);
  const std::size_t i = interval(b, x);
  if (b.k > 0) basis_values(b, x, i, b.k - 1, lower);
  for (std::size_t j = 0; j <= b.k && b.k > 0; ++j) {
    const std::size_t s = i - b.k + j;
    values[j] = static_cast<double>(b.k) *
                (ratio(lower[j], b.t[s + b.k] - b.t[s]) - ratio(lower[j + 1], b.t[s + b.k + 1] - b.t[s + 1]));
  }
  combine(b, i, values, out);
}

struct Ends {
  std::vector<double> low, high, low_slope, high_slope;
};

Ends ends_of(const Basis& b) {
  const std::size_t n = b.c.cols;
  Ends e{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  evaluate(b, b.low(), e.low.data());
  evaluate(b, b.high(), e.high.data());
  slope(b, b.low(), e.low_slope.data());
  slope(b, b.high(), e.high_slope.data());
  return e;
}

class SplineTransformer : public Transformer {
 public:
  SplineTransformer(InputRule rule, std::vector<Basis> features, Beyond beyond, bool bias, bool zero_missing)
      : Transformer(std::move(rule)),
        features_(std::move(features)),
        beyond_(beyond),
        bias_(bias),
        zero_missing_(zero_missing) {
    for (const Basis& b : features_) ends_.push_back(ends_of(b));
  }

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef in, check_input(x, rule_));
    const std::size_t splines = features_[0].c.cols;
    const std::size_t kept = bias_ ? splines : splines - 1;
    Matrix out = Matrix::dense(in->rows, kept * features_.size(), float_dtype(in->dtype));
    std::vector<double> values(splines);
    for (std::size_t r = 0; r < in->rows; ++r) {
      for (std::size_t f = 0; f < features_.size(); ++f) {
        JACKDAW_TRY(fill(f, in->row(r)[f], values));
        std::copy(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(kept), out.row(r) + f * kept);
      }
    }
    round_all(out);
    return Frame(std::move(out));
  }

  double cost_ns(std::size_t rows) const override {
    return 100.0 + 150.0 * static_cast<double>(features_.size()) * static_cast<double>(rows);
  }

 private:
  Result<void> fill(std::size_t f, double x, std::vector<double>& out) const {
    const Basis& b = features_[f];
    if (std::isnan(x) && zero_missing_) {
      std::fill(out.begin(), out.end(), 0.0);
      return {};
    }
    if (beyond_ == Beyond::periodic) {
      const double period = b.high() - b.low();
      x = b.low() + (x - b.low() - period * std::floor((x - b.low()) / period));
    }
    const bool outside = x < b.low() || x > b.high();
    if (outside && beyond_ == Beyond::error) {
      return make_error(Code::invalid_argument, "X contains values beyond the limits of the knots.");
    }
    if (outside && (beyond_ == Beyond::constant || beyond_ == Beyond::linear)) {
      extrapolate(f, x, out);
    } else {
      evaluate(b, x, out.data());
    }
    return {};
  }

  // Only the outermost `degree` splines go on beyond the ends (two of them for linear splines that are to have a
  // slope).
  void extrapolate(std::size_t f, double x, std::vector<double>& out) const {
    const Basis& b = features_[f];
    const Ends& e = ends_[f];
    const bool below = x < b.low();
    const bool linear = beyond_ == Beyond::linear;
    const std::size_t reach = std::min(out.size(), linear && b.k <= 1 ? b.k + 1 : b.k);
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t j = 0; j < reach; ++j) {
      const std::size_t o = below ? j : out.size() - 1 - j;
      out[o] = below ? e.low[o] : e.high[o];
      if (linear) out[o] += below ? (x - b.low()) * e.low_slope[o] : (x - b.high()) * e.high_slope[o];
    }
  }

  std::vector<Basis> features_;
  std::vector<Ends> ends_;
  Beyond beyond_;
  bool bias_;
  bool zero_missing_;
};

Result<Basis> read_basis(const BuildContext& c) {
  Basis b;
  JACKDAW_ASSIGN(b.t, c.doubles(c.has("t") ? "t" : "_t"));
  JACKDAW_ASSIGN(b.c, c.matrix(c.has("c") ? "c" : "_c"));
  JACKDAW_ASSIGN(const std::int64_t k, c.integer("k"));
  if (k < 0 || k > 32 || b.t.size() < 2 * (static_cast<std::size_t>(k) + 1)) {
    return c.error(Code::parse_error, "the spline's degree does not fit its knots");
  }
  b.k = static_cast<std::size_t>(k);
  if (b.c.rows != b.count() || b.c.cols == 0) return c.error(Code::parse_error, "the spline's coefficients do not fit");
  for (std::size_t i = 1; i < b.t.size(); ++i) {
    if (!(b.t[i - 1] <= b.t[i])) return c.error(Code::parse_error, "the spline's knots are not in order");
  }
  if (!(b.low() < b.high())) return c.error(Code::parse_error, "the spline's knots span nothing");
  return b;
}

Result<Beyond> read_beyond(const BuildContext& c) {
  const std::string name = c.text_or("extrapolation", "constant");
  if (name == "constant") return Beyond::constant;
  if (name == "linear") return Beyond::linear;
  if (name == "continue") return Beyond::proceed;
  if (name == "periodic") return Beyond::periodic;
  if (name == "error") return Beyond::error;
  return c.error(Code::unsupported, fmt::format("extrapolation '{}' is not known", name));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_spline_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<formats::NodeId> nodes, object_list(c, "bsplines_"));
  JACKDAW_ASSIGN(const Beyond beyond, read_beyond(c));
  if (c.flag_or("sparse_output", false)) return c.error(Code::unsupported, "sparse_output=True is not supported");
  std::vector<Basis> features;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    JACKDAW_ASSIGN(Basis b, read_basis(c.child(nodes[i], fmt::format("bsplines_[{}]", i))));
    if (!features.empty() && b.c.cols != features[0].c.cols) {
      return c.error(Code::parse_error, "the features have different numbers of splines");
    }
    features.push_back(std::move(b));
  }
  InputRule rule = InputRule::of(c);
  const bool zero_missing = c.text_or("handle_missing", "error") == "zeros";
  rule.finite = zero_missing ? Finite::nan_allowed : Finite::required;
  JACKDAW_TRY(fit_width(c, rule, features.size()));
  return std::unique_ptr<Estimator>(new SplineTransformer(std::move(rule), std::move(features), beyond,
                                                          c.flag_or("include_bias", true), zero_missing));
}

}  // namespace jackdaw::predict
