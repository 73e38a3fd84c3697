// Stacking*: estimators_, stack_method_ (one name per member), final_estimator_, passthrough, classes_. The final
// estimator of a classifier is fitted on positions in classes_.
#include <algorithm>

#include "src/predict/sklearn/ensembles.h"

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

namespace {

struct Stack {
  Members members;
  std::vector<Method> methods;
  std::unique_ptr<Estimator> final_estimator;
  bool passthrough = false;
  bool drop_first_probability = false;  // two classes: the first column says nothing new

  Result<Frame> features(const Frame& x, const InputRule& rule) const;
  double cost_ns(std::size_t rows) const { return members.cost_ns(rows) + final_estimator->cost_ns(rows); }
  std::size_t resident_bytes() const { return members.resident_bytes() + final_estimator->resident_bytes(); }
};

Matrix side_by_side(const std::vector<Matrix>& parts) {
  std::size_t cols = 0;
  DType dtype = parts[0].dtype;
  for (const Matrix& part : parts) {
    cols += part.cols;
    dtype = promote(dtype, part.dtype);
  }
  Matrix out = Matrix::dense(parts[0].rows, cols, dtype);
  std::size_t column = 0;
  for (const Matrix& part : parts) {
    for (std::size_t r = 0; r < out.rows; ++r) std::copy_n(part.row(r), part.cols, out.row(r) + column);
    column += part.cols;
  }
  return out;
}

Matrix without_first(const Matrix& m) {
  Matrix out = Matrix::dense(m.rows, m.cols - 1, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) std::copy_n(m.row(r) + 1, out.cols, out.row(r));
  return out;
}

Result<Frame> Stack::features(const Frame& x, const InputRule& rule) const {
  std::vector<Matrix> parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    JACKDAW_ASSIGN(Matrix m, member_numbers(members[i], methods[i], x, frame_rows(x)));
    const bool drop = drop_first_probability && methods[i] == Method::predict_proba && m.cols > 1;
    parts.push_back(drop ? without_first(m) : std::move(m));
  }
  if (passthrough) {
    JACKDAW_ASSIGN(MatrixRef rows, dense_input(x, rule));
    parts.push_back(std::move(rows).take());
  }
  return Frame(side_by_side(parts));
}

Result<std::vector<Method>> read_methods(const BuildContext& context, const Members& members) {
  std::vector<Method> out;
  JACKDAW_ASSIGN(const std::vector<NodeId> names, object_list(context, "stack_method_"));
  for (NodeId node : names) {
    if (context.graph.kind(node) == NodeKind::none) continue;  // of a dropped estimator
    const auto method =
        context.graph.kind(node) == NodeKind::text ? method_from_name(context.graph.text(node)) : std::nullopt;
    if (!method) return context.error(Code::parse_error, "stack_method_ holds something that is no method");
    out.push_back(*method);
  }
  if (out.size() != members.size()) {
    return context.error(Code::parse_error,
                         fmt::format("stack_method_ is for {} of {} estimators", out.size(), members.size()));
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (members[i].supports(out[i])) continue;
    return context.error(Code::unsupported, fmt::format("estimators_[{}] has no {}", i, method_name(out[i])));
  }
  return out;
}

Result<Stack> read_stack(const BuildContext& context) {
  Stack out;
  JACKDAW_ASSIGN(out.members, read_members(context));
  JACKDAW_ASSIGN(out.methods, read_methods(context, out.members));
  JACKDAW_ASSIGN(out.final_estimator, context.estimator("final_estimator_"));
  out.passthrough = context.flag_or("passthrough", false);
  return out;
}

class StackingClassifier final : public FittedEstimator {
 public:
  StackingClassifier(Signature signature, Stack stack)
      : FittedEstimator(std::move(signature)), stack_(std::move(stack)) {}
  bool supports(Method method) const override {
    return method == Method::transform || (method != Method::score_samples && stack_.final_estimator->supports(method));
  }
  bool takes_texts() const override { return stack_.members.front().takes_texts(); }
  Result<Frame> transform(const Frame& x) const override { return stack_.features(x, rule()); }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method) || method == Method::transform) return no_method(method);
    JACKDAW_ASSIGN(const Frame features, stack_.features(x, rule()));
    JACKDAW_ASSIGN(Output out, stack_.final_estimator->run(method, features));
    if (method != Method::predict) return out;
    JACKDAW_ASSIGN(const auto picks, label_positions(range_labels(classes()[0].size()), out.arrays.at(0)));
    return one_array(label_tensor(classes()[0], picks));
  }
  double cost_ns(std::size_t rows) const override { return stack_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return stack_.resident_bytes(); }

 private:
  Stack stack_;
};

class StackingRegressor final : public FittedEstimator {
 public:
  StackingRegressor(Signature signature, Stack stack)
      : FittedEstimator(std::move(signature)), stack_(std::move(stack)) {}
  bool supports(Method method) const override { return method == Method::transform || method == Method::predict; }
  bool takes_texts() const override { return stack_.members.front().takes_texts(); }
  Result<Frame> transform(const Frame& x) const override { return stack_.features(x, rule()); }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) return no_method(method);
    JACKDAW_ASSIGN(const Frame features, stack_.features(x, rule()));
    return stack_.final_estimator->run(Method::predict, features);
  }
  double cost_ns(std::size_t rows) const override { return stack_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return stack_.resident_bytes(); }

 private:
  Stack stack_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_stacking_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Stack stack, read_stack(context));
  Signature signature = member_signature(context, stack.members);
  JACKDAW_ASSIGN(signature.classes, context.labels_list("classes_"));
  if (signature.classes.size() != 1) return context.error(Code::unsupported, "stacking over several outputs");
  stack.drop_first_probability = signature.classes[0].size() == 2;
  return std::unique_ptr<Estimator>(std::make_unique<StackingClassifier>(std::move(signature), std::move(stack)));
}

Result<std::unique_ptr<Estimator>> build_stacking_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Stack stack, read_stack(context));
  Signature signature = member_signature(context, stack.members);
  return std::unique_ptr<Estimator>(std::make_unique<StackingRegressor>(std::move(signature), std::move(stack)));
}

}  // namespace jackdaw::predict
