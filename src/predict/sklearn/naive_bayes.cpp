// Naive Bayes. Read: classes_; GaussianNB theta_, var_ (sigma_ before 1.0), class_prior_; MultinomialNB, BernoulliNB
// and ComplementNB feature_log_prob_ and class_log_prior_ (+ binarize); CategoricalNB a list of feature_log_prob_, one
// (classes, categories) array per feature.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;

class NaiveBayes : public ProbabilityClassifier {
 public:
  using ProbabilityClassifier::ProbabilityClassifier;
  std::size_t resident_bytes() const override { return sizeof(*this); }
  double cost_ns(std::size_t rows) const override {
    const double width = static_cast<double>(std::max<std::int64_t>(1, n_features_in()));
    return 200.0 + static_cast<double>(rows * classes()[0].size()) * (15.0 + width);
  }

 protected:
  // rows x classes.
  virtual Result<Matrix> joint_log_likelihood(const Frame& x) const = 0;

  Result<Matrix> votes(const Frame& x) const override { return joint_log_likelihood(x); }
  Result<Matrix> log_probabilities(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix m, joint_log_likelihood(x));
    for (std::size_t r = 0; r < m.rows; ++r) {
      const double total = log_sum_exp(m.row(r), m.cols);
      for (std::size_t c = 0; c < m.cols; ++c) m.row(r)[c] = round_to(m.dtype, m.row(r)[c] - total);
    }
    return m;
  }
  Result<Matrix> probabilities(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix m, log_probabilities(x));
    for (double& v : m.values) v = round_to(m.dtype, std::exp(v));
    return m;
  }
};

Result<Signature> signature_of(const BuildContext& c, std::size_t classes, std::size_t width) {
  Signature signature = read_signature(c);
  JACKDAW_ASSIGN(signature.classes, c.labels_list("classes_"));
  if (signature.classes.size() != 1 || signature.classes[0].size() != classes || classes == 0) {
    return c.error(Code::parse_error, "'classes_' does not fit the fitted arrays");
  }
  JACKDAW_TRY(fit_width(c, signature.rule, width));
  return signature;
}

class GaussianNB : public NaiveBayes {
 public:
  GaussianNB(Signature s, Matrix mean, Matrix variance, std::vector<double> constants)
      : NaiveBayes(std::move(s)),
        mean_(std::move(mean)),
        variance_(std::move(variance)),
        constants_(std::move(constants)) {}

 protected:
  Result<Matrix> joint_log_likelihood(const Frame& frame) const override {
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule()));
    Matrix out = Matrix::dense(x->rows, constants_.size(), promote(promote(x->dtype, mean_.dtype), variance_.dtype));
    for (std::size_t r = 0; r < x->rows; ++r) {
      for (std::size_t k = 0; k < out.cols; ++k) {
        double sum = 0;
        for (std::size_t c = 0; c < x->cols; ++c) {
          const double d = x->row(r)[c] - mean_.row(k)[c];
          sum += d * d / variance_.row(k)[c];
        }
        out.row(r)[k] = round_to(out.dtype, constants_[k] - 0.5 * sum);
      }
    }
    return out;
  }

 private:
  Matrix mean_;
  Matrix variance_;
  std::vector<double> constants_;  // log prior - 0.5 sum log(2 pi variance)
};

Result<std::unique_ptr<Estimator>> gaussian(const BuildContext& c) {
  JACKDAW_ASSIGN(Matrix mean, shaped_matrix(c, "theta_", -1, -1));
  const std::string_view name = c.has("var_") ? "var_" : "sigma_";
  const auto k = static_cast<std::int64_t>(mean.rows);
  JACKDAW_ASSIGN(Matrix variance, shaped_matrix(c, name, k, static_cast<std::int64_t>(mean.cols)));
  JACKDAW_ASSIGN(const std::vector<double> prior, sized_doubles(c, "class_prior_", mean.rows));
  JACKDAW_ASSIGN(Signature signature, signature_of(c, mean.rows, mean.cols));
  std::vector<double> constants;
  for (std::size_t i = 0; i < mean.rows; ++i) {
    double sum = 0;
    for (std::size_t f = 0; f < mean.cols; ++f) sum += std::log(2.0 * 3.14159265358979323846 * variance.row(i)[f]);
    constants.push_back(std::log(prior[i]) + -0.5 * sum);
  }
  return std::unique_ptr<Estimator>(
      new GaussianNB(std::move(signature), std::move(mean), std::move(variance), std::move(constants)));
}

// MultinomialNB, ComplementNB and BernoulliNB: the likelihood is affine in the counts.
class DiscreteNB : public NaiveBayes {
 public:
  DiscreteNB(Signature s, Affine affine, std::optional<double> threshold, bool refuse_negative)
      : NaiveBayes(std::move(s)),
        affine_(std::move(affine)),
        threshold_(threshold),
        refuse_negative_(refuse_negative) {}

 protected:
  Result<Matrix> joint_log_likelihood(const Frame& frame) const override {
    JACKDAW_ASSIGN(MatrixRef x, check_input(frame, rule()));
    if (refuse_negative_ && std::any_of(x->values.begin(), x->values.end(), [](double v) { return v < 0; })) {
      return make_error(Code::invalid_argument, "Negative values in data passed to {} (input X)", rule().class_name);
    }
    if (threshold_) x = MatrixRef(binarize(std::move(x).take()));
    Matrix out = Matrix::dense(x->rows, affine_.outputs(), affine_.result_dtype(x->dtype));
    apply(affine_, *x, out.values.data());
    return out;
  }

 private:
  Matrix binarize(Matrix m) const {
    for (double& v : m.values) v = v > *threshold_ ? 1.0 : 0.0;
    return m;
  }

  Affine affine_;
  std::optional<double> threshold_;
  bool refuse_negative_;
};

Result<std::unique_ptr<Estimator>> make_discrete(const BuildContext& c, Affine affine, std::optional<double> threshold,
                                                 bool refuse_negative) {
  JACKDAW_ASSIGN(Signature signature, signature_of(c, affine.outputs(), affine.features()));
  signature.rule.accept_sparse = true;
  return std::unique_ptr<Estimator>(
      new DiscreteNB(std::move(signature), std::move(affine), threshold, refuse_negative));
}

// scikit-learn's check for negative counts is in fit only for these; predict takes what comes.
Result<std::unique_ptr<Estimator>> multinomial(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c, "feature_log_prob_", "class_log_prior_"));
  return make_discrete(c, std::move(affine), std::nullopt, false);
}

Result<std::unique_ptr<Estimator>> complement(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c, "feature_log_prob_", "class_log_prior_"));
  if (affine.outputs() != 1) affine.bias.assign(1, 0.0);
  return make_discrete(c, std::move(affine), std::nullopt, false);
}

Result<std::unique_ptr<Estimator>> bernoulli(const BuildContext& c) {
  JACKDAW_ASSIGN(Affine affine, Affine::read(c, "feature_log_prob_", "class_log_prior_"));
  if (affine.bias.size() != affine.outputs())
    return c.error(Code::parse_error, "'class_log_prior_' has the wrong length");
  for (std::size_t k = 0; k < affine.outputs(); ++k) {
    double sum = 0;
    for (std::size_t f = 0; f < affine.features(); ++f) {
      double& weight = affine.weights.row(k)[f];
      const double negative = std::log(1.0 - std::exp(weight));
      weight -= negative;
      sum += negative;
    }
    affine.bias[k] += sum;
  }
  std::optional<double> threshold;
  if (c.has("binarize")) threshold = c.number_or("binarize", 0.0);
  return make_discrete(c, std::move(affine), threshold, false);
}

class CategoricalNB : public NaiveBayes {
 public:
  CategoricalNB(Signature s, std::vector<Matrix> tables, std::vector<double> prior)
      : NaiveBayes(std::move(s)), tables_(std::move(tables)), prior_(std::move(prior)) {}

 protected:
  Result<Matrix> joint_log_likelihood(const Frame& frame) const override {
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule()));
    Matrix out = Matrix::dense(x->rows, prior_.size(), DType::fp64);
    for (std::size_t r = 0; r < x->rows; ++r) {
      std::copy(prior_.begin(), prior_.end(), out.row(r));
      for (std::size_t f = 0; f < x->cols; ++f) JACKDAW_TRY(add_feature(f, std::trunc(x->row(r)[f]), out.row(r)));
    }
    return out;
  }

 private:
  Result<void> add_feature(std::size_t f, double value, double* row) const {
    const Matrix& table = tables_[f];
    if (value < 0)
      return make_error(Code::invalid_argument, "Negative values in data passed to CategoricalNB (input X)");
    if (value >= static_cast<double>(table.cols)) {
      return make_error(Code::invalid_argument, "index {} is out of bounds for axis 1 with size {} (column {} of X)",
                        value, table.cols, f);
    }
    for (std::size_t k = 0; k < prior_.size(); ++k) row[k] += table.row(k)[static_cast<std::size_t>(value)];
    return {};
  }

  std::vector<Matrix> tables_;
  std::vector<double> prior_;
};

Result<std::unique_ptr<Estimator>> categorical(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<double> prior, c.doubles("class_log_prior_"));
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(c, "feature_log_prob_"));
  std::vector<Matrix> tables;
  for (NodeId node : nodes) {
    JACKDAW_ASSIGN(Matrix table, matrix_at(c, node, "feature_log_prob_"));
    if (table.rows != prior.size()) return c.error(Code::parse_error, "'feature_log_prob_' does not fit the classes");
    tables.push_back(std::move(table));
  }
  JACKDAW_ASSIGN(Signature signature, signature_of(c, prior.size(), tables.size()));
  return std::unique_ptr<Estimator>(new CategoricalNB(std::move(signature), std::move(tables), std::move(prior)));
}

constexpr ClassRow rows[] = {
    {"sklearn.naive_bayes.GaussianNB", gaussian},       {"sklearn.naive_bayes.MultinomialNB", multinomial},
    {"sklearn.naive_bayes.ComplementNB", complement},   {"sklearn.naive_bayes.BernoulliNB", bernoulli},
    {"sklearn.naive_bayes.CategoricalNB", categorical},
};

}  // namespace

std::span<const ClassRow> naive_bayes_rows() {
  return rows;
}

}  // namespace jackdaw::predict
