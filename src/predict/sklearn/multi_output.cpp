// sklearn.multioutput: one estimator per output (MultiOutput*), or a chain in which each also sees the answers before
// it (ClassifierChain, RegressorChain).
//
// Read: estimators_; for chains order_ (which output each link answers) and chain_method_ (since 1.6).
#include <algorithm>

#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

namespace {

class MultiOutput : public FittedEstimator {
 public:
  MultiOutput(Signature signature, Members members)
      : FittedEstimator(std::move(signature)), members_(std::move(members)) {}
  bool takes_texts() const override { return members_.front().takes_texts(); }
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 protected:
  Result<std::vector<engine::Tensor>> answers(Method method, const Frame& x) const {
    std::vector<engine::Tensor> out;
    for (const auto& member : members_.all) {
      JACKDAW_ASSIGN(Output one, member->run(method, x));
      if (one.arrays.size() != 1)
        return make_error(Code::unsupported, "an output of {} has outputs of its own", rule().class_name);
      out.push_back(std::move(one.arrays[0]));
    }
    return out;
  }
  Members members_;
};

class MultiOutputClassifier final : public MultiOutput {
 public:
  using MultiOutput::MultiOutput;
  bool supports(Method method) const override {
    return method == Method::predict || (method == Method::predict_proba && members_.support(method));
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    Output out;
    JACKDAW_ASSIGN(out.arrays, answers(method, x));
    return method == Method::predict ? one_array(stack_columns(out.arrays)) : std::move(out);
  }
};

class MultiOutputRegressor final : public MultiOutput {
 public:
  using MultiOutput::MultiOutput;
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const std::vector<engine::Tensor> columns, answers(method, x));
    for (const engine::Tensor& column : columns) {
      if (column.shape.size() != 1)
        return make_error(Code::unsupported, "an output of {} has several columns", rule().class_name);
    }
    return one_array(stack_columns(columns));
  }
};

bool same_kind(const std::vector<Labels>& classes) {
  return std::all_of(classes.begin(), classes.end(), [&](const Labels& l) { return l.dtype == classes[0].dtype; });
}

// ---- chains -------------------------------------------------------------------------------------------------------

class Chain final : public FittedEstimator {
 public:
  Chain(Signature signature, Members members, std::vector<std::size_t> order, Method link, bool classifier)
      : FittedEstimator(std::move(signature)),
        members_(std::move(members)),
        order_(std::move(order)),
        link_(link),
        classifier_(classifier) {}
  bool supports(Method method) const override {
    const bool optional =
        method == Method::predict_proba || method == Method::predict_log_proba || method == Method::decision_function;
    return method == Method::predict || (classifier_ && optional && members_.support(method));
  }
  bool is_classifier() const override { return classifier_; }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override { return members_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return members_.resident_bytes(); }

 private:
  // (n,): as it is; (n, 2) of probabilities: the second class.
  static Result<std::vector<double>> link_values(const Estimator& member, Method method, const Frame& x,
                                                 std::size_t rows);

  Members members_;
  std::vector<std::size_t> order_;
  Method link_;
  bool classifier_;
};

Result<std::vector<double>> Chain::link_values(const Estimator& member, Method method, const Frame& x,
                                               std::size_t rows) {
  JACKDAW_ASSIGN(Matrix m, member_numbers(member, method, x, rows));
  if (m.cols == 1) return std::move(m.values);
  if (m.cols != 2 || method == Method::predict) {
    return make_error(Code::unsupported, "a link of the chain answers with {} columns; two classes are served", m.cols);
  }
  std::vector<double> out(rows);
  for (std::size_t r = 0; r < rows; ++r) out[r] = m.row(r)[1];
  return out;
}

Result<Output> Chain::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  Matrix out = Matrix::dense(m->rows, members_.size(), DType::fp64);
  std::vector<std::vector<double>> before;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Matrix wide = Matrix::dense(m->rows, m->cols + i, DType::fp64);
    for (std::size_t r = 0; r < m->rows; ++r) {
      std::copy_n(m->row(r), m->cols, wide.row(r));
      for (std::size_t k = 0; k < i; ++k) wide.row(r)[m->cols + k] = before[k][r];
    }
    const Frame rows(std::move(wide));
    JACKDAW_ASSIGN(before.emplace_back(), link_values(members_[i], link_, rows, m->rows));
    std::vector<double> answer = before.back();
    if (method != link_) {
      JACKDAW_ASSIGN(answer, link_values(members_[i], method, rows, m->rows));
    }
    for (std::size_t r = 0; r < m->rows; ++r) out.row(r)[order_[i]] = answer[r];
  }
  return matrix_output(out);
}

Result<std::vector<std::size_t>> read_order(const BuildContext& context, std::size_t count) {
  JACKDAW_ASSIGN(const std::vector<double> order, sized_doubles(context, "order_", count));
  std::vector<std::size_t> out;
  std::vector<bool> seen(count, false);
  for (double v : order) {
    if (!(v >= 0.0) || v >= static_cast<double>(count) || seen[static_cast<std::size_t>(v)]) {
      return context.error(Code::parse_error, fmt::format("order_ is no order of {} outputs", count));
    }
    out.push_back(static_cast<std::size_t>(v));
    seen[out.back()] = true;
  }
  return out;
}

Result<std::unique_ptr<Estimator>> build_chain(const BuildContext& context, bool classifier) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  JACKDAW_ASSIGN(std::vector<std::size_t> order, read_order(context, members.size()));
  const auto link = method_from_name(context.text_or("chain_method_", "predict"));
  if (!link || !members.support(*link)) return context.error(Code::unsupported, "its chain_method_");
  Signature signature = member_signature(context, members);
  signature.rule.finite = Finite::required;
  for (const auto& member : members.all) {
    if (!classifier || member->classes().empty()) continue;
    signature.classes.push_back(member->classes()[0]);
  }
  return std::unique_ptr<Estimator>(
      std::make_unique<Chain>(std::move(signature), std::move(members), std::move(order), *link, classifier));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_multi_output_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  Signature signature = member_signature(context, members);
  for (const auto& member : members.all) {
    if (member->classes().size() != 1) return context.error(Code::unsupported, "an output that is no plain classifier");
    signature.classes.push_back(member->classes()[0]);
  }
  if (!same_kind(signature.classes)) return context.error(Code::unsupported, "outputs with different kinds of labels");
  return std::unique_ptr<Estimator>(std::make_unique<MultiOutputClassifier>(std::move(signature), std::move(members)));
}

Result<std::unique_ptr<Estimator>> build_multi_output_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Members members, read_members(context));
  Signature signature = member_signature(context, members);
  return std::unique_ptr<Estimator>(std::make_unique<MultiOutputRegressor>(std::move(signature), std::move(members)));
}

Result<std::unique_ptr<Estimator>> build_classifier_chain(const BuildContext& context) {
  return build_chain(context, true);
}
Result<std::unique_ptr<Estimator>> build_regressor_chain(const BuildContext& context) {
  return build_chain(context, false);
}

}  // namespace jackdaw::predict
