// Bagging*: estimators_, estimators_features_ (columns each one sees), classes_. Members of a classifier are fitted on
// positions in classes_ and may not have met all of them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

using formats::NodeId;

namespace {

struct Bag {
  Members members;
  std::vector<std::vector<std::size_t>> features;  // per member; empty: all columns in order
};

Frame columns_for(const Matrix& x, const std::vector<std::size_t>& features) {
  if (features.empty()) return x;
  Matrix out = Matrix::dense(x.rows, features.size(), x.dtype);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t c = 0; c < features.size(); ++c) out.row(r)[c] = x.row(r)[features[c]];
  }
  return out;
}

Result<std::vector<std::size_t>> read_feature_list(const BuildContext& context, NodeId node, std::size_t i,
                                                   std::size_t width) {
  JACKDAW_ASSIGN(const Matrix list, matrix_at(context, node, fmt::format("estimators_features_[{}]", i)));
  std::vector<std::size_t> out;
  bool in_order = list.values.size() == width;
  for (std::size_t c = 0; c < list.values.size(); ++c) {
    const double v = list.values[c];
    if (!(v >= 0.0) || v >= static_cast<double>(width)) {
      return context.error(Code::parse_error,
                           fmt::format("estimators_features_[{}] names column {} of {}", i, v, width));
    }
    out.push_back(static_cast<std::size_t>(v));
    in_order = in_order && out.back() == c;
  }
  if (in_order) out.clear();
  return out;
}

Result<std::pair<Signature, Bag>> read_bag(const BuildContext& context) {
  Bag bag;
  JACKDAW_ASSIGN(bag.members, read_members(context));
  Signature signature = member_signature(context, bag.members);
  if (signature.rule.n_features < 1) return context.error(Code::parse_error, "n_features_in_ is missing");
  const auto width = static_cast<std::size_t>(signature.rule.n_features);
  bag.features.resize(bag.members.size());
  if (context.has("estimators_features_")) {
    JACKDAW_ASSIGN(const std::vector<NodeId> lists, object_list(context, "estimators_features_"));
    if (lists.size() != bag.members.size()) {
      return context.error(Code::parse_error, fmt::format("estimators_features_ is for {} of {} estimators",
                                                          lists.size(), bag.members.size()));
    }
    for (std::size_t i = 0; i < lists.size(); ++i) {
      JACKDAW_ASSIGN(bag.features[i], read_feature_list(context, lists[i], i, width));
    }
  }
  return std::pair(std::move(signature), std::move(bag));
}

double log_add(double a, double b) {
  if (a == b) return a + std::log(2.0);
  const double top = std::max(a, b);
  const double gap = std::min(a, b) - top;
  return std::isnan(gap) ? gap : top + std::log1p(std::exp(gap));
}

class BaggingClassifier final : public FittedEstimator {
 public:
  BaggingClassifier(Signature signature, Bag bag, std::vector<std::vector<std::size_t>> positions)
      : FittedEstimator(std::move(signature)), bag_(std::move(bag)), positions_(std::move(positions)) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::predict_proba || method == Method::predict_log_proba ||
           (method == Method::decision_function && bag_.members.support(method));
  }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override { return bag_.members.cost_ns(rows); }
  std::size_t resident_bytes() const override { return bag_.members.resident_bytes(); }

 private:
  std::size_t class_count() const { return classes()[0].size(); }
  Result<Matrix> member_columns(std::size_t i, Method method, const Frame& x, std::size_t rows) const;
  Result<void> add_member(std::size_t i, const Frame& x, Matrix& out) const;
  Result<Matrix> probabilities(const Matrix& x) const;
  Result<Matrix> log_probabilities(const Matrix& x) const;
  Result<Output> decisions(const Matrix& x) const;

  Bag bag_;
  std::vector<std::vector<std::size_t>> positions_;  // member's class -> class
};

Result<Matrix> BaggingClassifier::member_columns(std::size_t i, Method method, const Frame& x, std::size_t rows) const {
  JACKDAW_ASSIGN(Matrix m, member_numbers(bag_.members[i], method, x, rows));
  if (m.cols == positions_[i].size()) return m;
  return make_error(Code::unsupported, "an estimator of the bag answers with {} columns for {} classes", m.cols,
                    positions_[i].size());
}

Result<void> BaggingClassifier::add_member(std::size_t i, const Frame& x, Matrix& out) const {
  if (bag_.members[i].supports(Method::predict_proba)) {
    JACKDAW_ASSIGN(const Matrix p, member_columns(i, Method::predict_proba, x, out.rows));
    for (std::size_t r = 0; r < out.rows; ++r) {
      for (std::size_t c = 0; c < p.cols; ++c) out.row(r)[positions_[i][c]] += p.row(r)[c];
    }
    return {};
  }
  JACKDAW_ASSIGN(const Matrix labels, member_numbers(bag_.members[i], Method::predict, x, out.rows));
  for (std::size_t r = 0; r < out.rows; ++r) {
    const double v = labels.values[r];
    if (!(v >= 0.0) || v >= static_cast<double>(out.cols))
      return make_error(Code::unsupported, "an estimator of the bag predicts class {}", v);
    out.row(r)[static_cast<std::size_t>(v)] += 1.0;
  }
  return {};
}

Result<Matrix> BaggingClassifier::probabilities(const Matrix& x) const {
  Matrix out = Matrix::dense(x.rows, class_count(), DType::fp64);
  for (std::size_t i = 0; i < bag_.members.size(); ++i)
    JACKDAW_TRY(add_member(i, columns_for(x, bag_.features[i]), out));
  for (double& v : out.values) v /= static_cast<double>(bag_.members.size());
  return out;
}

Result<Matrix> BaggingClassifier::log_probabilities(const Matrix& x) const {
  if (!bag_.members.support(Method::predict_log_proba)) {
    JACKDAW_ASSIGN(Matrix p, probabilities(x));
    log_in_place(p);
    return p;
  }
  Matrix out = Matrix::dense(x.rows, class_count(), DType::fp64);
  std::fill(out.values.begin(), out.values.end(), -std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < bag_.members.size(); ++i) {
    JACKDAW_ASSIGN(const Matrix p,
                   member_columns(i, Method::predict_log_proba, columns_for(x, bag_.features[i]), x.rows));
    for (std::size_t r = 0; r < out.rows; ++r) {
      for (std::size_t c = 0; c < p.cols; ++c) {
        double& v = out.row(r)[positions_[i][c]];
        v = log_add(v, p.row(r)[c]);
      }
    }
  }
  for (double& v : out.values) v -= std::log(static_cast<double>(bag_.members.size()));
  return out;
}

Result<Output> BaggingClassifier::decisions(const Matrix& x) const {
  Matrix out;
  bool one_column = true;
  for (std::size_t i = 0; i < bag_.members.size(); ++i) {
    JACKDAW_ASSIGN(const Matrix d, member_numbers(bag_.members[i], Method::decision_function,
                                                  columns_for(x, bag_.features[i]), x.rows));
    if (i == 0) out = Matrix::dense(d.rows, d.cols, DType::fp64);
    if (d.cols != out.cols) return make_error(Code::unsupported, "the estimators of the bag know different classes");
    one_column = d.cols == 1;
    for (std::size_t k = 0; k < d.values.size(); ++k) out.values[k] += d.values[k];
  }
  for (double& v : out.values) v /= static_cast<double>(bag_.members.size());
  return one_column ? vector_output(out.dtype, out.values) : matrix_output(out);
}

Result<Output> BaggingClassifier::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  if (method == Method::decision_function) return decisions(*m);
  if (method == Method::predict_log_proba) {
    JACKDAW_ASSIGN(const Matrix p, log_probabilities(*m));
    return matrix_output(p);
  }
  JACKDAW_ASSIGN(const Matrix p, probabilities(*m));
  if (method == Method::predict_proba) return matrix_output(p);
  return one_array(label_tensor(classes()[0], row_argmax(p)));
}

// A member's classes_ are positions in the bag's.
Result<std::vector<std::size_t>> member_positions(const BuildContext& context, const Estimator& member, std::size_t i,
                                                  std::size_t classes) {
  std::vector<std::size_t> out;
  if (member.classes().size() != 1)
    return context.error(Code::parse_error, fmt::format("estimators_[{}] is no classifier", i));
  for (double v : member.classes()[0].numbers) {
    if (!(v >= 0.0) || v >= static_cast<double>(classes)) {
      return context.error(Code::parse_error, fmt::format("estimators_[{}] has class {} of {}", i, v, classes));
    }
    out.push_back(static_cast<std::size_t>(v));
  }
  return out;
}

class BaggingRegressor final : public MatrixRegressor {
 public:
  BaggingRegressor(Signature signature, Bag bag) : MatrixRegressor(std::move(signature)), bag_(std::move(bag)) {}
  double cost_ns(std::size_t rows) const override { return bag_.members.cost_ns(rows); }
  std::size_t resident_bytes() const override { return bag_.members.resident_bytes(); }

 protected:
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    Matrix out;
    for (std::size_t i = 0; i < bag_.members.size(); ++i) {
      JACKDAW_ASSIGN(Matrix y,
                     member_numbers(bag_.members[i], Method::predict, columns_for(*m, bag_.features[i]), m->rows));
      if (i == 0) {
        out = std::move(y);
        continue;
      }
      if (y.cols != out.cols) return make_error(Code::unsupported, "the estimators of the bag have different outputs");
      for (std::size_t k = 0; k < y.values.size(); ++k) out.values[k] += y.values[k];
      round_all(out);
    }
    out.dtype = float_dtype(out.dtype);
    for (double& v : out.values) v /= static_cast<double>(bag_.members.size());
    round_all(out);
    return out;
  }

 private:
  Bag bag_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_bagging_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(auto parts, read_bag(context));
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  std::vector<std::vector<std::size_t>> positions;
  for (std::size_t i = 0; i < parts.second.members.size(); ++i) {
    JACKDAW_ASSIGN(positions.emplace_back(), member_positions(context, parts.second.members[i], i, labels.size()));
  }
  parts.first.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(
      std::make_unique<BaggingClassifier>(std::move(parts.first), std::move(parts.second), std::move(positions)));
}

Result<std::unique_ptr<Estimator>> build_bagging_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(auto parts, read_bag(context));
  return std::unique_ptr<Estimator>(
      std::make_unique<BaggingRegressor>(std::move(parts.first), std::move(parts.second)));
}

}  // namespace jackdaw::predict
