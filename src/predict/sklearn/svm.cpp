// The libsvm family: SVC, NuSVC, SVR, NuSVR, OneClassSVM.
//
// Read: support_vectors_, _dual_coef_, _intercept_ (libsvm's own signs; the public ones are negated for two classes),
// _n_support (n_support_ before 0.23), _probA/_probB (probA_/probB_ before 0.23), classes_, decision_function_shape,
// break_ties. One against one: the pair i < j decides
//   d = K[sv of i] . dual[j - 1][sv of i] + K[sv of j] . dual[i][sv of j] + intercept[pair],
// and votes for i when d > 0. scikit-learn's public decision of two classes is -d.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/svm_kernel.h"

namespace jackdaw::predict {

namespace {

Result<Signature> svm_signature(const BuildContext& context, const SupportVectors& vectors) {
  Signature out = read_signature(context, static_cast<std::int64_t>(vectors.cols()));
  out.rule.numbers = Numbers::fp64;
  out.rule.accept_sparse = vectors.sparse();
  if (out.rule.n_features == static_cast<std::int64_t>(vectors.cols())) return out;
  return context.error(Code::parse_error, fmt::format("support_vectors_ has {} columns, n_features_in_ is {}",
                                                      vectors.cols(), out.rule.n_features));
}

// ---- one sum: SVR, NuSVR, OneClassSVM -----------------------------------------------------------------------------

class KernelSum : public FittedEstimator {
 public:
  KernelSum(Signature signature, SupportVectors vectors, std::vector<double> coefficients, double intercept)
      : FittedEstimator(std::move(signature)),
        vectors_(std::move(vectors)),
        coefficients_(std::move(coefficients)),
        intercept_(intercept) {}
  double cost_ns(std::size_t rows) const override { return 300.0 + static_cast<double>(rows) * vectors_.row_ns(); }
  std::size_t resident_bytes() const override { return vectors_.resident_bytes(); }

 protected:
  Result<std::vector<double>> sums(const Frame& x) const {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    std::vector<double> kernel(vectors_.count());
    std::vector<double> out(m->rows);
    for (std::size_t r = 0; r < m->rows; ++r) {
      vectors_.kernel_row(*m, r, kernel.data());
      double sum = 0.0;
      for (std::size_t s = 0; s < kernel.size(); ++s) sum += coefficients_[s] * kernel[s];
      out[r] = sum + intercept_;
    }
    return out;
  }

 private:
  SupportVectors vectors_;
  std::vector<double> coefficients_;
  double intercept_;
};

class SvmRegressor final : public KernelSum {
 public:
  using KernelSum::KernelSum;
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) return no_method(method);
    JACKDAW_ASSIGN(const std::vector<double> out, sums(x));
    return vector_output(DType::fp64, out);
  }
};

class OneClassSvm final : public KernelSum {
 public:
  OneClassSvm(double offset, Signature signature, SupportVectors vectors, std::vector<double> coefficients,
              double intercept)
      : KernelSum(std::move(signature), std::move(vectors), std::move(coefficients), intercept), offset_(offset) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function || method == Method::score_samples;
  }
  bool is_outlier_detector() const override { return true; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(std::vector<double> out, sums(x));
    for (double& v : out) {
      if (method == Method::predict) v = v > 0.0 ? 1.0 : -1.0;
      if (method == Method::score_samples) v += offset_;
    }
    return vector_output(method == Method::predict ? DType::int64 : DType::fp64, out);
  }

 private:
  double offset_;
};

struct SumParts {
  Signature signature;
  SupportVectors vectors;
  std::vector<double> coefficients;
  double intercept = 0.0;
};

Result<SumParts> read_sum(const BuildContext& context) {
  SumParts out;
  JACKDAW_ASSIGN(out.vectors, SupportVectors::read(context));
  JACKDAW_ASSIGN(out.signature, svm_signature(context, out.vectors));
  const auto count = static_cast<std::int64_t>(out.vectors.count());
  JACKDAW_ASSIGN(Matrix dual,
                 shaped_matrix(context, context.has("_dual_coef_") ? "_dual_coef_" : "dual_coef_", 1, count));
  out.coefficients = std::move(dual.values);
  JACKDAW_ASSIGN(const auto intercept,
                 sized_doubles(context, context.has("_intercept_") ? "_intercept_" : "intercept_", 1));
  out.intercept = intercept[0];
  return out;
}

Result<std::unique_ptr<Estimator>> build_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(SumParts p, read_sum(context));
  return std::unique_ptr<Estimator>(std::make_unique<SvmRegressor>(std::move(p.signature), std::move(p.vectors),
                                                                   std::move(p.coefficients), p.intercept));
}

Result<std::unique_ptr<Estimator>> build_one_class(const BuildContext& context) {
  JACKDAW_ASSIGN(SumParts p, read_sum(context));
  // offset_ is an array of one; files older than 0.20 lack it.
  double offset = -p.intercept;
  if (context.has("offset_")) {
    JACKDAW_ASSIGN(const auto stored, sized_doubles(context, "offset_", 1));
    offset = stored[0];
  }
  return std::unique_ptr<Estimator>(std::make_unique<OneClassSvm>(offset, std::move(p.signature), std::move(p.vectors),
                                                                  std::move(p.coefficients), p.intercept));
}

// ---- one against one: SVC, NuSVC ----------------------------------------------------------------------------------

// Class probabilities from pairwise ones: the second method of Wu, Lin and Weng, "Probability Estimates for Multi-class
// Classification by Pairwise Coupling" (JMLR 5, 2004), with libsvm's starting point, bound and stopping rule.
// `pairwise[i * k + j]` is the probability of i against j.
void couple_pairs(std::span<const double> pairwise, std::size_t k, double* p) {
  std::vector<double> q(k * k, 0.0);
  std::vector<double> qp(k);
  for (std::size_t t = 0; t < k; ++t) {
    p[t] = 1.0 / static_cast<double>(k);
    for (std::size_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t * k + t] += pairwise[j * k + t] * pairwise[j * k + t];
      q[t * k + j] = -pairwise[j * k + t] * pairwise[t * k + j];
    }
  }
  const double enough = 0.005 / static_cast<double>(k);
  const std::size_t rounds = std::max<std::size_t>(100, k);
  for (std::size_t round = 0; round < rounds; ++round) {
    double pqp = 0.0;
    for (std::size_t t = 0; t < k; ++t) {
      qp[t] = 0.0;
      for (std::size_t j = 0; j < k; ++j) qp[t] += q[t * k + j] * p[j];
      pqp += p[t] * qp[t];
    }
    double worst = 0.0;
    for (std::size_t t = 0; t < k; ++t) worst = std::max(worst, std::abs(qp[t] - pqp));
    if (worst < enough) break;
    for (std::size_t t = 0; t < k; ++t) {
      const double qtt = q[t * k + t];
      const double step = (-qp[t] + pqp) / qtt;
      p[t] += step;
      pqp = (pqp + step * (step * qtt + 2.0 * qp[t])) / (1.0 + step) / (1.0 + step);
      for (std::size_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + step * q[t * k + j]) / (1.0 + step);
        p[j] /= 1.0 + step;
      }
    }
  }
}

double platt(double decision, double a, double b) {
  const double v = decision * a + b;
  const double p = v >= 0.0 ? std::exp(-v) / (1.0 + std::exp(-v)) : 1.0 / (1.0 + std::exp(v));
  return std::clamp(p, 1e-7, 1.0 - 1e-7);
}

struct PairParts {
  SupportVectors vectors;
  std::vector<std::size_t> class_begin;  // classes + 1
  Matrix dual;                           // (classes - 1) x vectors
  std::vector<double> intercept;         // one per pair
  std::vector<double> prob_a, prob_b;    // empty without probabilities
  bool ovr = true;
  bool break_ties = false;
};

class SvmClassifier final : public FittedEstimator {
 public:
  SvmClassifier(Signature signature, PairParts parts)
      : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}

  bool supports(Method method) const override {
    const bool proba = method == Method::predict_proba || method == Method::predict_log_proba;
    return method == Method::predict || method == Method::decision_function || (proba && !parts_.prob_a.empty());
  }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override {
    const auto k = static_cast<double>(class_count());
    return 300.0 + static_cast<double>(rows) *
                       (parts_.vectors.row_ns() + k * static_cast<double>(parts_.vectors.count()) + 200.0);
  }
  std::size_t resident_bytes() const override {
    return parts_.vectors.resident_bytes() + parts_.dual.values.size() * sizeof(double);
  }

 private:
  std::size_t class_count() const { return classes()[0].size(); }
  void decide_pairs(const double* kernel, double* out) const;
  Matrix pair_decisions(const Matrix& x) const;
  std::vector<std::uint32_t> vote(const Matrix& pairs) const;
  Matrix one_against_rest(const Matrix& pairs) const;
  Matrix coupled(const Matrix& pairs) const;

  PairParts parts_;
};

void SvmClassifier::decide_pairs(const double* kernel, double* out) const {
  const auto& begin = parts_.class_begin;
  std::size_t pair = 0;
  for (std::size_t i = 0; i < class_count(); ++i) {
    for (std::size_t j = i + 1; j < class_count(); ++j, ++pair) {
      const double* of_i = parts_.dual.row(j - 1);
      const double* of_j = parts_.dual.row(i);
      double sum = 0.0;
      for (std::size_t s = begin[i]; s < begin[i + 1]; ++s) sum += of_i[s] * kernel[s];
      for (std::size_t s = begin[j]; s < begin[j + 1]; ++s) sum += of_j[s] * kernel[s];
      out[pair] = sum + parts_.intercept[pair];
    }
  }
}

Matrix SvmClassifier::pair_decisions(const Matrix& x) const {
  Matrix out = Matrix::dense(x.rows, parts_.intercept.size(), DType::fp64);
  std::vector<double> kernel(parts_.vectors.count());
  for (std::size_t r = 0; r < x.rows; ++r) {
    parts_.vectors.kernel_row(x, r, kernel.data());
    decide_pairs(kernel.data(), out.row(r));
  }
  return out;
}

std::vector<std::uint32_t> SvmClassifier::vote(const Matrix& pairs) const {
  Matrix votes = Matrix::dense(pairs.rows, class_count(), DType::fp64);
  for (std::size_t r = 0; r < pairs.rows; ++r) {
    std::size_t pair = 0;
    for (std::size_t i = 0; i < class_count(); ++i) {
      for (std::size_t j = i + 1; j < class_count(); ++j, ++pair) votes.row(r)[pairs.row(r)[pair] > 0.0 ? i : j] += 1.0;
    }
  }
  return row_argmax(votes);
}

// Votes, with the sum of confidences squeezed into (-1/3, 1/3) to break ties.
Matrix SvmClassifier::one_against_rest(const Matrix& pairs) const {
  Matrix out = Matrix::dense(pairs.rows, class_count(), DType::fp64);
  std::vector<double> confidence(class_count());
  for (std::size_t r = 0; r < pairs.rows; ++r) {
    std::fill(confidence.begin(), confidence.end(), 0.0);
    std::size_t pair = 0;
    for (std::size_t i = 0; i < class_count(); ++i) {
      for (std::size_t j = i + 1; j < class_count(); ++j, ++pair) {
        const double d = pairs.row(r)[pair];
        confidence[i] += d;
        confidence[j] -= d;
        out.row(r)[d < 0.0 ? j : i] += 1.0;
      }
    }
    for (std::size_t c = 0; c < class_count(); ++c)
      out.row(r)[c] += confidence[c] / (3.0 * (std::abs(confidence[c]) + 1.0));
  }
  return out;
}

Matrix SvmClassifier::coupled(const Matrix& pairs) const {
  const std::size_t k = class_count();
  Matrix out = Matrix::dense(pairs.rows, k, DType::fp64);
  std::vector<double> pairwise(k * k, 0.0);
  for (std::size_t r = 0; r < pairs.rows; ++r) {
    std::size_t pair = 0;
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = i + 1; j < k; ++j, ++pair) {
        const double p = platt(pairs.row(r)[pair], parts_.prob_a[pair], parts_.prob_b[pair]);
        pairwise[i * k + j] = p;
        pairwise[j * k + i] = 1.0 - p;
      }
    }
    couple_pairs(pairwise, k, out.row(r));
  }
  return out;
}

Result<Output> SvmClassifier::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
  Matrix pairs = pair_decisions(*m);
  const bool many = class_count() > 2;
  if (method == Method::predict) {
    const bool by_decision = parts_.break_ties && parts_.ovr && many;
    return one_array(label_tensor(classes()[0], by_decision ? row_argmax(one_against_rest(pairs)) : vote(pairs)));
  }
  if (method == Method::decision_function) {
    if (many) return matrix_output(parts_.ovr ? one_against_rest(pairs) : pairs);
    for (double& v : pairs.values) v = -v;
    return vector_output(DType::fp64, pairs.values);
  }
  Matrix p = coupled(pairs);
  if (method == Method::predict_log_proba) log_in_place(p);
  return matrix_output(p);
}

// _n_support: vectors per class, in class order.
Result<std::vector<std::size_t>> read_class_begin(const BuildContext& context, std::size_t classes,
                                                  std::size_t vectors) {
  const std::string_view name = context.has("_n_support") ? "_n_support" : "n_support_";
  JACKDAW_ASSIGN(const std::vector<double> counts, sized_doubles(context, name, classes));
  std::vector<std::size_t> out{0};
  for (double count : counts) {
    if (!(count >= 0.0) || count > static_cast<double>(vectors - out.back())) {
      return context.error(Code::parse_error,
                           fmt::format("{} does not add up to the {} support vectors", name, vectors));
    }
    out.push_back(out.back() + static_cast<std::size_t>(count));
  }
  if (out.back() == vectors) return out;
  return context.error(Code::parse_error,
                       fmt::format("{} adds up to {}, but there are {} support vectors", name, out.back(), vectors));
}

Result<void> read_platt(const BuildContext& context, PairParts& out) {
  if (!context.flag_or("probability", false)) return {};
  const bool renamed = context.has("_probA");
  JACKDAW_ASSIGN(out.prob_a, context.doubles(renamed ? "_probA" : "probA_"));
  JACKDAW_ASSIGN(out.prob_b, context.doubles(renamed ? "_probB" : "probB_"));
  if (out.prob_a.size() == out.prob_b.size() && (out.prob_a.empty() || out.prob_a.size() == out.intercept.size()))
    return {};
  return context.error(Code::parse_error,
                       fmt::format("_probA and _probB have {} and {} numbers for {} pairs of classes",
                                   out.prob_a.size(), out.prob_b.size(), out.intercept.size()));
}

Result<std::unique_ptr<Estimator>> build_classifier(const BuildContext& context) {
  constexpr std::size_t classes_max = 10'000;
  PairParts parts;
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  const std::size_t k = labels.size();
  if (k < 2 || k > classes_max) return context.error(Code::unsupported, fmt::format("classes_ has {} classes", k));
  JACKDAW_ASSIGN(parts.vectors, SupportVectors::read(context));
  JACKDAW_ASSIGN(Signature signature, svm_signature(context, parts.vectors));
  JACKDAW_ASSIGN(parts.class_begin, read_class_begin(context, k, parts.vectors.count()));
  JACKDAW_ASSIGN(parts.dual, shaped_matrix(context, "_dual_coef_", static_cast<std::int64_t>(k - 1),
                                           static_cast<std::int64_t>(parts.vectors.count())));
  JACKDAW_ASSIGN(parts.intercept, sized_doubles(context, "_intercept_", k * (k - 1) / 2));
  JACKDAW_TRY(read_platt(context, parts));
  parts.ovr = context.text_or("decision_function_shape", "ovr") == "ovr";
  parts.break_ties = context.flag_or("break_ties", false);
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<SvmClassifier>(std::move(signature), std::move(parts)));
}

constexpr ClassRow rows[] = {
    {"sklearn.svm.SVC", build_classifier},        {"sklearn.svm.NuSVC", build_classifier},
    {"sklearn.svm.SVR", build_regressor},         {"sklearn.svm.NuSVR", build_regressor},
    {"sklearn.svm.OneClassSVM", build_one_class},
};

}  // namespace

std::span<const ClassRow> svm_rows() {
  return rows;
}

}  // namespace jackdaw::predict
