// Models over a kernel with stored rows: KernelPCA (X_fit_, eigenvectors_, eigenvalues_; alphas_, lambdas_ before 1.0;
// _centerer), Nystroem (components_, normalization_), and RBFSampler (random_weights_, random_offset_).
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/decomposition.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

enum class KernelKind : unsigned char { linear, rbf, polynomial, sigmoid, cosine, laplacian };

// k(x, rows[i]) for stored rows.
struct Kernel {
  KernelKind kind = KernelKind::linear;
  double gamma = 1.0;
  double degree = 3.0;
  double coef0 = 1.0;
  Matrix rows;

  double squared_distance(const double* x, const double* y) const {
    double sum = 0;
    for (std::size_t c = 0; c < rows.cols; ++c) sum += (x[c] - y[c]) * (x[c] - y[c]);
    return sum;
  }
  double manhattan(const double* x, const double* y) const {
    double sum = 0;
    for (std::size_t c = 0; c < rows.cols; ++c) sum += std::abs(x[c] - y[c]);
    return sum;
  }
  double cosine(const double* x, const double* y) const {
    const double a = std::sqrt(dot(x, x, rows.cols));
    const double b = std::sqrt(dot(y, y, rows.cols));
    return dot(x, y, rows.cols) / ((a == 0 ? 1.0 : a) * (b == 0 ? 1.0 : b));
  }
  double value(const double* x, std::size_t i) const {
    const double* y = rows.row(i);
    switch (kind) {
      case KernelKind::linear:
        return dot(x, y, rows.cols);
      case KernelKind::rbf:
        return std::exp(-gamma * squared_distance(x, y));
      case KernelKind::polynomial:
        return std::pow(gamma * dot(x, y, rows.cols) + coef0, degree);
      case KernelKind::sigmoid:
        return std::tanh(gamma * dot(x, y, rows.cols) + coef0);
      case KernelKind::cosine:
        return cosine(x, y);
      case KernelKind::laplacian:
        return std::exp(-gamma * manhattan(x, y));
    }
    return 0;
  }
};

Result<Kernel> read_kernel(const BuildContext& c, std::string_view rows) {
  Kernel k;
  JACKDAW_ASSIGN(k.rows, c.matrix(rows));
  if (k.rows.rows == 0 || k.rows.cols == 0) return c.error(Code::parse_error, fmt::format("'{}' is empty", rows));
  const std::string name = c.text_or("kernel", "");
  if (name == "linear") {
    k.kind = KernelKind::linear;
  } else if (name == "rbf") {
    k.kind = KernelKind::rbf;
  } else if (name == "poly" || name == "polynomial") {
    k.kind = KernelKind::polynomial;
  } else if (name == "sigmoid") {
    k.kind = KernelKind::sigmoid;
  } else if (name == "cosine") {
    k.kind = KernelKind::cosine;
  } else if (name == "laplacian") {
    k.kind = KernelKind::laplacian;
  } else {
    return c.error(Code::unsupported, fmt::format("its kernel '{}' is not supported", name));
  }
  k.gamma = c.number_or("gamma_", c.number_or("gamma", 1.0 / static_cast<double>(k.rows.cols)));
  k.degree = c.number_or("degree", 3.0);
  k.coef0 = c.number_or("coef0", 1.0);
  return k;
}

// x -> k(x, rows) [centred] @ weights.
class KernelMap : public Transformer {
 public:
  struct Centring {
    std::vector<double> rows;  // K_fit_rows_
    double all = 0;            // K_fit_all_
  };
  KernelMap(InputRule rule, Kernel kernel, Matrix weights, std::optional<Centring> centring)
      : Transformer(std::move(rule)),
        kernel_(std::move(kernel)),
        weights_(std::move(weights)),
        centring_(std::move(centring)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, map(x));
    return Frame(std::move(out));
  }
  double cost_ns(std::size_t rows) const override {
    return 100.0 + static_cast<double>(rows * kernel_.rows.rows) * (20.0 + static_cast<double>(kernel_.rows.cols));
  }
  std::size_t resident_bytes() const override { return 8 * (kernel_.rows.values.size() + weights_.values.size()); }

 private:
  // weights_ is (stored rows, outputs).
  Result<Matrix> map(const Frame& frame) const {
    JACKDAW_ASSIGN(MatrixRef x, check_input(frame, rule_));
    if (x->sparse) x = MatrixRef(to_dense(*x));
    const DType dtype = promote(promote(x->dtype, kernel_.rows.dtype), weights_.dtype);
    Matrix out = Matrix::dense(x->rows, weights_.cols, is_float(dtype) ? dtype : DType::fp64);
    std::vector<double> k(kernel_.rows.rows);
    for (std::size_t r = 0; r < x->rows; ++r) {
      for (std::size_t i = 0; i < k.size(); ++i) k[i] = kernel_.value(x->row(r), i);
      if (centring_) centre(k);
      for (std::size_t i = 0; i < k.size(); ++i) {
        for (std::size_t o = 0; o < out.cols; ++o) out.row(r)[o] += k[i] * weights_.row(i)[o];
      }
    }
    round_all(out);
    return out;
  }

  void centre(std::vector<double>& k) const {
    double mean = 0;
    for (double v : k) mean += v;
    mean /= static_cast<double>(k.size());
    for (std::size_t i = 0; i < k.size(); ++i) k[i] = k[i] - centring_->rows[i] - mean + centring_->all;
  }

  Kernel kernel_;
  Matrix weights_;
  std::optional<Centring> centring_;
};

Result<std::unique_ptr<Estimator>> make_map(const BuildContext& c, Kernel kernel, Matrix weights,
                                            std::optional<KernelMap::Centring> centring) {
  if (weights.rows != kernel.rows.rows) return c.error(Code::parse_error, "the weights do not fit the stored rows");
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, kernel.rows.cols));
  return std::unique_ptr<Estimator>(
      new KernelMap(std::move(rule), std::move(kernel), std::move(weights), std::move(centring)));
}

class RbfSampler : public Transformer {
 public:
  RbfSampler(InputRule rule, Affine affine) : Transformer(std::move(rule)), affine_(std::move(affine)) {}

  Result<Frame> transform(const Frame& frame) const override {
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    Matrix out = Matrix::dense(x->rows, affine_.outputs(), affine_.result_dtype(x->dtype));
    apply(affine_, *x, out.values.data());
    const double scale = std::sqrt(2.0 / static_cast<double>(affine_.outputs()));
    for (double& v : out.values) v = round_to(out.dtype, std::cos(v) * scale);
    return Frame(std::move(out));
  }

 private:
  Affine affine_;
};

Matrix transposed(const Matrix& m) {
  Matrix out = Matrix::dense(m.cols, m.rows, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) out.row(c)[r] = m.row(r)[c];
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_kernel_pca(const BuildContext& c) {
  JACKDAW_ASSIGN(Kernel kernel, read_kernel(c, "X_fit_"));
  const bool renamed = c.has("eigenvectors_");
  JACKDAW_ASSIGN(Matrix vectors, c.matrix(renamed ? "eigenvectors_" : "alphas_"));
  JACKDAW_ASSIGN(const std::vector<double> values, c.doubles(renamed ? "eigenvalues_" : "lambdas_"));
  if (values.size() != vectors.cols) return c.error(Code::parse_error, "the eigenvalues do not fit the eigenvectors");
  for (std::size_t r = 0; r < vectors.rows; ++r) {
    for (std::size_t k = 0; k < vectors.cols; ++k) {
      vectors.row(r)[k] = values[k] == 0 ? 0.0 : vectors.row(r)[k] / std::sqrt(values[k]);
    }
  }
  if (!c.has("_centerer")) return c.error(Code::parse_error, "'_centerer' is missing");
  const BuildContext inner = c.child(c.attribute("_centerer"), "_centerer");
  KernelMap::Centring centring;
  JACKDAW_ASSIGN(centring.rows, sized_doubles(inner, "K_fit_rows_", kernel.rows.rows));
  JACKDAW_ASSIGN(centring.all, inner.number("K_fit_all_"));
  return make_map(c, std::move(kernel), std::move(vectors), std::move(centring));
}

Result<std::unique_ptr<Estimator>> build_nystroem(const BuildContext& c) {
  JACKDAW_ASSIGN(Kernel kernel, read_kernel(c, "components_"));
  JACKDAW_ASSIGN(const Matrix normalization, c.matrix("normalization_"));
  return make_map(c, std::move(kernel), transposed(normalization), std::nullopt);
}

Result<std::unique_ptr<Estimator>> build_rbf_sampler(const BuildContext& c) {
  JACKDAW_ASSIGN(const Matrix weights, c.matrix("random_weights_"));
  Affine affine;
  affine.weights = transposed(weights);
  affine.bias_dtype = weights.dtype;
  if (affine.weights.rows == 0) return c.error(Code::parse_error, "'random_weights_' is empty");
  JACKDAW_ASSIGN(affine.bias, sized_doubles(c, "random_offset_", affine.weights.rows));
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, affine.features()));
  return std::unique_ptr<Estimator>(new RbfSampler(std::move(rule), std::move(affine)));
}

}  // namespace jackdaw::predict
