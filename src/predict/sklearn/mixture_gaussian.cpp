// GaussianMixture: weights_, means_, precisions_cholesky_, covariance_type.
// BayesianGaussianMixture adds weight_concentration_, degrees_of_freedom_, mean_precision_.
//
// log p(x, k) = log weight + log |precision root| - (d log 2 pi + |(x - mean) root|^2) / 2.
#include <cmath>
#include <limits>
#include <numbers>

#include "src/predict/sklearn/mixture.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

struct MixtureParts {
  enum class Kind { full, tied, diag, spherical };
  Kind kind = Kind::full;
  Matrix means;                 // (components, columns)
  std::vector<double> roots;    // precisions_cholesky_, flat
  std::vector<double> offsets;  // per component: everything that does not depend on x
  bool norms_single = false;    // since 1.8 norms of float32 rows are kept in float32
};

class Mixture final : public FittedEstimator {
 public:
  Mixture(Signature signature, MixtureParts parts) : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::predict_proba || method == Method::score_samples;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    Matrix log_p = joint(*m);
    if (method == Method::predict) {
      const auto picks = row_argmax(log_p);
      return vector_output(DType::int64, std::vector<double>(picks.begin(), picks.end()));
    }
    if (method == Method::score_samples) return vector_output(DType::fp64, totals(log_p));
    softmax_in_place(log_p);
    return matrix_output(log_p);
  }
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * parts_.means.values.size() * parts_.means.cols);
  }
  std::size_t resident_bytes() const override {
    return (parts_.roots.size() + parts_.means.values.size()) * sizeof(double);
  }

 private:
  Matrix joint(const Matrix& x) const {
    Matrix out = Matrix::dense(x.rows, parts_.means.rows, DType::fp64);
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t k = 0; k < out.cols; ++k) out.row(r)[k] = parts_.offsets[k] - 0.5 * norm(x, r, k);
    }
    return out;
  }
  double norm(const Matrix& x, std::size_t r, std::size_t k) const {
    if (x.dtype != DType::fp32) return squared_norm(x.row(r), k);
    if (parts_.kind == MixtureParts::Kind::diag || parts_.kind == MixtureParts::Kind::spherical) {
      return expanded_norm(x.row(r), k);
    }
    const double exact = squared_norm(x.row(r), k);
    return parts_.norms_single ? round_to(DType::fp32, exact) : exact;
  }
  double squared_norm(const double* x, std::size_t k) const;
  double expanded_norm(const double* x, std::size_t k) const;
  static std::vector<double> totals(const Matrix& log_p);

  MixtureParts parts_;
};

double Mixture::squared_norm(const double* x, std::size_t k) const {
  const std::size_t d = parts_.means.cols;
  const double* mean = parts_.means.row(k);
  const bool matrix = parts_.kind == MixtureParts::Kind::full || parts_.kind == MixtureParts::Kind::tied;
  double out = 0.0;
  for (std::size_t j = 0; j < d; ++j) {
    double sum = 0.0;
    if (matrix) {
      const double* root = parts_.roots.data() + (parts_.kind == MixtureParts::Kind::full ? k * d * d : 0);
      for (std::size_t c = 0; c < d; ++c) sum += (x[c] - mean[c]) * root[c * d + j];
    } else {
      const std::size_t at = parts_.kind == MixtureParts::Kind::diag ? k * d + j : k;
      sum = (x[j] - mean[j]) * parts_.roots[at];
    }
    out += sum * sum;
  }
  return out;
}

// numpy's sum of float32 squares: four lanes, added in pairs, then the rest.
double single_squares(const double* x, std::size_t n) {
  float lanes[4] = {};
  const std::size_t whole = n - n % 4;
  for (std::size_t c = 0; c < whole; ++c) lanes[c % 4] += static_cast<float>(x[c]) * static_cast<float>(x[c]);
  float out = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  for (std::size_t c = whole; c < n; ++c) out += static_cast<float>(x[c]) * static_cast<float>(x[c]);
  return out;
}

// Float32 rows are squared in float32 before anything else, so |x - m|^2 is taken apart as scikit-learn does.
double Mixture::expanded_norm(const double* x, std::size_t k) const {
  const std::size_t d = parts_.means.cols;
  const bool diag = parts_.kind == MixtureParts::Kind::diag;
  double out = diag ? 0.0 : single_squares(x, d) * parts_.roots[k] * parts_.roots[k];
  for (std::size_t j = 0; j < d; ++j) {
    const double root = parts_.roots[diag ? k * d + j : k];
    const double mean = parts_.means.row(k)[j];
    out += (mean * mean - 2.0 * x[j] * mean) * root * root;
    if (diag) out += round_to(DType::fp32, x[j] * x[j]) * root * root;
  }
  return out;
}

std::vector<double> Mixture::totals(const Matrix& log_p) {
  std::vector<double> out(log_p.rows);
  for (std::size_t r = 0; r < log_p.rows; ++r) {
    double top = log_p.row(r)[0];
    for (std::size_t k = 1; k < log_p.cols; ++k) top = std::max(top, log_p.row(r)[k]);
    double sum = 0.0;
    for (std::size_t k = 0; k < log_p.cols; ++k) sum += std::exp(log_p.row(r)[k] - top);
    out[r] = top + std::log(sum);
  }
  return out;
}

double log_determinant(const MixtureParts& parts, std::size_t k) {
  const std::size_t d = parts.means.cols;
  double out = 0.0;
  for (std::size_t j = 0; j < d; ++j) {
    switch (parts.kind) {
      case MixtureParts::Kind::full:
        out += std::log(parts.roots[(k * d + j) * d + j]);
        break;
      case MixtureParts::Kind::tied:
        out += std::log(parts.roots[j * d + j]);
        break;
      case MixtureParts::Kind::diag:
        out += std::log(parts.roots[k * d + j]);
        break;
      case MixtureParts::Kind::spherical:
        out += std::log(parts.roots[k]);
        break;
    }
  }
  return out;
}

Result<MixtureParts> read_parts(const BuildContext& context) {
  MixtureParts out;
  JACKDAW_ASSIGN(out.means, context.matrix("means_"));
  const std::size_t k = out.means.rows;
  const std::size_t d = out.means.cols;
  if (k == 0 || d == 0 || d > 65536)
    return context.error(Code::parse_error, fmt::format("means_ has shape ({}, {})", k, d));
  const std::string kind = context.text_or("covariance_type", "full");
  std::size_t count = 0;
  if (kind == "full") {
    out.kind = MixtureParts::Kind::full;
    count = k * d * d;
  } else if (kind == "tied") {
    out.kind = MixtureParts::Kind::tied;
    count = d * d;
  } else if (kind == "diag") {
    out.kind = MixtureParts::Kind::diag;
    count = k * d;
  } else if (kind == "spherical") {
    out.kind = MixtureParts::Kind::spherical;
    count = k;
  } else {
    return context.error(Code::parse_error, fmt::format("covariance_type='{}'", kind));
  }
  JACKDAW_ASSIGN(out.roots, sized_doubles(context, "precisions_cholesky_", count));
  out.norms_single = written_since(context, 1, 8);
  const double constant = -0.5 * static_cast<double>(d) * std::log(2.0 * std::numbers::pi);
  for (std::size_t i = 0; i < k; ++i) out.offsets.push_back(constant + log_determinant(out, i));
  return out;
}

std::unique_ptr<Estimator> finish(const BuildContext& context, MixtureParts parts) {
  Signature signature = read_signature(context);
  signature.rule.n_features = static_cast<std::int64_t>(parts.means.cols);
  return std::make_unique<Mixture>(std::move(signature), std::move(parts));
}

// Derivative of log gamma: recurrence up to 10, then the asymptotic series.
double digamma(double x) {
  if (!(x > 0.0) || !std::isfinite(x)) return std::numeric_limits<double>::quiet_NaN();
  double out = 0.0;
  for (; x < 10.0; x += 1.0) out -= 1.0 / x;
  const double y = 1.0 / (x * x);
  const double series =
      y *
      (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
  return out + std::log(x) - 0.5 / x - series;
}

// Expected log weights under the Dirichlet process (a pair of arrays) or the Dirichlet distribution (one array).
Result<std::vector<double>> expected_log_weights(const BuildContext& context, std::size_t k) {
  std::vector<double> out(k);
  const NodeId node = context.attribute("weight_concentration_");
  const auto pair = node == formats::no_node ? std::nullopt : list_of(context.graph, node);
  if (!pair) {
    JACKDAW_ASSIGN(const std::vector<double> a, sized_doubles(context, "weight_concentration_", k));
    double total = 0.0;
    for (double v : a) total += v;
    for (std::size_t i = 0; i < k; ++i) out[i] = digamma(a[i]) - digamma(total);
    return out;
  }
  if (pair->size() != 2) return context.error(Code::parse_error, "weight_concentration_ is not a pair of arrays");
  JACKDAW_ASSIGN(const Matrix a, matrix_at(context, (*pair)[0], "weight_concentration_[0]"));
  JACKDAW_ASSIGN(const Matrix b, matrix_at(context, (*pair)[1], "weight_concentration_[1]"));
  if (a.values.size() != k || b.values.size() != k)
    return context.error(Code::parse_error, "weight_concentration_ is not one per component");
  double before = 0.0;
  for (std::size_t i = 0; i < k; ++i) {
    const double sum = digamma(a.values[i] + b.values[i]);
    out[i] = digamma(a.values[i]) - sum + before;
    before += digamma(b.values[i]) - sum;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_gaussian_mixture(const BuildContext& context) {
  JACKDAW_ASSIGN(MixtureParts parts, read_parts(context));
  JACKDAW_ASSIGN(const std::vector<double> weights, sized_doubles(context, "weights_", parts.means.rows));
  for (std::size_t i = 0; i < weights.size(); ++i) parts.offsets[i] += std::log(weights[i]);
  return finish(context, std::move(parts));
}

Result<std::unique_ptr<Estimator>> build_bayesian_mixture(const BuildContext& context) {
  JACKDAW_ASSIGN(MixtureParts parts, read_parts(context));
  const std::size_t k = parts.means.rows;
  const auto d = static_cast<double>(parts.means.cols);
  JACKDAW_ASSIGN(const std::vector<double> weights, expected_log_weights(context, k));
  JACKDAW_ASSIGN(const std::vector<double> freedom, sized_doubles(context, "degrees_of_freedom_", k));
  JACKDAW_ASSIGN(const std::vector<double> precision, sized_doubles(context, "mean_precision_", k));
  for (std::size_t i = 0; i < k; ++i) {
    double log_lambda = d * std::log(2.0);
    for (std::size_t j = 0; j < parts.means.cols; ++j)
      log_lambda += digamma(0.5 * (freedom[i] - static_cast<double>(j)));
    parts.offsets[i] += weights[i] - 0.5 * d * std::log(freedom[i]) + 0.5 * (log_lambda - d / precision[i]);
  }
  return finish(context, std::move(parts));
}

}  // namespace jackdaw::predict
