// GradientBoosting*: estimators_ (an object array of stages x trees per stage), learning_rate, init_, loss, classes_.
//
// raw = init + sum over stages of learning_rate * leaf. init_ is the text "zero", a Dummy* (a constant), one of the
// constant estimators of 0.20, or any fitted estimator. The loss object itself is never read: its name says the link.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/boosting.h"
#include "src/predict/sklearn/trees.h"

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

namespace {

// Where raw scores start: the same for every row, or another estimator's answer.
struct InitialScores {
  std::vector<double> constant;  // one per raw score; empty when `estimator` decides
  std::unique_ptr<Estimator> estimator;
};

// How probabilities of an initial classifier become raw scores.
struct InitialLink {
  bool classifier = false;
  bool exponential = false;
  bool centred = false;  // since 1.4 the multinomial link takes the geometric mean as reference
  double epsilon = std::numeric_limits<float>::epsilon();
};

InitialLink initial_link(const BuildContext& context, bool classifier) {
  InitialLink out;
  out.classifier = classifier;
  out.exponential = context.text_or("loss", "") == "exponential";
  out.centred = written_since(context, 1, 4);
  if (written_since(context, 1, 6)) out.epsilon = std::numeric_limits<double>::epsilon();
  return out;
}

// `p`: one row of an initial estimator's predict_proba (or predict). `raw`: `count` scores.
void apply_link(const InitialLink& link, const double* p, std::size_t count, double* raw) {
  if (!link.classifier) {
    std::copy_n(p, count, raw);
    return;
  }
  const auto clipped = [&](double v) { return std::clamp(v, link.epsilon, 1.0 - link.epsilon); };
  if (count == 1) {
    const double positive = clipped(p[1]);
    raw[0] = (link.exponential ? 0.5 : 1.0) * std::log(positive / (1.0 - positive));
    return;
  }
  double mean_log = 0.0;
  for (std::size_t k = 0; k < count; ++k) mean_log += std::log(clipped(p[k]));
  mean_log /= static_cast<double>(count);
  for (std::size_t k = 0; k < count; ++k) raw[k] = std::log(clipped(p[k])) - (link.centred ? mean_log : 0.0);
}

// The constants 0.20 fitted: MeanEstimator.mean, QuantileEstimator.quantile, (Scaled)LogOddsEstimator.prior,
// PriorProbabilityEstimator.priors, ZeroEstimator.
Result<std::vector<double>> old_constants(const BuildContext& init, std::size_t count) {
  const std::string name = init.short_class();
  if (name == "ZeroEstimator") return std::vector<double>(count, 0.0);
  if (name == "MeanEstimator") return sized_doubles(init, "mean", count);
  if (name == "QuantileEstimator") return sized_doubles(init, "quantile", count);
  if (name == "LogOddsEstimator" || name == "ScaledLogOddsEstimator") return sized_doubles(init, "prior", count);
  if (name == "PriorProbabilityEstimator") return sized_doubles(init, "priors", count);
  return std::vector<double>{};
}

Result<std::vector<double>> dummy_constants(const BuildContext& init, const InitialLink& link, std::size_t count) {
  const std::string name = init.short_class();
  if (name == "DummyRegressor" && !link.classifier) return sized_doubles(init, "constant_", count);
  if (name != "DummyClassifier" || !link.classifier || init.text_or("strategy", "") != "prior")
    return std::vector<double>{};
  JACKDAW_ASSIGN(const std::vector<double> prior, sized_doubles(init, "class_prior_", std::max<std::size_t>(2, count)));
  std::vector<double> out(count);
  apply_link(link, prior.data(), count, out.data());
  return out;
}

Result<InitialScores> read_initial(const BuildContext& context, const InitialLink& link, std::size_t count) {
  InitialScores out;
  const NodeId node = context.attribute("init_");
  if (node == no_node)
    return context.error(Code::parse_error, "the attribute 'init_' is missing; was this object fitted?");
  if (context.text_or("init_", "") == "zero") {
    out.constant.assign(count, 0.0);
    return out;
  }
  const BuildContext init = context.child(node, "init_");
  JACKDAW_ASSIGN(out.constant, old_constants(init, count));
  if (!out.constant.empty()) return out;
  JACKDAW_ASSIGN(out.constant, dummy_constants(init, link, count));
  if (!out.constant.empty()) return out;
  JACKDAW_ASSIGN(out.estimator, build_estimator(init));
  const Method method = link.classifier ? Method::predict_proba : Method::predict;
  if (out.estimator->supports(method)) return out;
  return init.error(Code::unsupported, fmt::format("an initial estimator without {}", method_name(method)));
}

// Initial scores plus the trees.
struct Boosted {
  ops::Forest forest;
  Result<ops::ForestContributions> contributions;
  InitialScores initial;
  InitialLink link;

  Result<Matrix> scores(const Frame& x, const InputRule& rule) const;
  Result<void> add_initial(const Matrix& x, Matrix& out) const;
  Result<Contributions> explain(const Frame& x, const InputRule& rule) const;
  double explain_ns(std::size_t rows) const;
  std::size_t resident_bytes() const {
    return forest.resident_bytes() + (contributions ? contributions->resident_bytes() : 0);
  }
};

Result<void> Boosted::add_initial(const Matrix& x, Matrix& out) const {
  if (!initial.estimator) {
    for (std::size_t r = 0; r < out.rows; ++r) std::copy(initial.constant.begin(), initial.constant.end(), out.row(r));
    return {};
  }
  const Method method = link.classifier ? Method::predict_proba : Method::predict;
  JACKDAW_ASSIGN(const Matrix first, only_numbers(initial.estimator->run(method, Frame(x))));
  const std::size_t wanted = link.classifier ? std::max<std::size_t>(2, out.cols) : out.cols;
  if (first.rows != out.rows || first.cols != wanted) {
    return make_error(Code::unsupported, "the initial estimator answers with {} columns, {} are needed", first.cols,
                      wanted);
  }
  for (std::size_t r = 0; r < out.rows; ++r) apply_link(link, first.row(r), out.cols, out.row(r));
  return {};
}

Result<Matrix> Boosted::scores(const Frame& x, const InputRule& rule) const {
  JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule));
  Matrix out = Matrix::dense(m->rows, forest.n_outputs(), DType::fp64);
  JACKDAW_TRY(add_initial(*m, out));
  add_forest_scores(forest, *m, out.values.data());
  return out;
}

// The initial scores belong to no feature: they are in the expected value, row by row where an estimator decides.
Result<Contributions> Boosted::explain(const Frame& x, const InputRule& rule) const {
  if (!contributions) return contributions.error();
  JACKDAW_ASSIGN(const MatrixRef m, tree_input(x, rule));
  Matrix first = Matrix::dense(m->rows, forest.n_outputs(), DType::fp64);
  JACKDAW_TRY(add_initial(*m, first));
  JACKDAW_ASSIGN(Contributions out, forest_contributions(*contributions, *m, 1.0));
  const std::size_t width = out.features + 1;
  for (std::size_t i = 0; i < first.values.size(); ++i) out.values[i * width + out.features] += first.values[i];
  return out;
}

double Boosted::explain_ns(std::size_t rows) const {
  const double first = initial.estimator ? initial.estimator->cost_ns(rows) : 0.0;
  if (!contributions) return 500.0;
  return 500.0 + first + contributions->call_ns() + static_cast<double>(rows) * (contributions->row_ns() + 30.0);
}

struct Stages {
  std::vector<NodeId> estimators;
  std::size_t per_stage = 1;
};

Result<Stages> read_stages(const BuildContext& context, std::size_t per_stage) {
  Stages out;
  out.per_stage = per_stage;
  JACKDAW_ASSIGN(out.estimators, object_list(context, "estimators_"));
  if (out.estimators.size() % per_stage == 0) return out;
  return context.error(Code::parse_error,
                       fmt::format("estimators_ has {} trees, which does not divide into stages of {}",
                                   out.estimators.size(), per_stage));
}

Result<std::pair<Signature, Boosted>> read_boosted(const BuildContext& context, std::size_t per_stage,
                                                   bool classifier) {
  JACKDAW_ASSIGN(const Stages stages, read_stages(context, per_stage));
  JACKDAW_ASSIGN(const double rate, context.number("learning_rate"));
  TreeReader reader(context);
  std::optional<ForestAssembler> assembler;
  Signature signature;
  for (std::size_t i = 0; i < stages.estimators.size(); ++i) {
    const std::string name = fmt::format("estimators_[{}, {}]", i / per_stage, i % per_stage);
    JACKDAW_ASSIGN(const NodeId node, tree_of(context, stages.estimators[i], name));
    JACKDAW_ASSIGN(const StoredTree tree, reader.read(node, name + ".tree_"));
    if (!assembler) {
      JACKDAW_ASSIGN(signature, tree_signature(context, tree));
      assembler.emplace(static_cast<std::uint32_t>(signature.rule.n_features), static_cast<std::uint32_t>(per_stage),
                        1);
    }
    assembler->add(tree, static_cast<std::uint32_t>(i % per_stage), {},
                   [&](std::size_t n, double* out) { *out = rate * *tree.value(n, 0); });
  }
  JACKDAW_ASSIGN(ops::Forest forest, assembler->build(context));
  Result<ops::ForestContributions> contributions = assembler->contributions();
  const InitialLink link = initial_link(context, classifier);
  JACKDAW_ASSIGN(InitialScores initial, read_initial(context, link, per_stage));
  return std::pair(std::move(signature),
                   Boosted{std::move(forest), std::move(contributions), std::move(initial), link});
}

double boosted_cost_ns(const Boosted& boosted, std::size_t rows) {
  const double first = boosted.initial.estimator ? boosted.initial.estimator->cost_ns(rows) : 0.0;
  return 500.0 + first + static_cast<double>(rows) * (boosted.forest.row_ns() + 30.0);
}

class BoostingClassifier final : public RawScoreClassifier, public Explainable {
 public:
  BoostingClassifier(Signature signature, Boosted boosted, bool zero_is_positive)
      : RawScoreClassifier(std::move(signature)), boosted_(std::move(boosted)), zero_is_positive_(zero_is_positive) {}
  double cost_ns(std::size_t rows) const override { return boosted_cost_ns(boosted_, rows); }
  std::size_t resident_bytes() const override { return boosted_.resident_bytes(); }
  std::span<const std::string> explained_names() const override { return feature_names_in(); }
  Result<Contributions> explain(const Frame& x) const override { return boosted_.explain(x, rule()); }
  double explain_ns(std::size_t rows) const override { return boosted_.explain_ns(rows); }

 protected:
  Result<Matrix> raw_scores(const Frame& x) const override { return boosted_.scores(x, rule()); }
  double sigmoid_scale() const override { return boosted_.link.exponential ? 2.0 : 1.0; }
  bool zero_is_positive() const override { return zero_is_positive_; }

 private:
  Boosted boosted_;
  bool zero_is_positive_;
};

class BoostingRegressor final : public MatrixRegressor, public Explainable {
 public:
  BoostingRegressor(Signature signature, Boosted boosted)
      : MatrixRegressor(std::move(signature)), boosted_(std::move(boosted)) {}
  double cost_ns(std::size_t rows) const override { return boosted_cost_ns(boosted_, rows); }
  std::size_t resident_bytes() const override { return boosted_.resident_bytes(); }
  std::span<const std::string> explained_names() const override { return feature_names_in(); }
  Result<Contributions> explain(const Frame& x) const override { return boosted_.explain(x, rule()); }
  double explain_ns(std::size_t rows) const override { return boosted_.explain_ns(rows); }

 protected:
  Result<Matrix> values(const Frame& x) const override { return boosted_.scores(x, rule()); }

 private:
  Boosted boosted_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_gradient_boosting_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  const std::string loss = context.text_or("loss", "");
  if (loss != "deviance" && loss != "log_loss" && loss != "exponential") {
    return context.error(Code::unsupported, fmt::format("loss='{}'", loss));
  }
  if (labels.size() < 2) return context.error(Code::parse_error, "classes_ has fewer than two classes");
  JACKDAW_ASSIGN(auto parts, read_boosted(context, labels.size() == 2 ? 1 : labels.size(), true));
  parts.first.classes.push_back(std::move(labels));
  const bool zero_is_positive = loss == "exponential" || written_since(context, 1, 4);
  return std::unique_ptr<Estimator>(
      std::make_unique<BoostingClassifier>(std::move(parts.first), std::move(parts.second), zero_is_positive));
}

Result<std::unique_ptr<Estimator>> build_gradient_boosting_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(auto parts, read_boosted(context, 1, false));
  return std::unique_ptr<Estimator>(
      std::make_unique<BoostingRegressor>(std::move(parts.first), std::move(parts.second)));
}

}  // namespace jackdaw::predict
