// GaussianProcessRegressor: kernel_, X_train_, alpha_, _y_train_mean, _y_train_std.
// GaussianProcessClassifier: base_estimator_ (one Laplace approximation for two classes, else one-vs-rest or -one of
// them), classes_. The approximation: kernel_, X_train_, y_train_, pi_, W_sr_, L_, classes_ (algorithm 3.2 of Rasmussen
// and Williams, Gaussian Processes for Machine Learning).
#include <cmath>
#include <numbers>

#include "src/predict/sklearn/mixture.h"
#include "src/predict/sklearn/mixture_covariance.h"

namespace jackdaw::predict {

namespace {

struct Samples {
  Matrix points;
  std::unique_ptr<Covariance> kernel;

  std::vector<double> against(const double* x) const {
    std::vector<double> out(points.rows);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = kernel->between({x, points.cols}, {points.row(i), points.cols});
    return out;
  }
};

Result<Samples> read_samples(const BuildContext& context) {
  Samples out;
  JACKDAW_ASSIGN(out.points, context.matrix("X_train_"));
  if (out.points.rows == 0 || out.points.cols == 0) return context.error(Code::parse_error, "X_train_ is empty");
  JACKDAW_ASSIGN(out.kernel, read_covariance(context.child(context.attribute("kernel_"), "kernel_"), out.points.cols));
  return out;
}

// ---- regression ---------------------------------------------------------------------------------------------------

struct ProcessParts {
  Samples samples;
  Matrix alpha;  // (samples, outputs)
  std::vector<double> mean, scale;
  bool two_dimensional = false;
};

class ProcessRegressor final : public MatrixRegressor {
 public:
  ProcessRegressor(Signature signature, ProcessParts parts)
      : MatrixRegressor(std::move(signature)), parts_(std::move(parts)) {}
  double cost_ns(std::size_t rows) const override {
    return 300.0 + 30.0 * static_cast<double>(rows * parts_.samples.points.values.size());
  }
  std::size_t resident_bytes() const override { return parts_.samples.points.values.size() * sizeof(double); }

 protected:
  bool keeps_two_dimensions() const override { return parts_.two_dimensional; }
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    Matrix out = Matrix::dense(m->rows, parts_.alpha.cols, DType::fp64);
    for (std::size_t r = 0; r < m->rows; ++r) {
      const std::vector<double> k = parts_.samples.against(m->row(r));
      for (std::size_t o = 0; o < out.cols; ++o) {
        double sum = 0.0;
        for (std::size_t i = 0; i < k.size(); ++i) sum += k[i] * parts_.alpha.row(i)[o];
        out.row(r)[o] = parts_.scale[o] * sum + parts_.mean[o];
      }
    }
    return out;
  }

 private:
  ProcessParts parts_;
};

// One number per output; a single one counts for all.
Result<std::vector<double>> per_output(const BuildContext& context, std::string_view name, std::size_t outputs,
                                       double fallback) {
  if (!context.has(name)) return std::vector<double>(outputs, fallback);
  JACKDAW_ASSIGN(const std::vector<double> out, context.doubles(name));
  if (out.size() == 1) return std::vector<double>(outputs, out[0]);
  if (out.size() == outputs) return out;
  return context.error(Code::parse_error, fmt::format("{} has {} numbers for {} outputs", name, out.size(), outputs));
}

// ---- classification -----------------------------------------------------------------------------------------------

struct LaplaceParts {
  Samples samples;
  std::vector<double> residual;  // y - pi
  std::vector<double> root;      // W_sr_
  Matrix lower;                  // L_
};

class LaplaceClassifier final : public FittedEstimator {
 public:
  LaplaceClassifier(Signature signature, LaplaceParts parts)
      : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::predict_proba; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    Matrix p = Matrix::dense(m->rows, 2, DType::fp64);
    std::vector<std::uint32_t> picks(m->rows);
    for (std::size_t r = 0; r < m->rows; ++r) {
      const std::vector<double> k = parts_.samples.against(m->row(r));
      const double mean = latent_mean(k);
      picks[r] = mean > 0.0;
      if (method == Method::predict) continue;
      p.row(r)[1] = averaged_sigmoid(mean, latent_variance(m->row(r), k));
      p.row(r)[0] = 1.0 - p.row(r)[1];
    }
    return method == Method::predict ? one_array(label_tensor(classes()[0], picks)) : matrix_output(p);
  }
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows) * (30.0 * static_cast<double>(parts_.samples.points.values.size()) +
                                                static_cast<double>(parts_.lower.values.size()));
  }
  std::size_t resident_bytes() const override { return parts_.lower.values.size() * sizeof(double); }

 private:
  double latent_mean(const std::vector<double>& k) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < k.size(); ++i) sum += k[i] * parts_.residual[i];
    return sum;
  }
  double latent_variance(const double* x, const std::vector<double>& k) const;
  static double averaged_sigmoid(double mean, double variance);

  LaplaceParts parts_;
};

// k(x, x) - |v|^2 with L v = W_sr k.
double LaplaceClassifier::latent_variance(const double* x, const std::vector<double>& k) const {
  std::vector<double> v(k.size());
  double norm = 0.0;
  for (std::size_t i = 0; i < v.size(); ++i) {
    double sum = parts_.root[i] * k[i];
    for (std::size_t j = 0; j < i; ++j) sum -= parts_.lower.row(i)[j] * v[j];
    v[i] = sum / parts_.lower.row(i)[i];
    norm += v[i] * v[i];
  }
  return parts_.samples.kernel->of({x, parts_.samples.points.cols}) - norm;
}

// The sigmoid's mean under a normal distribution, the sigmoid being a sum of five error functions (Williams and Barber,
// Bayesian Classification with Gaussian Processes, appendix A; these are scikit-learn's numbers).
double LaplaceClassifier::averaged_sigmoid(double mean, double variance) {
  constexpr double lambdas[] = {0.41, 0.4, 0.37, 0.44, 0.39};
  constexpr double weights[] = {-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654};
  const double alpha = 1.0 / (2.0 * variance);
  double sum = 0.0;
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double integral = std::sqrt(std::numbers::pi / alpha) *
                            std::erf(lambdas[i] * mean * std::sqrt(alpha / (alpha + lambdas[i] * lambdas[i]))) /
                            (2.0 * std::sqrt(variance * 2.0 * std::numbers::pi));
    sum += weights[i] * integral;
    weight_sum += weights[i];
  }
  return sum + 0.5 * weight_sum;
}

class ProcessClassifier final : public FittedEstimator {
 public:
  ProcessClassifier(Signature signature, std::unique_ptr<Estimator> base)
      : FittedEstimator(std::move(signature)), base_(std::move(base)) {}
  bool supports(Method method) const override {
    return (method == Method::predict || method == Method::predict_proba) && base_->supports(method);
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    return base_->run(method, Frame(*m));
  }
  double cost_ns(std::size_t rows) const override { return base_->cost_ns(rows); }
  std::size_t resident_bytes() const override { return base_->resident_bytes(); }

 private:
  std::unique_ptr<Estimator> base_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_gaussian_process_regressor(const BuildContext& context) {
  ProcessParts parts;
  JACKDAW_ASSIGN(parts.samples, read_samples(context));
  JACKDAW_ASSIGN(const formats::NdArray shape, context.ndarray("alpha_"));
  JACKDAW_ASSIGN(parts.alpha, context.matrix("alpha_"));
  if (shape.shape.size() == 1) std::swap(parts.alpha.rows, parts.alpha.cols);
  if (parts.alpha.rows != parts.samples.points.rows) {
    return context.error(Code::parse_error,
                         fmt::format("alpha_ has {} rows, X_train_ {}", parts.alpha.rows, parts.samples.points.rows));
  }
  JACKDAW_ASSIGN(parts.mean, per_output(context, "_y_train_mean", parts.alpha.cols, 0.0));
  JACKDAW_ASSIGN(parts.scale, per_output(context, "_y_train_std", parts.alpha.cols, 1.0));
  // A column of targets stayed a column until 1.2.
  parts.two_dimensional = shape.shape.size() == 2 && (parts.alpha.cols > 1 || !written_since(context, 1, 3));
  Signature signature = read_signature(context);
  signature.rule.n_features = static_cast<std::int64_t>(parts.samples.points.cols);
  return std::unique_ptr<Estimator>(std::make_unique<ProcessRegressor>(std::move(signature), std::move(parts)));
}

Result<std::unique_ptr<Estimator>> build_binary_gaussian_process(const BuildContext& context) {
  LaplaceParts parts;
  JACKDAW_ASSIGN(parts.samples, read_samples(context));
  const std::size_t n = parts.samples.points.rows;
  JACKDAW_ASSIGN(const std::vector<double> y, sized_doubles(context, "y_train_", n));
  JACKDAW_ASSIGN(const std::vector<double> pi, sized_doubles(context, "pi_", n));
  for (std::size_t i = 0; i < n; ++i) parts.residual.push_back(y[i] - pi[i]);
  JACKDAW_ASSIGN(parts.root, sized_doubles(context, "W_sr_", n));
  JACKDAW_ASSIGN(parts.lower, shaped_matrix(context, "L_", static_cast<std::int64_t>(n), static_cast<std::int64_t>(n)));
  Signature signature = read_signature(context);
  signature.rule.n_features = static_cast<std::int64_t>(parts.samples.points.cols);
  JACKDAW_ASSIGN(signature.classes.emplace_back(), context.labels("classes_"));
  if (signature.classes[0].size() != 2) return context.error(Code::parse_error, "classes_ is not of two classes");
  return std::unique_ptr<Estimator>(std::make_unique<LaplaceClassifier>(std::move(signature), std::move(parts)));
}

Result<std::unique_ptr<Estimator>> build_gaussian_process_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(auto base, context.estimator("base_estimator_"));
  Signature signature = read_signature(context, base->n_features_in());
  JACKDAW_ASSIGN(signature.classes.emplace_back(), context.labels("classes_"));
  return std::unique_ptr<Estimator>(std::make_unique<ProcessClassifier>(std::move(signature), std::move(base)));
}

}  // namespace jackdaw::predict
