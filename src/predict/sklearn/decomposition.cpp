// Projections x -> (x - mean) @ components.T, scaled when whitened. Read: components_, mean_, whiten,
// explained_variance_ (PCA, IncrementalPCA); components_ (TruncatedSVD, random projections, FastICA with mean_);
// components_, mean_, noise_variance_ (FactorAnalysis).
#include "src/predict/sklearn/decomposition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

// Inverts a small matrix by Gauss and Jordan with pivoting; false when it is singular. The logarithm of the absolute
// determinant goes to `log_determinant`.
bool invert(Matrix& a, double& log_determinant) {
  log_determinant = 0;
  const std::size_t n = a.rows;
  Matrix inverse = Matrix::dense(n, n, DType::fp64);
  for (std::size_t i = 0; i < n; ++i) inverse.row(i)[i] = 1.0;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t r = k + 1; r < n; ++r) {
      if (std::abs(a.row(r)[k]) > std::abs(a.row(pivot)[k])) pivot = r;
    }
    if (a.row(pivot)[k] == 0) return false;
    std::swap_ranges(a.row(k), a.row(k) + n, a.row(pivot));
    std::swap_ranges(inverse.row(k), inverse.row(k) + n, inverse.row(pivot));
    const double d = a.row(k)[k];
    log_determinant += std::log(std::abs(d));
    for (std::size_t c = 0; c < n; ++c) {
      a.row(k)[c] /= d;
      inverse.row(k)[c] /= d;
    }
    for (std::size_t r = 0; r < n; ++r) {
      const double f = a.row(r)[k];
      if (r == k || f == 0) continue;
      for (std::size_t c = 0; c < n; ++c) {
        a.row(r)[c] -= f * a.row(k)[c];
        inverse.row(r)[c] -= f * inverse.row(k)[c];
      }
    }
  }
  a = std::move(inverse);
  return true;
}

// The log-likelihood of a row under the normal distribution a decomposition implies (score_samples).
struct NormalDensity {
  std::vector<double> mean;
  Matrix precision;
  double log_determinant = 0;  // of the precision

  double log_likelihood(const double* x) const {
    const std::size_t n = mean.size();
    std::vector<double> d(n);
    for (std::size_t i = 0; i < n; ++i) d[i] = x[i] - mean[i];
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += d[i] * dot(precision.row(i), d.data(), n);
    constexpr double log_two_pi = 1.8378770664093454836;
    return -0.5 * sum - 0.5 * (static_cast<double>(n) * log_two_pi - log_determinant);
  }

  // From weights.T @ weights + diag(noise). Nothing for wide or degenerate models: they then have no score_samples.
  static std::optional<NormalDensity> from(const Matrix& weights, const std::vector<double>& noise,
                                           std::vector<double> mean) {
    const std::size_t n = weights.cols;
    if (n > 128 || mean.size() != n || noise.size() != n) return std::nullopt;
    NormalDensity out{std::move(mean), Matrix::dense(n, n, DType::fp64), 0};
    for (std::size_t k = 0; k < weights.rows; ++k) {
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) out.precision.row(i)[j] += weights.row(k)[i] * weights.row(k)[j];
      }
    }
    for (std::size_t i = 0; i < n; ++i) out.precision.row(i)[i] += noise[i];
    if (!invert(out.precision, out.log_determinant)) return std::nullopt;
    out.log_determinant = -out.log_determinant;
    return out;
  }
};

class Projection : public Transformer {
 public:
  // Columns are divided by `scale` unless it is empty.
  Projection(InputRule rule, std::vector<double> mean, Affine affine, std::vector<double> scale,
             std::optional<NormalDensity> density)
      : Transformer(std::move(rule)),
        mean_(std::move(mean)),
        affine_(std::move(affine)),
        scale_(std::move(scale)),
        density_(std::move(density)) {}

  bool supports(Method method) const override {
    return method == Method::transform || (method == Method::score_samples && density_);
  }
  Result<Output> run(Method method, const Frame& frame) const override {
    if (method != Method::score_samples || !density_) return Transformer::run(method, frame);
    JACKDAW_ASSIGN(MatrixRef x, check_input(frame, rule_));
    if (x->sparse) x = MatrixRef(to_dense(*x));
    std::vector<double> scores(x->rows);
    for (std::size_t r = 0; r < x->rows; ++r) scores[r] = density_->log_likelihood(x->row(r));
    return vector_output(affine_.result_dtype(x->dtype), scores);
  }

  Result<Frame> transform(const Frame& frame) const override {
    JACKDAW_ASSIGN(MatrixRef x, check_input(frame, rule_));
    if (!mean_.empty()) x = MatrixRef(centered(std::move(x).take()));
    Matrix out = Matrix::dense(x->rows, affine_.outputs(), affine_.result_dtype(x->dtype));
    apply(affine_, *x, out.values.data());
    if (!scale_.empty()) {
      for (std::size_t r = 0; r < out.rows; ++r) {
        for (std::size_t c = 0; c < out.cols; ++c) out.row(r)[c] = round_to(out.dtype, out.row(r)[c] / scale_[c]);
      }
    }
    return Frame(std::move(out));
  }

  double cost_ns(std::size_t rows) const override { return 100.0 + affine_row_ns(affine_) * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this) + affine_.resident_bytes(); }

 private:
  Matrix centered(Matrix m) const {
    if (m.sparse) m = to_dense(m);
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) m.row(r)[c] -= mean_[c];
    }
    m.dtype = promote(m.dtype, affine_.weights.dtype);
    round_all(m);
    return m;
  }

  std::vector<double> mean_;
  Affine affine_;
  std::vector<double> scale_;
  std::optional<NormalDensity> density_;
};

Result<Affine> read_components(const BuildContext& c) {
  Affine affine;
  JACKDAW_ASSIGN(affine.weights, c.matrix("components_"));
  if (affine.weights.rows == 0 || affine.weights.cols == 0) return c.error(Code::parse_error, "'components_' is empty");
  affine.bias = {0.0};
  affine.bias_dtype = DType::fp16;
  return affine;
}

Result<std::unique_ptr<Estimator>> make_projection(const BuildContext& c, Affine affine, std::vector<double> mean,
                                                   std::vector<double> scale, bool accept_sparse,
                                                   std::optional<NormalDensity> density = std::nullopt) {
  if (!mean.empty() && mean.size() != affine.features()) {
    return c.error(Code::parse_error, "'mean_' does not fit 'components_'");
  }
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  rule.accept_sparse = accept_sparse;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  return std::unique_ptr<Estimator>(
      new Projection(std::move(rule), std::move(mean), std::move(affine), std::move(scale), std::move(density)));
}

Result<std::vector<double>> read_mean(const BuildContext& c) {
  if (!c.has("mean_")) return std::vector<double>{};
  JACKDAW_ASSIGN(std::vector<double> mean, c.doubles("mean_"));
  if (mean.empty()) return c.error(Code::parse_error, "'mean_' is empty");
  return mean;
}

// Probabilistic PCA: components scaled by what their variance has over the noise.
Result<std::optional<NormalDensity>> pca_density(const BuildContext& c, Matrix weights, std::vector<double> mean) {
  if (!c.has("noise_variance_") || !c.has("explained_variance_")) return std::optional<NormalDensity>();
  JACKDAW_ASSIGN(const double noise, c.number("noise_variance_"));
  JACKDAW_ASSIGN(const std::vector<double> variance, sized_doubles(c, "explained_variance_", weights.rows));
  const bool whiten = c.flag_or("whiten", false);
  for (std::size_t k = 0; k < weights.rows; ++k) {
    const double scale = std::sqrt(std::max(variance[k] - noise, 0.0)) * (whiten ? std::sqrt(variance[k]) : 1.0);
    for (std::size_t i = 0; i < weights.cols; ++i) weights.row(k)[i] *= scale;
  }
  const std::vector<double> diagonal(weights.cols, noise);
  return NormalDensity::from(weights, diagonal, std::move(mean));
}

Result<std::unique_ptr<Estimator>> pca(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, read_components(c));
  JACKDAW_ASSIGN(std::vector<double> mean, read_mean(c));
  std::vector<double> scale;
  if (c.flag_or("whiten", false)) {
    JACKDAW_ASSIGN(scale, sized_doubles(c, "explained_variance_", affine.outputs()));
    const double least = affine.weights.dtype == DType::fp32 ? std::numeric_limits<float>::epsilon()
                                                             : std::numeric_limits<double>::epsilon();
    for (double& v : scale) v = std::max(round_to(affine.weights.dtype, std::sqrt(v)), least);
  }
  std::optional<NormalDensity> density;
  if (c.short_class() == "PCA" && !mean.empty()) {
    JACKDAW_ASSIGN(density, pca_density(c, affine.weights, mean));
  }
  return make_projection(c, std::move(affine), std::move(mean), std::move(scale), written_since(c, 1, 4),
                         std::move(density));
}

Result<std::unique_ptr<Estimator>> plain(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, read_components(c));
  return make_projection(c, std::move(affine), {}, {}, true);
}

Result<std::unique_ptr<Estimator>> fast_ica(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, read_components(c));
  JACKDAW_ASSIGN(std::vector<double> mean, read_mean(c));
  return make_projection(c, std::move(affine), std::move(mean), {}, false);
}

// The posterior mean: (x - mean) @ (W / psi).T @ inverse(I + (W / psi) @ W.T).
Result<std::unique_ptr<Estimator>> factor_analysis(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, read_components(c));
  JACKDAW_ASSIGN(std::vector<double> mean, read_mean(c));
  JACKDAW_ASSIGN(const std::vector<double> noise, sized_doubles(c, "noise_variance_", affine.features()));
  const Matrix& w = affine.weights;
  const std::size_t k = w.rows;
  if (k > 512) return c.error(Code::too_large, "more than 512 components");
  Matrix scaled = w;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t f = 0; f < w.cols; ++f) scaled.row(i)[f] /= noise[f];
  }
  Matrix covariance = Matrix::dense(k, k, DType::fp64);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j)
      covariance.row(i)[j] = dot(scaled.row(i), w.row(j), w.cols) + (i == j ? 1.0 : 0.0);
  }
  double log_determinant = 0;
  if (!invert(covariance, log_determinant)) return c.error(Code::parse_error, "'components_' are degenerate");
  Matrix weights = Matrix::dense(k, w.cols, w.dtype);
  for (std::size_t j = 0; j < k; ++j) {
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t f = 0; f < w.cols; ++f) weights.row(j)[f] += covariance.row(i)[j] * scaled.row(i)[f];
    }
  }
  std::optional<NormalDensity> density = NormalDensity::from(w, noise, mean);
  affine.weights = std::move(weights);
  return make_projection(c, std::move(affine), std::move(mean), {}, false, std::move(density));
}

constexpr ClassRow rows[] = {
    {"sklearn.decomposition.PCA", pca},
    {"sklearn.decomposition.IncrementalPCA", pca},
    {"sklearn.decomposition.TruncatedSVD", plain},
    {"sklearn.decomposition.FastICA", fast_ica},
    {"sklearn.decomposition.FactorAnalysis", factor_analysis},
    {"sklearn.decomposition.KernelPCA", build_kernel_pca},
    {"sklearn.random_projection.GaussianRandomProjection", plain},
    {"sklearn.random_projection.SparseRandomProjection", plain},
    {"sklearn.kernel_approximation.Nystroem", build_nystroem},
    {"sklearn.kernel_approximation.RBFSampler", build_rbf_sampler},
};

}  // namespace

std::span<const ClassRow> decomposition_rows() {
  return rows;
}

}  // namespace jackdaw::predict
