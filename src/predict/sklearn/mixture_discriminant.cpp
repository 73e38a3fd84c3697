// LinearDiscriminantAnalysis: coef_, intercept_, classes_, solver, xbar_, scalings_, _max_components.
// QuadraticDiscriminantAnalysis: means_, rotations_, scalings_ (lists, one per class), priors_, classes_.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/mixture.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

// ---- linear -------------------------------------------------------------------------------------------------------

struct LinearParts {
  Matrix coefficients;  // (classes, columns), one row for two classes
  std::vector<double> intercept;
  Matrix projection;  // columns x components of transform; empty without
  std::vector<double> centre;
  bool one_by_one = false;   // until 0.21 probabilities were normalised sigmoids
  bool floors_zero = false;  // since 0.24 a zero becomes the smallest normal number before the logarithm
};

class LinearDiscriminant final : public FittedEstimator {
 public:
  LinearDiscriminant(Signature signature, LinearParts parts)
      : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override {
    return method != Method::score_samples && (method != Method::transform || parts_.projection.cols > 0);
  }
  Result<Output> run(Method method, const Frame& x) const override;
  Result<Frame> transform(const Frame& x) const override;
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * parts_.coefficients.values.size());
  }
  std::size_t resident_bytes() const override { return parts_.coefficients.values.size() * sizeof(double); }

 private:
  Matrix decisions(const Matrix& x) const;
  Matrix probabilities(const Matrix& decisions) const;
  LinearParts parts_;
};

Matrix LinearDiscriminant::decisions(const Matrix& x) const {
  const DType dtype = x.dtype == DType::fp32 ? float_dtype(parts_.coefficients.dtype) : DType::fp64;
  Matrix out = Matrix::dense(x.rows, parts_.coefficients.rows, dtype);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t k = 0; k < out.cols; ++k) {
      double sum = 0.0;
      for (std::size_t c = 0; c < x.cols; ++c) sum += x.row(r)[c] * parts_.coefficients.row(k)[c];
      out.row(r)[k] = sum + parts_.intercept[k];
    }
  }
  round_all(out);
  return out;
}

Matrix LinearDiscriminant::probabilities(const Matrix& decisions) const {
  Matrix out = decisions;
  if (decisions.cols == 1) {
    out = Matrix::dense(decisions.rows, 2, decisions.dtype);
    for (std::size_t r = 0; r < out.rows; ++r) {
      out.row(r)[1] = round_to(out.dtype, sigmoid(decisions.values[r]));
      out.row(r)[0] = 1.0 - out.row(r)[1];
    }
  } else if (!parts_.one_by_one) {
    softmax_in_place(out);
  } else {
    for (std::size_t r = 0; r < out.rows; ++r) {
      double sum = 0.0;
      for (std::size_t c = 0; c < out.cols; ++c) sum += out.row(r)[c] = sigmoid(out.row(r)[c]);
      for (std::size_t c = 0; c < out.cols; ++c) out.row(r)[c] /= sum;
    }
  }
  round_all(out);
  return out;
}

Result<Output> LinearDiscriminant::run(Method method, const Frame& x) const {
  if (!supports(method) || method == Method::transform) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  const Matrix d = decisions(*m);
  if (method == Method::decision_function) return d.cols == 1 ? vector_output(d.dtype, d.values) : matrix_output(d);
  if (method == Method::predict) {
    std::vector<std::uint32_t> picks(d.rows);
    for (std::size_t r = 0; d.cols == 1 && r < d.rows; ++r) picks[r] = d.values[r] > 0.0;
    return one_array(label_tensor(classes()[0], d.cols == 1 ? picks : row_argmax(d)));
  }
  Matrix p = probabilities(d);
  if (method == Method::predict_proba) return matrix_output(p);
  const double floor = p.dtype == DType::fp32 ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  for (double& v : p.values) v = v == 0.0 && parts_.floors_zero ? floor : v;
  log_in_place(p);
  return matrix_output(p);
}

Result<Frame> LinearDiscriminant::transform(const Frame& x) const {
  if (!supports(Method::transform)) return no_method(Method::transform);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  Matrix out =
      Matrix::dense(m->rows, parts_.projection.cols, m->dtype == DType::fp32 ? parts_.projection.dtype : DType::fp64);
  for (std::size_t r = 0; r < m->rows; ++r) {
    for (std::size_t c = 0; c < m->cols; ++c) {
      const double v = m->row(r)[c] - parts_.centre[c];
      for (std::size_t k = 0; k < out.cols; ++k) out.row(r)[k] += v * parts_.projection.row(c)[k];
    }
  }
  round_all(out);
  return Frame(std::move(out));
}

Result<void> read_projection(const BuildContext& context, std::size_t width, LinearParts& out) {
  const std::string solver = context.text_or("solver", "svd");
  out.centre.assign(width, 0.0);
  if (solver == "lsqr") return {};
  JACKDAW_ASSIGN(const Matrix scalings, shaped_matrix(context, "scalings_", static_cast<std::int64_t>(width), -1));
  if (solver == "svd") {
    JACKDAW_ASSIGN(out.centre, sized_doubles(context, "xbar_", width));
  }
  const auto most = static_cast<std::int64_t>(scalings.cols);
  const auto keep =
      static_cast<std::size_t>(std::clamp<std::int64_t>(context.integer_or("_max_components", most), 0, most));
  out.projection = Matrix::dense(width, keep, scalings.dtype);
  for (std::size_t c = 0; c < width; ++c) std::copy_n(scalings.row(c), keep, out.projection.row(c));
  return {};
}

// ---- quadratic ----------------------------------------------------------------------------------------------------

struct QuadraticParts {
  Matrix means;                    // (classes, columns)
  std::vector<Matrix> whitenings;  // per class: columns x rank, rotation over the root of the scaling
  std::vector<double> offsets;     // log prior - half the log determinant
  bool logs_directly = false;      // since 1.6 log probabilities are not taken from probabilities
};

class QuadraticDiscriminant final : public FittedEstimator {
 public:
  QuadraticDiscriminant(Signature signature, QuadraticParts parts)
      : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override { return method != Method::transform && method != Method::score_samples; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    Matrix d = scores(*m);
    if (method == Method::predict) return one_array(label_tensor(classes()[0], row_argmax(d)));
    if (method == Method::decision_function) {
      if (d.cols != 2) return matrix_output(d);
      std::vector<double> out(d.rows);
      for (std::size_t r = 0; r < d.rows; ++r) out[r] = d.row(r)[1] - d.row(r)[0];
      return vector_output(DType::fp64, out);
    }
    if (method == Method::predict_log_proba && parts_.logs_directly) {
      log_softmax_in_place(d);
      return matrix_output(d);
    }
    softmax_in_place(d);
    if (method == Method::predict_log_proba) log_in_place(d);
    return matrix_output(d);
  }
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows * parts_.means.values.size() * parts_.means.cols);
  }
  std::size_t resident_bytes() const override {
    return parts_.means.values.size() * (parts_.means.cols + 1) * sizeof(double);
  }

 private:
  Matrix scores(const Matrix& x) const {
    Matrix out = Matrix::dense(x.rows, parts_.means.rows, DType::fp64);
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t k = 0; k < out.cols; ++k) {
        const Matrix& w = parts_.whitenings[k];
        double norm = 0.0;
        for (std::size_t j = 0; j < w.cols; ++j) {
          double sum = 0.0;
          for (std::size_t c = 0; c < x.cols; ++c) sum += (x.row(r)[c] - parts_.means.row(k)[c]) * w.row(c)[j];
          norm += sum * sum;
        }
        out.row(r)[k] = -0.5 * norm + parts_.offsets[k];
      }
    }
    return out;
  }
  QuadraticParts parts_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_linear_discriminant(const BuildContext& context) {
  LinearParts parts;
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  if (labels.size() < 2) return context.error(Code::unsupported, "classes_ has a single class");
  const std::size_t outputs = labels.size() == 2 ? 1 : labels.size();
  JACKDAW_ASSIGN(parts.coefficients, shaped_matrix(context, "coef_", static_cast<std::int64_t>(outputs), -1));
  JACKDAW_ASSIGN(parts.intercept, sized_doubles(context, "intercept_", outputs));
  Signature signature = read_signature(context, static_cast<std::int64_t>(parts.coefficients.cols));
  signature.rule.n_features = static_cast<std::int64_t>(parts.coefficients.cols);
  signature.rule.numbers = Numbers::floats;
  JACKDAW_TRY(read_projection(context, parts.coefficients.cols, parts));
  parts.one_by_one = !written_since(context, 0, 22);
  parts.floors_zero = written_since(context, 0, 24);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<LinearDiscriminant>(std::move(signature), std::move(parts)));
}

Result<std::unique_ptr<Estimator>> build_quadratic_discriminant(const BuildContext& context) {
  QuadraticParts parts;
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  const std::size_t k = labels.size();
  JACKDAW_ASSIGN(parts.means, shaped_matrix(context, "means_", static_cast<std::int64_t>(k), -1));
  JACKDAW_ASSIGN(const std::vector<double> priors, sized_doubles(context, "priors_", k));
  JACKDAW_ASSIGN(const std::vector<NodeId> rotations, object_list(context, "rotations_"));
  JACKDAW_ASSIGN(const std::vector<NodeId> scalings, object_list(context, "scalings_"));
  if (rotations.size() != k || scalings.size() != k)
    return context.error(Code::parse_error, "rotations_ and scalings_ are not one per class");
  for (std::size_t i = 0; i < k; ++i) {
    JACKDAW_ASSIGN(Matrix rotation, matrix_at(context, rotations[i], fmt::format("rotations_[{}]", i)));
    JACKDAW_ASSIGN(const Matrix scaling, matrix_at(context, scalings[i], fmt::format("scalings_[{}]", i)));
    if (rotation.rows != parts.means.cols || rotation.cols != scaling.values.size()) {
      return context.error(Code::parse_error,
                           fmt::format("rotations_[{}] has shape ({}, {}) for {} columns and {} scalings", i,
                                       rotation.rows, rotation.cols, parts.means.cols, scaling.values.size()));
    }
    double log_determinant = 0.0;
    for (double s : scaling.values) log_determinant += std::log(s);
    for (std::size_t c = 0; c < rotation.rows; ++c) {
      for (std::size_t j = 0; j < rotation.cols; ++j) rotation.row(c)[j] *= std::pow(scaling.values[j], -0.5);
    }
    parts.whitenings.push_back(std::move(rotation));
    parts.offsets.push_back(std::log(priors[i]) - 0.5 * log_determinant);
  }
  parts.logs_directly = written_since(context, 1, 6);
  Signature signature = read_signature(context);
  signature.rule.n_features = static_cast<std::int64_t>(parts.means.cols);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<QuadraticDiscriminant>(std::move(signature), std::move(parts)));
}

}  // namespace jackdaw::predict
