// Pipeline (steps), searches (best_estimator_), TransformedTargetRegressor (regressor_, transformer_, _training_dim),
// and the rows of everything that is made of other estimators' inputs and outputs.
#include "src/predict/sklearn/compose.h"

#include <algorithm>

#include "src/predict/sklearn/explainable.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;
using formats::NodeKind;

struct Step {
  std::string name;
  std::unique_ptr<Estimator> estimator;
};

// A pipeline without a final estimator of its own ("passthrough") ends in its last transformer.
class Pipeline : public Estimator, public Explainable {
 public:
  explicit Pipeline(std::vector<Step> steps) : steps_(std::move(steps)) {}

  bool supports(Method method) const override { return last().supports(method); }

  Result<Output> run(Method method, const Frame& x) const override {
    if (method == Method::transform) return transform_output(x);
    if (steps_.size() == 1) return named(steps_[0], last().run(method, x));
    JACKDAW_ASSIGN(const Frame in, transform_through(x, steps_.size() - 1));
    return named(steps_.back(), last().run(method, in));
  }
  Result<Frame> transform(const Frame& x) const override { return transform_through(x, steps_.size()); }
  Result<Output> transform_output(const Frame& x) const override {
    if (steps_.size() == 1) return last().transform_output(x);
    JACKDAW_ASSIGN(const Frame in, transform_through(x, steps_.size() - 1));
    return named(steps_.back(), last().transform_output(in));
  }
  Result<Frame> inverse_transform(const Frame& x) const override {
    Frame at = x;
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
      JACKDAW_ASSIGN(at, step->estimator->inverse_transform(at));
    }
    return at;
  }

  std::int64_t n_features_in() const override { return steps_[0].estimator->n_features_in(); }
  std::span<const std::string> feature_names_in() const override { return steps_[0].estimator->feature_names_in(); }
  std::span<const Labels> classes() const override { return last().classes(); }
  bool is_classifier() const override { return last().is_classifier(); }
  bool is_outlier_detector() const override { return last().is_outlier_detector(); }
  bool takes_texts() const override { return steps_[0].estimator->takes_texts(); }
  double cost_ns(std::size_t rows) const override {
    double sum = 0;
    for (const Step& step : steps_) sum += step.estimator->cost_ns(rows);
    return sum;
  }
  // Of the last step's own inputs: what the steps before it make of the features is theirs.
  bool explains() const override { return explainable(last()) != nullptr; }
  Result<Contributions> explain(const Frame& x) const override {
    const Explainable& explained = *explainable(last());
    if (steps_.size() == 1) return explained.explain(x);
    JACKDAW_ASSIGN(const Frame in, transform_through(x, steps_.size() - 1));
    return named(steps_.back(), explained.explain(in));
  }
  std::span<const std::string> explained_names() const override { return explainable(last())->explained_names(); }
  double explain_ns(std::size_t rows) const override {
    return cost_ns(rows) - last().cost_ns(rows) + explainable(last())->explain_ns(rows);
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = sizeof(*this);
    for (const Step& step : steps_) sum += step.estimator->resident_bytes();
    return sum;
  }

 private:
  const Estimator& last() const { return *steps_.back().estimator; }

  // The first step's errors are about the sender's own input and stay as they are; later ones say their step.
  template <typename T>
  Result<T> named(const Step& step, Result<T> result) const {
    if (!result && &step != &steps_[0]) return std::move(result).error().at(fmt::format("step '{}'", step.name));
    return result;
  }

  Result<Frame> transform_through(const Frame& x, std::size_t count) const {
    JACKDAW_ASSIGN(Frame at, steps_[0].estimator->transform(x));
    for (std::size_t i = 1; i < count; ++i) {
      JACKDAW_ASSIGN(at, named(steps_[i], steps_[i].estimator->transform_owned(std::move(at))));
    }
    return at;
  }

  std::vector<Step> steps_;
};

Result<std::unique_ptr<Estimator>> build_pipeline(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(c, "steps"));
  std::vector<Step> steps;
  bool last_passes = false;
  for (NodeId node : nodes) {
    JACKDAW_ASSIGN(const NamedNode step, named_node(c, node, "steps"));
    last_passes = is_passthrough(c.graph, step.node);
    if (last_passes) continue;
    JACKDAW_ASSIGN(auto estimator, build_estimator(c.child(step.node, fmt::format("steps['{}']", step.name))));
    steps.push_back({step.name, std::move(estimator)});
  }
  if (steps.empty()) steps.push_back({"passthrough", identity_transformer()});
  const std::size_t must_transform = last_passes ? steps.size() : steps.size() - 1;
  for (std::size_t i = 0; i < must_transform; ++i) {
    if (!steps[i].estimator->supports(Method::transform)) {
      return c.error(Code::parse_error, fmt::format("the step '{}' is no transformer", steps[i].name));
    }
  }
  return std::unique_ptr<Estimator>(new Pipeline(std::move(steps)));
}

Result<std::unique_ptr<Estimator>> best_estimator(const BuildContext& c) {
  if (!c.has("best_estimator_")) {
    return c.error(Code::unsupported, "it has no best_estimator_ (refit=False?); export the estimator itself");
  }
  return c.estimator("best_estimator_");
}

class TransformedTarget : public Estimator {
 public:
  TransformedTarget(std::unique_ptr<Estimator> regressor, std::unique_ptr<Estimator> transformer, bool one_dimensional)
      : regressor_(std::move(regressor)), transformer_(std::move(transformer)), one_dimensional_(one_dimensional) {}

  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) {
      return make_error(Code::unsupported, "'TransformedTargetRegressor' object has no attribute '{}'",
                        method_name(method));
    }
    JACKDAW_ASSIGN(Matrix predicted, only_numbers(regressor_->run(Method::predict, x)));
    JACKDAW_ASSIGN(const Frame back, transformer_->inverse_transform(Frame(std::move(predicted))));
    const auto* m = std::get_if<Matrix>(&back);
    if (m == nullptr) return make_error(Code::internal, "the target's transformer gave no numbers");
    if (one_dimensional_ && m->cols == 1) return vector_output(m->dtype, m->values);
    return matrix_output(*m);
  }
  Result<Frame> transform(const Frame&) const override {
    return make_error(Code::unsupported, "'TransformedTargetRegressor' object has no attribute 'transform'");
  }
  std::int64_t n_features_in() const override { return regressor_->n_features_in(); }
  std::span<const std::string> feature_names_in() const override { return regressor_->feature_names_in(); }
  bool takes_texts() const override { return regressor_->takes_texts(); }
  double cost_ns(std::size_t rows) const override { return regressor_->cost_ns(rows) + transformer_->cost_ns(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this) + regressor_->resident_bytes(); }

 private:
  std::unique_ptr<Estimator> regressor_;
  std::unique_ptr<Estimator> transformer_;
  bool one_dimensional_;
};

Result<std::unique_ptr<Estimator>> transformed_target(const BuildContext& c) {
  JACKDAW_ASSIGN(auto regressor, c.estimator("regressor_"));
  JACKDAW_ASSIGN(auto transformer, c.estimator("transformer_"));
  const std::int64_t targets = std::clamp<std::int64_t>(transformer->n_features_in(), 1, 1 << 16);
  const auto back =
      transformer->inverse_transform(Frame(Matrix::dense(1, static_cast<std::size_t>(targets), DType::fp64)));
  if (!back && back.error().code == Code::unsupported) {
    return c.error(Code::unsupported, "its predictions cannot be transformed back: " + back.error().message);
  }
  return std::unique_ptr<Estimator>(
      new TransformedTarget(std::move(regressor), std::move(transformer), c.integer_or("_training_dim", 1) == 1));
}

class Identity : public Estimator {
 public:
  bool supports(Method method) const override { return method == Method::transform; }
  Result<Output> run(Method method, const Frame&) const override {
    return make_error(Code::unsupported, "this pipeline has no method '{}'", method_name(method));
  }
  Result<Frame> transform(const Frame& x) const override { return x; }
  Result<Frame> transform_owned(Frame&& x) const override { return std::move(x); }
  Result<Frame> inverse_transform(const Frame& x) const override { return x; }
  std::int64_t n_features_in() const override { return -1; }
  double cost_ns(std::size_t) const override { return 50.0; }
  std::size_t resident_bytes() const override { return sizeof(*this); }
};

constexpr ClassRow rows[] = {
    {"sklearn.pipeline.Pipeline", build_pipeline},
    {"sklearn.pipeline.FeatureUnion", build_feature_union},
    {"sklearn.compose.ColumnTransformer", build_column_transformer},
    {"sklearn.compose.TransformedTargetRegressor", transformed_target},
    {"sklearn.model_selection.GridSearchCV", best_estimator},
    {"sklearn.model_selection.RandomizedSearchCV", best_estimator},
    {"sklearn.model_selection.HalvingGridSearchCV", best_estimator},
    {"sklearn.model_selection.HalvingRandomSearchCV", best_estimator},
};

}  // namespace

std::unique_ptr<Estimator> identity_transformer() {
  return std::make_unique<Identity>();
}

bool is_passthrough(const formats::ObjectGraph& graph, NodeId node) {
  if (graph.kind(node) == NodeKind::none) return true;
  return graph.kind(node) == NodeKind::text && graph.text(node) == "passthrough";
}

bool is_drop(const formats::ObjectGraph& graph, NodeId node) {
  return graph.kind(node) == NodeKind::text && graph.text(node) == "drop";
}

Result<NamedNode> named_node(const BuildContext& c, NodeId node, std::string_view attribute) {
  const auto kind = c.graph.kind(node);
  if ((kind == NodeKind::tuple || kind == NodeKind::list) && c.graph.items(node).size() >= 2) {
    const auto items = c.graph.items(node);
    if (c.graph.kind(items[0]) == NodeKind::text) {
      return NamedNode{std::string(c.graph.text(items[0])), items[1], items.size() > 2 ? items[2] : formats::no_node};
    }
  }
  return c.error(Code::parse_error, fmt::format("'{}' is not a list of (name, estimator)", attribute));
}

double weight_of(const BuildContext& c, std::string_view name) {
  if (!c.has("transformer_weights")) return 1.0;
  const NodeId weight = c.graph.attribute(c.attribute("transformer_weights"), name);
  if (weight == formats::no_node) return 1.0;
  return formats::to_number(c.graph, weight).value_or(1.0);
}

std::span<const ClassRow> compose_rows() {
  return rows;
}

}  // namespace jackdaw::predict
