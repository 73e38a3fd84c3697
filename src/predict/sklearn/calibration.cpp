// CalibratedClassifierCV: calibrated_classifiers_, each with estimator (base_estimator until 1.1), calibrators
// (calibrators_ until 0.23) and method; classes_. The answer is the mean over them.
//
// A calibrator is a sigmoid (a_, b_), an isotonic regression, or since 1.8 one temperature (beta_) for all classes.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/calibration_isotonic.h"
#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

struct Calibrator {
  double a = 0.0, b = 0.0;
  std::optional<IsotonicMap> isotonic;
  double at(double score) const { return isotonic ? isotonic->at(score) : sigmoid(-(a * score + b)); }
};

struct Calibrated {
  std::unique_ptr<Estimator> estimator;
  std::vector<Calibrator> calibrators;   // one per class of the estimator; one for two classes
  std::vector<std::uint32_t> positions;  // the estimator's classes among all
  std::optional<double> temperature;     // beta_; then there are no calibrators
};

Result<Calibrator> read_calibrator(const BuildContext& context) {
  Calibrator out;
  const std::string name = context.short_class();
  if (name == "IsotonicRegression") {
    JACKDAW_ASSIGN(out.isotonic, IsotonicMap::read(context));
    return out;
  }
  if (name != "_SigmoidCalibration") return context.error(Code::unsupported, "an unknown kind of calibrator");
  JACKDAW_ASSIGN(out.a, context.number("a_"));
  JACKDAW_ASSIGN(out.b, context.number("b_"));
  return out;
}

Result<std::vector<std::uint32_t>> class_positions(const BuildContext& context, const Estimator& estimator,
                                                   const Labels& all) {
  if (estimator.classes().size() != 1)
    return context.error(Code::unsupported, "it calibrates something that is no classifier");
  const Labels& own = estimator.classes()[0];
  std::vector<std::uint32_t> out;
  const bool texts = own.dtype == DType::bytes;
  if (texts != (all.dtype == DType::bytes))
    return context.error(Code::parse_error, "its estimator has classes of another kind");
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::size_t found =
        texts
            ? static_cast<std::size_t>(std::find(all.texts.begin(), all.texts.end(), own.texts[i]) - all.texts.begin())
            : static_cast<std::size_t>(std::find(all.numbers.begin(), all.numbers.end(), own.numbers[i]) -
                                       all.numbers.begin());
    if (found == all.size())
      return context.error(Code::parse_error, fmt::format("its estimator has an unknown class, number {}", i));
    out.push_back(static_cast<std::uint32_t>(found));
  }
  return out;
}

Result<Calibrated> read_calibrated(const BuildContext& context, const Labels& labels) {
  Calibrated out;
  JACKDAW_ASSIGN(out.estimator, context.estimator(context.has("estimator") ? "estimator" : "base_estimator"));
  if (!out.estimator->supports(Method::decision_function) && !out.estimator->supports(Method::predict_proba)) {
    return context.error(Code::unsupported, "its estimator has neither decision_function nor predict_proba");
  }
  const std::string_view name = context.has("calibrators") ? "calibrators" : "calibrators_";
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(context, name));
  JACKDAW_ASSIGN(out.positions, class_positions(context, *out.estimator, labels));
  const BuildContext first = context.child(nodes[0], fmt::format("{}[0]", name));
  if (first.short_class() == "_TemperatureScaling") {
    JACKDAW_ASSIGN(out.temperature, first.number("beta_"));
    return out;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    JACKDAW_ASSIGN(out.calibrators.emplace_back(),
                   read_calibrator(context.child(nodes[i], fmt::format("{}[{}]", name, i))));
  }
  const std::size_t wanted = labels.size() == 2 ? 1 : out.positions.size();
  if (out.calibrators.size() == wanted) return out;
  return context.error(Code::parse_error,
                       fmt::format("{} calibrators for {} classes", out.calibrators.size(), out.positions.size()));
}

// Probabilities, or scores, as logits: probabilities are known by their range and their sums, over the whole batch.
void to_logits(Matrix& m) {
  bool probabilities = true;
  for (std::size_t r = 0; r < m.rows; ++r) {
    double sum = 0.0;
    for (std::size_t c = 0; c < m.cols; ++c) {
      probabilities = probabilities && m.row(r)[c] >= 0.0 && m.row(r)[c] <= 1.0;
      sum += m.row(r)[c];
    }
    probabilities = probabilities && std::abs(sum - 1.0) <= 1e-5;
  }
  for (double& v : m.values) v = probabilities ? std::log(v + 1e-12) : v;
}

Matrix two_logits(const Matrix& m, bool probability) {
  Matrix out = Matrix::dense(m.rows, 2, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    out.row(r)[0] = probability ? 1.0 - m.values[r] : -m.values[r];
    out.row(r)[1] = m.values[r];
  }
  return out;
}

class CalibratedClassifier final : public ProbabilityClassifier {
 public:
  CalibratedClassifier(Signature signature, std::vector<Calibrated> folds)
      : ProbabilityClassifier(std::move(signature)), folds_(std::move(folds)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::predict_proba; }
  bool takes_texts() const override { return folds_[0].estimator->takes_texts(); }
  double cost_ns(std::size_t rows) const override {
    double out = 300.0;
    for (const Calibrated& fold : folds_) out += fold.estimator->cost_ns(rows) + 50.0 * static_cast<double>(rows);
    return out;
  }
  std::size_t resident_bytes() const override {
    std::size_t out = 0;
    for (const Calibrated& fold : folds_) out += fold.estimator->resident_bytes();
    return out;
  }

 protected:
  Result<Matrix> probabilities(const Frame& x) const override {
    Matrix mean = Matrix::dense(frame_rows(x), classes()[0].size(), DType::fp64);
    for (const Calibrated& fold : folds_) {
      JACKDAW_ASSIGN(const Matrix p, fold_probabilities(fold, x));
      for (std::size_t i = 0; i < p.values.size(); ++i) mean.values[i] += p.values[i];
    }
    for (double& v : mean.values) v /= static_cast<double>(folds_.size());
    return mean;
  }

 private:
  Result<Matrix> fold_probabilities(const Calibrated& fold, const Frame& x) const;
  Result<Matrix> scores(const Calibrated& fold, const Frame& x) const;
  void calibrate(const Calibrated& fold, const Matrix& scores, Matrix& out) const;

  std::vector<Calibrated> folds_;
};

// One column per calibrator.
Result<Matrix> CalibratedClassifier::scores(const Calibrated& fold, const Frame& x) const {
  const bool decision = fold.estimator->supports(Method::decision_function);
  JACKDAW_ASSIGN(Matrix m, member_numbers(*fold.estimator, decision ? Method::decision_function : Method::predict_proba,
                                          x, frame_rows(x)));
  if (!decision && classes()[0].size() == 2 && m.cols == 2) {
    Matrix second = Matrix::dense(m.rows, 1, m.dtype);
    for (std::size_t r = 0; r < m.rows; ++r) second.values[r] = m.row(r)[1];
    m = std::move(second);
  }
  const std::size_t wanted = classes()[0].size() == 2 ? 1 : fold.positions.size();
  if (m.cols == wanted) return m;
  return make_error(Code::unsupported, "a calibrated estimator answers with {} columns for {} classes", m.cols, wanted);
}

void CalibratedClassifier::calibrate(const Calibrated& fold, const Matrix& scores, Matrix& out) const {
  const bool binary = out.cols == 2;
  for (std::size_t r = 0; r < out.rows; ++r) {
    double* row = out.row(r);
    if (binary) {
      row[1] = fold.calibrators[0].at(scores.values[r]);
      row[0] = 1.0 - row[1];
      continue;
    }
    double sum = 0.0;
    for (std::size_t c = 0; c < scores.cols; ++c)
      sum += row[fold.positions[c]] = fold.calibrators[c].at(scores.row(r)[c]);
    for (std::size_t c = 0; c < out.cols; ++c) row[c] = sum != 0.0 ? row[c] / sum : 1.0 / static_cast<double>(out.cols);
  }
}

Result<Matrix> CalibratedClassifier::fold_probabilities(const Calibrated& fold, const Frame& x) const {
  JACKDAW_ASSIGN(Matrix m, scores(fold, x));
  Matrix out = Matrix::dense(m.rows, classes()[0].size(), DType::fp64);
  if (fold.temperature) {
    if (m.cols == 1) m = two_logits(m, !fold.estimator->supports(Method::decision_function));
    to_logits(m);
    for (double& v : m.values) v *= *fold.temperature;
    softmax_in_place(m);
    if (m.cols != out.cols) return make_error(Code::unsupported, "a calibrated estimator does not know all classes");
    out.values = std::move(m.values);
  } else {
    calibrate(fold, m, out);
  }
  for (double& v : out.values) {
    if (v > 1.0 && v <= 1.0 + 1e-5) v = 1.0;
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_calibrated(const BuildContext& context) {
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  if (labels.size() < 2) return context.error(Code::unsupported, "classes_ has a single class");
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(context, "calibrated_classifiers_"));
  std::vector<Calibrated> folds;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const BuildContext child = context.child(nodes[i], fmt::format("calibrated_classifiers_[{}]", i));
    JACKDAW_ASSIGN(folds.emplace_back(), read_calibrated(child, labels));
  }
  Signature signature = read_signature(context, folds[0].estimator->n_features_in());
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<CalibratedClassifier>(std::move(signature), std::move(folds)));
}

}  // namespace jackdaw::predict
