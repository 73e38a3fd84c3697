// AdaBoost*: estimators_, estimator_weights_, classes_, algorithm ("SAMME.R" or "SAMME"; absent since 1.8: SAMME).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/predict/sklearn/boosting.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

struct Members {
  std::vector<std::unique_ptr<Estimator>> estimators;
  std::vector<double> weights;

  double cost_ns(std::size_t rows) const {
    double out = 300.0;
    for (const auto& e : estimators) out += e->cost_ns(rows);
    return out;
  }
  std::size_t resident_bytes() const {
    std::size_t out = 0;
    for (const auto& e : estimators) out += e->resident_bytes();
    return out;
  }
};

Result<Members> read_members(const BuildContext& context, Method needed) {
  Members out;
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(context, "estimators_"));
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const BuildContext child = context.child(nodes[i], fmt::format("estimators_[{}]", i));
    JACKDAW_ASSIGN(out.estimators.emplace_back(), build_estimator(child));
    if (!out.estimators.back()->supports(needed)) {
      return child.error(Code::unsupported, fmt::format("AdaBoost needs its {}", method_name(needed)));
    }
  }
  JACKDAW_ASSIGN(out.weights, context.doubles("estimator_weights_"));
  if (out.weights.size() >= out.estimators.size()) return out;
  return context.error(Code::parse_error, fmt::format("estimator_weights_ has {} weights for {} estimators",
                                                      out.weights.size(), out.estimators.size()));
}

InputRule member_rule(const BuildContext& context, const Members& members) {
  InputRule rule = InputRule::of(context);
  if (rule.n_features < 0) rule.n_features = members.estimators[0]->n_features_in();
  rule.accept_sparse = true;
  return rule;
}

class AdaBoostClassifier final : public FittedEstimator {
 public:
  // real: SAMME.R. zero_votes: before 1.4, a wrong class counted 0 instead of -1/(k-1).
  AdaBoostClassifier(Signature signature, Members members, bool real, bool zero_votes)
      : FittedEstimator(std::move(signature)), members_(std::move(members)), real_(real), zero_votes_(zero_votes) {}

  bool supports(Method method) const override { return method != Method::transform && method != Method::score_samples; }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 private:
  std::size_t class_count() const { return classes()[0].size(); }
  Result<Matrix> scores(const Frame& x) const;
  Result<void> add_real(const Estimator& member, const Frame& x, Matrix& out) const;
  Result<void> add_discrete(const Estimator& member, double weight, const Frame& x, Matrix& out) const;

  Members members_;
  bool real_;
  bool zero_votes_;
};

Result<void> AdaBoostClassifier::add_real(const Estimator& member, const Frame& x, Matrix& out) const {
  JACKDAW_ASSIGN(Matrix p, only_numbers(member.run(Method::predict_proba, x)));
  if (p.rows != out.rows || p.cols != out.cols) {
    return make_error(Code::unsupported, "an estimator of AdaBoost knows {} of {} classes", p.cols, out.cols);
  }
  const double floor =
      p.dtype == DType::fp32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  const auto classes = static_cast<double>(out.cols);
  for (std::size_t r = 0; r < p.rows; ++r) {
    double* row = p.row(r);
    double sum = 0.0;
    for (std::size_t c = 0; c < p.cols; ++c) sum += row[c] = std::log(std::max(row[c], floor));
    for (std::size_t c = 0; c < p.cols; ++c) out.row(r)[c] += (classes - 1.0) * (row[c] - (1.0 / classes) * sum);
  }
  return {};
}

Result<void> AdaBoostClassifier::add_discrete(const Estimator& member, double weight, const Frame& x,
                                              Matrix& out) const {
  JACKDAW_ASSIGN(const Output labels, member.run(Method::predict, x));
  JACKDAW_ASSIGN(const std::vector<std::uint32_t> picks, label_positions(classes()[0], labels.arrays.at(0)));
  const double against = zero_votes_ ? 0.0 : -1.0 / (static_cast<double>(out.cols) - 1.0) * weight;
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t c = 0; c < out.cols; ++c) out.row(r)[c] += picks[r] == c ? weight : against;
  }
  return {};
}

// (n, 1) for two classes, else (n, classes).
Result<Matrix> AdaBoostClassifier::scores(const Frame& x) const {
  JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
  const Frame rows(*m);
  Matrix out = Matrix::dense(m->rows, class_count(), DType::fp64);
  for (std::size_t i = 0; i < members_.estimators.size(); ++i) {
    const Estimator& member = *members_.estimators[i];
    JACKDAW_TRY(real_ ? add_real(member, rows, out) : add_discrete(member, members_.weights[i], rows, out));
  }
  const double total = std::accumulate(members_.weights.begin(), members_.weights.end(), 0.0);
  for (double& v : out.values) v /= total;
  if (class_count() > 2) return out;
  Matrix binary = Matrix::dense(out.rows, 1, DType::fp64);
  for (std::size_t r = 0; r < out.rows; ++r) binary.values[r] = -out.row(r)[0] + out.row(r)[1];
  return binary;
}

Result<Output> AdaBoostClassifier::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(Matrix raw, scores(x));
  const bool binary = raw.cols == 1;
  if (method == Method::decision_function) return binary ? vector_output(raw.dtype, raw.values) : matrix_output(raw);
  if (method == Method::predict) {
    std::vector<std::uint32_t> picks(raw.rows);
    for (std::size_t r = 0; binary && r < raw.rows; ++r) picks[r] = raw.values[r] > 0.0;
    return one_array(label_tensor(classes()[0], binary ? picks : row_argmax(raw)));
  }
  Matrix p = Matrix::dense(raw.rows, class_count(), DType::fp64);
  for (std::size_t r = 0; r < raw.rows; ++r) {
    for (std::size_t c = 0; c < p.cols; ++c) {
      p.row(r)[c] = binary ? (c == 0 ? -raw.values[r] : raw.values[r]) / 2.0
                           : raw.row(r)[c] / (static_cast<double>(p.cols) - 1.0);
    }
  }
  softmax_in_place(p);
  if (method == Method::predict_log_proba) log_in_place(p);
  return matrix_output(p);
}

// The weighted median of the members' predictions.
class AdaBoostRegressor final : public MatrixRegressor {
 public:
  AdaBoostRegressor(Signature signature, Members members)
      : MatrixRegressor(std::move(signature)), members_(std::move(members)) {}
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 protected:
  Result<Matrix> values(const Frame& x) const override;

 private:
  double median(const std::vector<double>& predictions) const;
  Members members_;
};

double AdaBoostRegressor::median(const std::vector<double>& predictions) const {
  std::vector<std::size_t> order(predictions.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return predictions[a] < predictions[b]; });
  double total = 0.0;
  for (std::size_t i : order) total += members_.weights[i];
  double sum = 0.0;
  for (std::size_t i : order) {
    sum += members_.weights[i];
    if (sum >= 0.5 * total) return predictions[i];
  }
  return predictions[order.front()];
}

Result<Matrix> AdaBoostRegressor::values(const Frame& x) const {
  JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
  const Frame rows(*m);
  std::vector<Matrix> all;
  for (const auto& member : members_.estimators) {
    JACKDAW_ASSIGN(all.emplace_back(), only_numbers(member->run(Method::predict, rows)));
    if (all.back().cols != 1 || all.back().rows != m->rows) {
      return make_error(Code::unsupported, "an estimator of AdaBoostRegressor answers with {} columns",
                        all.back().cols);
    }
  }
  Matrix out = Matrix::dense(m->rows, 1, all[0].dtype);
  std::vector<double> predictions(all.size());
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t i = 0; i < all.size(); ++i) predictions[i] = all[i].values[r];
    out.values[r] = median(predictions);
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_adaboost_classifier(const BuildContext& context) {
  // SAMME.R was the default until 1.5 and left with 1.8; what was fitted is in `algorithm`.
  const std::string algorithm = context.text_or("algorithm", "SAMME");
  const bool real = algorithm == "SAMME.R";
  if (!real && algorithm != "SAMME" && algorithm != "deprecated") {
    return context.error(Code::unsupported, fmt::format("algorithm='{}'", algorithm));
  }
  JACKDAW_ASSIGN(Members members, read_members(context, real ? Method::predict_proba : Method::predict));
  Signature signature;
  signature.rule = member_rule(context, members);
  JACKDAW_ASSIGN(signature.classes.emplace_back(), context.labels("classes_"));
  if (signature.classes[0].size() < 2) return context.error(Code::unsupported, "classes_ has a single class");
  return std::unique_ptr<Estimator>(std::make_unique<AdaBoostClassifier>(std::move(signature), std::move(members), real,
                                                                         !written_since(context, 1, 4)));
}

Result<std::unique_ptr<Estimator>> build_adaboost_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context, Method::predict));
  Signature signature;
  signature.rule = member_rule(context, members);
  return std::unique_ptr<Estimator>(std::make_unique<AdaBoostRegressor>(std::move(signature), std::move(members)));
}

}  // namespace jackdaw::predict
