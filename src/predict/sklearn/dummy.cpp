// DummyClassifier (strategy, classes_, class_prior_, constant) and DummyRegressor (constant_). Strategies that draw
// random numbers are refused.
#include <algorithm>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

// Dummies look at nothing of their input but the number of rows.
class DummyClassifier : public Predictor {
 public:
  DummyClassifier(InputRule rule, std::vector<Labels> classes, std::vector<std::vector<double>> proba)
      : Predictor(std::move(rule)), classes_(std::move(classes)), proba_(std::move(proba)) {}

  bool supports(Method m) const override {
    return m == Method::predict || m == Method::predict_proba || m == Method::predict_log_proba;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return lacks(method);
    const std::size_t rows = frame_rows(x);
    if (method == Method::predict) return predict(rows);
    Output out;
    for (const std::vector<double>& p : proba_) {
      Matrix m = Matrix::dense(rows, p.size(), DType::fp64);
      for (std::size_t r = 0; r < rows; ++r) std::copy(p.begin(), p.end(), m.row(r));
      if (method == Method::predict_log_proba) log_in_place(m);
      out.arrays.push_back(std::move(matrix_output(m).arrays[0]));
    }
    return out;
  }
  std::span<const Labels> classes() const override { return classes_; }
  double cost_ns(std::size_t rows) const override { return 100.0 + 10.0 * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this); }

 private:
  Output predict(std::size_t rows) const {
    std::vector<std::uint32_t> indices;
    for (const std::vector<double>& p : proba_) {
      indices.insert(indices.end(), rows, static_cast<std::uint32_t>(argmax(p.data(), p.size())));
    }
    if (classes_.size() == 1) return one_array(label_tensor(classes_[0], indices));
    return one_array(stacked_labels(classes_, indices, rows));
  }

  std::vector<Labels> classes_;
  std::vector<std::vector<double>> proba_;  // one row per output, the same for every input row
};

// The index of the constant among the classes: its text or number.
Result<std::size_t> constant_index(const BuildContext& c, const Labels& labels) {
  if (labels.dtype == DType::bytes) {
    JACKDAW_ASSIGN(const std::string constant, c.text("constant"));
    const auto found = std::find(labels.texts.begin(), labels.texts.end(), constant);
    if (found != labels.texts.end()) return static_cast<std::size_t>(found - labels.texts.begin());
  } else {
    JACKDAW_ASSIGN(const std::vector<double> constant, c.doubles("constant"));
    const auto found = constant.size() == 1 ? std::find(labels.numbers.begin(), labels.numbers.end(), constant[0])
                                            : labels.numbers.end();
    if (found != labels.numbers.end()) return static_cast<std::size_t>(found - labels.numbers.begin());
  }
  return c.error(Code::unsupported, "its constant is none of its classes");
}

Result<std::unique_ptr<Estimator>> dummy_classifier(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<Labels> classes, c.labels_list("classes_"));
  if (classes.empty() || classes[0].size() == 0) return c.error(Code::parse_error, "'classes_' is empty");
  const std::string strategy = c.text_or("_strategy", c.text_or("strategy", ""));
  std::vector<std::vector<double>> proba;
  for (std::size_t o = 0; o < classes.size(); ++o) {
    std::vector<double> p(classes[o].size(), 0.0);
    if (strategy == "constant") {
      if (classes.size() > 1) return c.error(Code::unsupported, "several constants are not supported");
      JACKDAW_ASSIGN(const std::size_t index, constant_index(c, classes[o]));
      p[index] = 1.0;
    } else if (strategy == "prior" || strategy == "most_frequent") {
      std::vector<double> prior;
      if (classes.size() == 1) {
        JACKDAW_ASSIGN(prior, sized_doubles(c, "class_prior_", p.size()));
      } else {
        JACKDAW_ASSIGN(const std::vector<formats::NodeId> nodes, object_list(c, "class_prior_"));
        if (nodes.size() != classes.size()) return c.error(Code::parse_error, "'class_prior_' does not fit 'classes_'");
        JACKDAW_ASSIGN(Matrix m, matrix_at(c, nodes[o], "class_prior_"));
        if (m.values.size() != p.size()) return c.error(Code::parse_error, "'class_prior_' does not fit 'classes_'");
        prior = std::move(m.values);
      }
      if (strategy == "prior") {
        p = std::move(prior);
      } else {
        p[argmax(prior.data(), prior.size())] = 1.0;
      }
    } else {
      return c.error(Code::unsupported, fmt::format("its strategy '{}' draws random answers", strategy));
    }
    proba.push_back(std::move(p));
  }
  return std::unique_ptr<Estimator>(new DummyClassifier(InputRule::of(c), std::move(classes), std::move(proba)));
}

class DummyRegressor : public Predictor {
 public:
  DummyRegressor(InputRule rule, Matrix constant) : Predictor(std::move(rule)), constant_(std::move(constant)) {}

  bool supports(Method m) const override { return m == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) return lacks(method);
    Matrix m = Matrix::dense(frame_rows(x), constant_.cols, constant_.dtype);
    for (std::size_t r = 0; r < m.rows; ++r) std::copy(constant_.values.begin(), constant_.values.end(), m.row(r));
    return m.cols == 1 ? vector_output(m.dtype, m.values) : matrix_output(m);
  }
  double cost_ns(std::size_t rows) const override { return 100.0 + 5.0 * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this); }

 private:
  Matrix constant_;  // one row
};

Result<std::unique_ptr<Estimator>> dummy_regressor(const BuildContext& c) {
  JACKDAW_ASSIGN(Matrix constant, c.matrix("constant_"));
  if (constant.rows != 1 || constant.cols == 0) return c.error(Code::parse_error, "'constant_' is not one row");
  return std::unique_ptr<Estimator>(new DummyRegressor(InputRule::of(c), std::move(constant)));
}

constexpr ClassRow rows[] = {
    {"sklearn.dummy.DummyClassifier", dummy_classifier},
    {"sklearn.dummy.DummyRegressor", dummy_regressor},
};

}  // namespace

std::span<const ClassRow> dummy_rows() {
  return rows;
}

}  // namespace jackdaw::predict
