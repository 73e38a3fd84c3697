// Voting*: estimators_, weights (one per entry of `estimators`, dropped ones included), voting, flatten_transform,
// classes_. Members of a classifier are fitted on positions in classes_. Rows reach them as they came.
#include <algorithm>

#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

namespace {

bool is_dropped(const formats::ObjectGraph& graph, NodeId entry) {
  const auto parts = list_of(graph, entry);
  if (!parts || parts->size() != 2) return false;
  const NodeKind kind = graph.kind((*parts)[1]);
  return kind == NodeKind::none || (kind == NodeKind::text && graph.text((*parts)[1]) == "drop");
}

// Weights of the members that were not dropped; empty: all the same.
Result<std::vector<double>> read_weights(const BuildContext& context, std::size_t members) {
  std::vector<double> out;
  if (!context.has("weights")) return out;
  JACKDAW_ASSIGN(const std::vector<double> all, context.doubles("weights"));
  const auto entries = list_of(context.graph, context.attribute("estimators"));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (entries && i < entries->size() && is_dropped(context.graph, (*entries)[i])) continue;
    out.push_back(all[i]);
  }
  if (out.size() == members) return out;
  return context.error(Code::parse_error, fmt::format("weights has {} numbers for {} estimators", out.size(), members));
}

double weight_sum(const std::vector<double>& weights, std::size_t members) {
  if (weights.empty()) return static_cast<double>(members);
  double out = 0.0;
  for (double w : weights) out += w;
  return out;
}

// Columns of predictions side by side.
Result<Matrix> all_predictions(const Members& members, Method method, const Frame& x) {
  Matrix out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    JACKDAW_ASSIGN(const Matrix m, member_numbers(members[i], method, x, frame_rows(x)));
    if (i == 0) out = Matrix::dense(m.rows, m.cols * members.size(), m.dtype);
    if (m.cols * members.size() != out.cols)
      return make_error(Code::unsupported, "voting estimators answer with different widths");
    out.dtype = promote(out.dtype, m.dtype);
    for (std::size_t r = 0; r < m.rows; ++r) std::copy_n(m.row(r), m.cols, out.row(r) + column);
    column += m.cols;
  }
  return out;
}

class VotingClassifier final : public FittedEstimator {
 public:
  // flat: soft transform puts the members' probabilities side by side instead of behind each other.
  VotingClassifier(Signature signature, Members members, std::vector<double> weights, bool soft, bool flat)
      : FittedEstimator(std::move(signature)),
        members_(std::move(members)),
        weights_(std::move(weights)),
        soft_(soft),
        flat_(flat) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::transform || (method == Method::predict_proba && soft_);
  }
  bool takes_texts() const override { return members_.front().takes_texts(); }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method) || method == Method::transform) return no_method(method);
    if (!soft_) {
      JACKDAW_ASSIGN(const Matrix votes, count_votes(x));
      return one_array(label_tensor(classes()[0], row_argmax(votes)));
    }
    JACKDAW_ASSIGN(const Matrix p, mean_probabilities(x));
    if (method == Method::predict_proba) return matrix_output(p);
    return one_array(label_tensor(classes()[0], row_argmax(p)));
  }
  // Soft: every member's probabilities side by side. Hard: every member's class position.
  Result<Frame> transform(const Frame& x) const override {
    if (soft_ && !flat_) {
      return make_error(Code::unsupported,
                        "flatten_transform=False answers with three dimensions, which no step can take");
    }
    JACKDAW_ASSIGN(Matrix out, all_predictions(members_, soft_ ? Method::predict_proba : Method::predict, x));
    return Frame(std::move(out));
  }
  Result<Output> transform_output(const Frame& x) const override;
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 private:
  double weight(std::size_t i) const { return weights_.empty() ? 1.0 : weights_[i]; }
  Result<Matrix> mean_probabilities(const Frame& x) const;
  Result<Matrix> count_votes(const Frame& x) const;

  Members members_;
  std::vector<double> weights_;
  bool soft_;
  bool flat_;
};

// As (members, rows, classes) when it is not flat; the next step of a pipeline could not take that.
Result<Output> VotingClassifier::transform_output(const Frame& x) const {
  if (flat_ || !soft_) return Estimator::transform_output(x);
  std::vector<double> values;
  DType dtype = DType::fp32;
  for (const auto& member : members_.all) {
    JACKDAW_ASSIGN(const Matrix m, member_numbers(*member, Method::predict_proba, x, frame_rows(x)));
    if (m.cols != classes()[0].size())
      return make_error(Code::unsupported, "voting estimators do not know all classes");
    dtype = promote(dtype, m.dtype);
    values.insert(values.end(), m.values.begin(), m.values.end());
  }
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(members_.size()),
                                        static_cast<std::int64_t>(frame_rows(x)),
                                        static_cast<std::int64_t>(classes()[0].size())};
  return one_array(make_tensor(dtype, shape, values));
}

Result<Matrix> VotingClassifier::mean_probabilities(const Frame& x) const {
  const std::size_t classes_count = classes()[0].size();
  JACKDAW_ASSIGN(const Matrix all, all_predictions(members_, Method::predict_proba, x));
  if (all.cols != classes_count * members_.size())
    return make_error(Code::unsupported, "voting estimators do not know all classes");
  Matrix out = Matrix::dense(all.rows, classes_count, weights_.empty() ? float_dtype(all.dtype) : DType::fp64);
  const double total = weight_sum(weights_, members_.size());
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t c = 0; c < classes_count; ++c) {
      double sum = 0.0;
      for (std::size_t i = 0; i < members_.size(); ++i) sum += all.row(r)[i * classes_count + c] * weight(i);
      out.row(r)[c] = sum / total;
    }
  }
  round_all(out);
  return out;
}

Result<Matrix> VotingClassifier::count_votes(const Frame& x) const {
  JACKDAW_ASSIGN(const Matrix all, all_predictions(members_, Method::predict, x));
  Matrix out = Matrix::dense(all.rows, classes()[0].size(), DType::fp64);
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const double v = all.row(r)[i];
      if (!(v >= 0.0) || v >= static_cast<double>(out.cols))
        return make_error(Code::unsupported, "a voting estimator predicts class {}", v);
      out.row(r)[static_cast<std::size_t>(v)] += weight(i);
    }
  }
  return out;
}

class VotingRegressor final : public MatrixRegressor {
 public:
  VotingRegressor(Signature signature, Members members, std::vector<double> weights)
      : MatrixRegressor(std::move(signature)), members_(std::move(members)), weights_(std::move(weights)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::transform; }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, all_predictions(members_, Method::predict, x));
    return Frame(std::move(out));
  }
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 protected:
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const Matrix all, all_predictions(members_, Method::predict, x));
    if (all.cols != members_.size()) return make_error(Code::unsupported, "voting over several outputs");
    Matrix out = Matrix::dense(all.rows, 1, weights_.empty() ? float_dtype(all.dtype) : DType::fp64);
    const double total = weight_sum(weights_, members_.size());
    for (std::size_t r = 0; r < out.rows; ++r) {
      double sum = 0.0;
      for (std::size_t i = 0; i < members_.size(); ++i) sum += all.row(r)[i] * (weights_.empty() ? 1.0 : weights_[i]);
      out.values[r] = sum / total;
    }
    round_all(out);
    return out;
  }

 private:
  Members members_;
  std::vector<double> weights_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_voting_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  JACKDAW_ASSIGN(std::vector<double> weights, read_weights(context, members.size()));
  const std::string voting = context.text_or("voting", "hard");
  if (voting != "hard" && voting != "soft") return context.error(Code::parse_error, fmt::format("voting='{}'", voting));
  const bool soft = voting == "soft";
  if (!members.support(soft ? Method::predict_proba : Method::predict)) {
    return context.error(Code::unsupported, fmt::format("an estimator without {}", soft ? "predict_proba" : "predict"));
  }
  // None was the default until 0.20, and meant no.
  const bool flat =
      context.has("flatten_transform") ? context.flag_or("flatten_transform", true) : written_since(context, 0, 21);
  Signature signature = member_signature(context, members);
  JACKDAW_ASSIGN(signature.classes.emplace_back(), context.labels("classes_"));
  return std::unique_ptr<Estimator>(
      std::make_unique<VotingClassifier>(std::move(signature), std::move(members), std::move(weights), soft, flat));
}

Result<std::unique_ptr<Estimator>> build_voting_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  JACKDAW_ASSIGN(std::vector<double> weights, read_weights(context, members.size()));
  Signature signature = member_signature(context, members);
  return std::unique_ptr<Estimator>(
      std::make_unique<VotingRegressor>(std::move(signature), std::move(members), std::move(weights)));
}

}  // namespace jackdaw::predict
