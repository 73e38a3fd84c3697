// PLSRegression, PLSCanonical, CCA: _x_mean, _x_std, x_rotations_, coef_ (_coef_ in 1.1 and 1.2), intercept_ or
// _y_mean. EllipticEnvelope: location_, precision_, offset_. KernelRidge: X_fit_, dual_coef_, kernel, gamma, degree,
// coef0.
#include <cmath>

#include "src/predict/sklearn/mixture.h"
#include "src/predict/sklearn/point_panels.h"

namespace jackdaw::predict {

namespace {

Matrix transposed(const Matrix& m) {
  Matrix out = Matrix::dense(m.cols, m.rows, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) out.row(c)[r] = m.row(r)[c];
  }
  return out;
}

// ---- partial least squares ----------------------------------------------------------------------------------------

struct PlsParts {
  std::vector<double> mean, scale;
  Matrix coefficients;  // columns x targets
  Matrix rotations;     // columns x components
  std::vector<double> intercept;
  bool scaled = true;  // until 1.2 the coefficients were for scaled columns
  bool one_dimensional = false;
};

class PartialLeastSquares final : public MatrixRegressor {
 public:
  PartialLeastSquares(Signature signature, PlsParts parts)
      : MatrixRegressor(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::transform; }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    return Frame(product(*m, parts_.rotations, true));
  }
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * parts_.coefficients.values.size());
  }
  std::size_t resident_bytes() const override { return parts_.coefficients.values.size() * sizeof(double); }

 protected:
  bool keeps_two_dimensions() const override { return !parts_.one_dimensional; }
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    Matrix out = product(*m, parts_.coefficients, parts_.scaled);
    for (std::size_t r = 0; r < out.rows; ++r) {
      for (std::size_t k = 0; k < out.cols; ++k) out.row(r)[k] += parts_.intercept[k];
    }
    round_all(out);
    return out;
  }

 private:
  // Results stay float64: means and coefficients are.
  Matrix product(const Matrix& x, const Matrix& with, bool scaled) const {
    Matrix out = Matrix::dense(x.rows, with.cols, DType::fp64);
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t c = 0; c < x.cols; ++c) {
        double v = round_to(x.dtype, x.row(r)[c] - parts_.mean[c]);
        if (scaled) v = round_to(x.dtype, v / parts_.scale[c]);
        for (std::size_t k = 0; k < out.cols; ++k) out.row(r)[k] += v * with.row(c)[k];
      }
    }
    return out;
  }
  PlsParts parts_;
};

// ---- elliptic envelope --------------------------------------------------------------------------------------------

class EllipticEnvelope final : public FittedEstimator {
 public:
  EllipticEnvelope(Signature signature, std::vector<double> location, Matrix precision, double offset)
      : FittedEstimator(std::move(signature)),
        location_(std::move(location)),
        precision_(std::move(precision)),
        offset_(offset) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function || method == Method::score_samples;
  }
  bool is_outlier_detector() const override { return true; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    std::vector<double> out(m->rows);
    for (std::size_t r = 0; r < m->rows; ++r) {
      out[r] = -squared_distance(m->row(r));
      if (method != Method::score_samples) out[r] -= offset_;
      if (method == Method::predict) out[r] = out[r] >= 0.0 ? 1.0 : -1.0;
    }
    return vector_output(method == Method::predict ? DType::int64 : DType::fp64, out);
  }
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * precision_.values.size());
  }
  std::size_t resident_bytes() const override { return precision_.values.size() * sizeof(double); }

 private:
  double squared_distance(const double* x) const {
    double out = 0.0;
    for (std::size_t i = 0; i < location_.size(); ++i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < location_.size(); ++j) sum += precision_.row(i)[j] * (x[j] - location_[j]);
      out += (x[i] - location_[i]) * sum;
    }
    return out;
  }
  std::vector<double> location_;
  Matrix precision_;
  double offset_;
};

// ---- kernel ridge -------------------------------------------------------------------------------------------------

struct RidgeParts {
  enum class Kind { linear, poly, rbf, sigmoid, laplacian };
  Kind kind = Kind::linear;
  double gamma = 1.0, degree = 3.0, coef0 = 1.0;
  PointPanels points;
  Matrix dual;  // (points, targets)
  bool two_dimensional = false;
};

class KernelRidge final : public MatrixRegressor {
 public:
  KernelRidge(Signature signature, RidgeParts parts)
      : MatrixRegressor(std::move(signature)), parts_(std::move(parts)) {}
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * parts_.points.count() * (parts_.points.cols() + 15));
  }
  std::size_t resident_bytes() const override { return parts_.points.resident_bytes(); }

 protected:
  bool keeps_two_dimensions() const override { return parts_.two_dimensional; }
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    Matrix out = Matrix::dense(m->rows, parts_.dual.cols, DType::fp64);
    std::vector<double> k(parts_.points.count());
    for (std::size_t r = 0; r < m->rows; ++r) {
      kernel_row(m->row(r), k.data());
      for (std::size_t i = 0; i < k.size(); ++i) {
        for (std::size_t o = 0; o < out.cols; ++o) out.row(r)[o] += k[i] * parts_.dual.row(i)[o];
      }
    }
    return out;
  }

 private:
  void kernel_row(const double* x, double* k) const {
    using Kind = RidgeParts::Kind;
    if (parts_.kind == Kind::rbf) {
      parts_.points.squared_distances(x, k);
    } else if (parts_.kind == Kind::laplacian) {
      parts_.points.fold(x, k, [](double sum, double a, double b) { return sum + std::abs(a - b); });
    } else {
      parts_.points.dots(x, k);
    }
    for (std::size_t i = 0; i < parts_.points.count(); ++i) {
      if (parts_.kind == Kind::rbf || parts_.kind == Kind::laplacian) k[i] = std::exp(-parts_.gamma * k[i]);
      if (parts_.kind == Kind::poly) k[i] = std::pow(parts_.gamma * k[i] + parts_.coef0, parts_.degree);
      if (parts_.kind == Kind::sigmoid) k[i] = std::tanh(parts_.gamma * k[i] + parts_.coef0);
    }
  }
  RidgeParts parts_;
};

Result<RidgeParts::Kind> ridge_kind(const BuildContext& context) {
  using Kind = RidgeParts::Kind;
  const std::string name = context.text_or("kernel", "a function");
  constexpr std::pair<std::string_view, Kind> kinds[] = {{"linear", Kind::linear},   {"poly", Kind::poly},
                                                         {"polynomial", Kind::poly}, {"rbf", Kind::rbf},
                                                         {"sigmoid", Kind::sigmoid}, {"laplacian", Kind::laplacian}};
  for (const auto& [known, kind] : kinds) {
    if (known == name) return kind;
  }
  return context.error(Code::unsupported,
                       fmt::format("kernel='{}'; linear, poly, rbf, sigmoid and laplacian are served", name));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_partial_least_squares(const BuildContext& context) {
  PlsParts parts;
  const bool renamed = context.has("_x_mean");
  JACKDAW_ASSIGN(parts.mean, context.doubles(renamed ? "_x_mean" : "x_mean_"));
  const auto width = static_cast<std::int64_t>(parts.mean.size());
  JACKDAW_ASSIGN(parts.scale, sized_doubles(context, renamed ? "_x_std" : "x_std_", parts.mean.size()));
  JACKDAW_ASSIGN(parts.rotations, shaped_matrix(context, "x_rotations_", width, -1));
  const bool has_intercept = context.has("intercept_");
  if (context.has("_coef_")) {
    JACKDAW_ASSIGN(const Matrix coefficients, shaped_matrix(context, "_coef_", -1, width));
    parts.coefficients = transposed(coefficients);
  } else if (has_intercept) {
    JACKDAW_ASSIGN(const Matrix coefficients, shaped_matrix(context, "coef_", -1, width));
    parts.coefficients = transposed(coefficients);
    parts.scaled = false;
  } else {
    JACKDAW_ASSIGN(parts.coefficients, shaped_matrix(context, "coef_", width, -1));
  }
  const std::string_view shift = has_intercept ? "intercept_" : renamed ? "_y_mean" : "y_mean_";
  JACKDAW_ASSIGN(parts.intercept, sized_doubles(context, shift, parts.coefficients.cols));
  parts.one_dimensional = context.flag_or("_predict_1d", false);
  Signature signature = read_signature(context);
  signature.rule.n_features = width;
  signature.rule.numbers = Numbers::floats;
  return std::unique_ptr<Estimator>(std::make_unique<PartialLeastSquares>(std::move(signature), std::move(parts)));
}

Result<std::unique_ptr<Estimator>> build_elliptic_envelope(const BuildContext& context) {
  JACKDAW_ASSIGN(std::vector<double> location, context.doubles("location_"));
  const auto width = static_cast<std::int64_t>(location.size());
  if (!context.has("precision_")) {
    return context.error(Code::unsupported,
                         "it was fitted with store_precision=False; fit it with store_precision=True");
  }
  JACKDAW_ASSIGN(Matrix precision, shaped_matrix(context, "precision_", width, width));
  JACKDAW_ASSIGN(const double offset, context.number("offset_"));
  Signature signature = read_signature(context);
  signature.rule.n_features = width;
  return std::unique_ptr<Estimator>(
      std::make_unique<EllipticEnvelope>(std::move(signature), std::move(location), std::move(precision), offset));
}

Result<std::unique_ptr<Estimator>> build_kernel_ridge(const BuildContext& context) {
  RidgeParts parts;
  JACKDAW_ASSIGN(parts.kind, ridge_kind(context));
  JACKDAW_ASSIGN(const Matrix points, context.matrix("X_fit_"));
  if (points.rows == 0 || points.cols == 0) return context.error(Code::parse_error, "X_fit_ is empty");
  parts.points = PointPanels(points);
  parts.gamma = context.number_or("gamma", 1.0 / static_cast<double>(points.cols));
  parts.degree = context.number_or("degree", 3.0);
  parts.coef0 = context.number_or("coef0", 1.0);
  JACKDAW_ASSIGN(const formats::NdArray shape, context.ndarray("dual_coef_"));
  JACKDAW_ASSIGN(parts.dual, context.matrix("dual_coef_"));
  parts.two_dimensional = shape.shape.size() == 2;
  if (!parts.two_dimensional) std::swap(parts.dual.rows, parts.dual.cols);
  if (parts.dual.rows != points.rows) {
    return context.error(Code::parse_error,
                         fmt::format("dual_coef_ has {} rows, X_fit_ {}", parts.dual.rows, points.rows));
  }
  Signature signature = read_signature(context);
  signature.rule.n_features = static_cast<std::int64_t>(points.cols);
  return std::unique_ptr<Estimator>(std::make_unique<KernelRidge>(std::move(signature), std::move(parts)));
}

}  // namespace jackdaw::predict
