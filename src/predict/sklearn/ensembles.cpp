#include "src/predict/sklearn/ensembles.h"

#include <algorithm>
#include <cmath>

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

bool Members::support(Method method) const {
  return std::all_of(all.begin(), all.end(), [&](const auto& m) { return m->supports(method); });
}

double Members::cost_ns(std::size_t rows) const {
  double out = 300.0;
  for (const auto& member : all) out += member->cost_ns(rows);
  return out;
}

std::size_t Members::resident_bytes() const {
  std::size_t out = 0;
  for (const auto& member : all) out += member->resident_bytes();
  return out;
}

Result<Members> read_members(const BuildContext& context, std::string_view name) {
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(context, name));
  Members out;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeKind kind = context.graph.kind(nodes[i]);
    if (kind == NodeKind::none || kind == NodeKind::text) continue;
    JACKDAW_ASSIGN(out.all.emplace_back(), build_estimator(context.child(nodes[i], fmt::format("{}[{}]", name, i))));
  }
  if (!out.all.empty()) return out;
  return context.error(Code::parse_error, fmt::format("the attribute '{}' holds no estimator", name));
}

Signature member_signature(const BuildContext& context, const Members& members) {
  Signature out = read_signature(context, members.front().n_features_in());
  out.rule.accept_sparse = true;
  out.rule.finite = Finite::any;
  return out;
}

Result<Matrix> member_numbers(const Estimator& member, Method method, const Frame& x, std::size_t rows) {
  JACKDAW_ASSIGN(Matrix out, only_numbers(call_method(member, method, x)));
  if (out.rows == rows) return out;
  return make_error(Code::unsupported, "a nested estimator answers with {} rows for {}", out.rows, rows);
}

Result<std::vector<double>> binary_scores(const Estimator& member, const Frame& x, std::size_t rows) {
  const bool regressor =
      !member.is_classifier() && !member.supports(Method::decision_function) && !member.supports(Method::predict_proba);
  const Method method = regressor                                    ? Method::predict
                        : member.supports(Method::decision_function) ? Method::decision_function
                                                                     : Method::predict_proba;
  JACKDAW_ASSIGN(Matrix m, member_numbers(member, method, x, rows));
  const std::size_t wanted = method == Method::predict_proba ? 2 : 1;
  if (m.cols != wanted) {
    return make_error(Code::unsupported, "a nested estimator answers with {} columns where {} is expected", m.cols,
                      wanted);
  }
  if (wanted == 1) return std::move(m.values);
  std::vector<double> out(rows);
  for (std::size_t r = 0; r < rows; ++r) out[r] = m.row(r)[1];
  return out;
}

double binary_threshold(const Estimator& member) {
  return member.supports(Method::decision_function) ? 0.0 : 0.5;
}

Matrix pair_scores(const Matrix& predictions, const Matrix& confidences, std::size_t classes) {
  Matrix out = Matrix::dense(predictions.rows, classes, DType::fp64);
  std::vector<double> sums(classes);
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::fill(sums.begin(), sums.end(), 0.0);
    std::size_t pair = 0;
    for (std::size_t i = 0; i < classes; ++i) {
      for (std::size_t j = i + 1; j < classes; ++j, ++pair) {
        sums[i] -= confidences.row(r)[pair];
        sums[j] += confidences.row(r)[pair];
        if (predictions.row(r)[pair] == 0.0) out.row(r)[i] += 1.0;
        if (predictions.row(r)[pair] == 1.0) out.row(r)[j] += 1.0;
      }
    }
    for (std::size_t c = 0; c < classes; ++c) out.row(r)[c] += sums[c] / (3.0 * (std::abs(sums[c]) + 1.0));
  }
  return out;
}

namespace {

// Wrappers that only pass on: FrozenEstimator.estimator, SelfTrainingClassifier.estimator_ (base_estimator_ until 1.5).
Result<std::unique_ptr<Estimator>> build_frozen(const BuildContext& context) {
  return context.estimator("estimator");
}
Result<std::unique_ptr<Estimator>> build_self_training(const BuildContext& context) {
  return context.estimator(context.has("estimator_") ? "estimator_" : "base_estimator_");
}

constexpr ClassRow rows[] = {
    {"sklearn.ensemble.BaggingClassifier", build_bagging_classifier},
    {"sklearn.ensemble.BaggingRegressor", build_bagging_regressor},
    {"sklearn.ensemble.VotingClassifier", build_voting_classifier},
    {"sklearn.ensemble.VotingRegressor", build_voting_regressor},
    {"sklearn.ensemble.StackingClassifier", build_stacking_classifier},
    {"sklearn.ensemble.StackingRegressor", build_stacking_regressor},
    {"sklearn.calibration.CalibratedClassifierCV", build_calibrated},
    {"sklearn.multiclass.OneVsRestClassifier", build_one_vs_rest},
    {"sklearn.multiclass.OneVsOneClassifier", build_one_vs_one},
    {"sklearn.multiclass.OutputCodeClassifier", build_output_code},
    {"sklearn.multiclass._ConstantPredictor", build_constant_predictor},
    {"sklearn.multioutput.MultiOutputClassifier", build_multi_output_classifier},
    {"sklearn.multioutput.MultiOutputRegressor", build_multi_output_regressor},
    {"sklearn.multioutput.ClassifierChain", build_classifier_chain},
    {"sklearn.multioutput.RegressorChain", build_regressor_chain},
    {"sklearn.frozen.FrozenEstimator", build_frozen},
    {"sklearn.semi_supervised.SelfTrainingClassifier", build_self_training},
};

}  // namespace

std::span<const ClassRow> ensemble_rows() {
  return rows;
}

}  // namespace jackdaw::predict
