#include "src/predict/xgboost.h"

#include <algorithm>
#include <cmath>

namespace jackdaw::predict {
namespace {

using formats::XgboostModel;
using Transform = XgboostTransform;
using Link = XgboostLink;

constexpr XgboostObjective objectives[] = {
    {"reg:squarederror", Transform::identity, Link::identity},
    {"reg:linear", Transform::identity, Link::identity},
    {"reg:squaredlogerror", Transform::identity, Link::identity},
    {"reg:logistic", Transform::sigmoid, Link::logit},
    {"reg:pseudohubererror", Transform::identity, Link::identity},
    {"reg:absoluteerror", Transform::identity, Link::identity},
    {"reg:quantileerror", Transform::identity, Link::identity},
    {"reg:gamma", Transform::exponential, Link::log},
    {"reg:tweedie", Transform::exponential, Link::log},
    {"binary:logistic", Transform::sigmoid, Link::logit},
    {"binary:logitraw", Transform::identity, Link::identity},
    {"binary:hinge", Transform::hinge, Link::identity},
    {"multi:softmax", Transform::argmax, Link::identity},
    {"multi:softprob", Transform::softmax, Link::identity},
    {"count:poisson", Transform::exponential, Link::log},
    {"survival:cox", Transform::exponential, Link::log},
    {"survival:aft", Transform::exponential, Link::log},
    {"rank:pairwise", Transform::identity, Link::identity},
    {"rank:ndcg", Transform::identity, Link::identity},
    {"rank:map", Transform::identity, Link::identity},
};

// exp of more than 88.7 overflows a float; 1e-16 disappears in the sum but is what xgboost writes.
float sigmoid(float x) {
  return 1.0f / (std::exp(std::min(-x, 88.7f)) + 1.0f + 1e-16f);
}

float transform_one(Transform transform, float x) {
  switch (transform) {
    case Transform::sigmoid:
      return sigmoid(x);
    case Transform::exponential:
      return std::exp(x);
    case Transform::hinge:
      return x > 0.0f ? 1.0f : 0.0f;
    default:
      return x;
  }
}

Result<float> to_margin(const XgboostObjective& objective, float base_score, bool is_margin) {
  // Before 1.0 the stored value was a margin already; xgboost takes it through both functions, which rounds.
  if (is_margin && !objective.name.starts_with("multi:")) base_score = transform_one(objective.transform, base_score);
  switch (objective.link) {
    case Link::identity:
      return base_score;
    case Link::logit:
      if (!(base_score > 0.0f && base_score < 1.0f)) {
        return make_error(Code::parse_error, "base_score is {}; it must be in (0,1) for {}.", base_score,
                          objective.name);
      }
      return -std::log(1.0f / base_score - 1.0f);
    case Link::log:
      return std::log(base_score);
  }
  return base_score;
}

}  // namespace

const XgboostObjective* find_xgboost_objective(std::string_view name) {
  const auto* found = std::find_if(std::begin(objectives), std::end(objectives),
                                   [&](const XgboostObjective& row) { return row.name == name; });
  return found == std::end(objectives) ? nullptr : found;
}

void xgboost_softmax(float* values, std::size_t count) {
  const float top = *std::max_element(values, values + count);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = std::exp(values[i] - top);
    sum += static_cast<double>(values[i]);
  }
  for (std::size_t i = 0; i < count; ++i) values[i] /= static_cast<float>(sum);
}

Result<XgboostScorer> XgboostScorer::build(const XgboostModel& model, std::optional<std::size_t> rounds) {
  XgboostScorer scorer;
  scorer.objective_ = find_xgboost_objective(model.objective);
  if (scorer.objective_ == nullptr)
    return make_error(Code::unsupported, "Unknown XGBoost objective '{}'.", model.objective);
  scorer.n_features_ = model.num_feature;
  for (std::size_t group = 0; group < model.n_groups; ++group) {
    const float base = model.base_score.size() == 1 ? model.base_score[0] : model.base_score[group];
    JACKDAW_ASSIGN(scorer.base_margin_.emplace_back(), to_margin(*scorer.objective_, base, model.base_score_is_margin));
  }
  if (model.booster == formats::XgboostBooster::gblinear) {
    scorer.linear_weights_ = model.linear_weights;
    return scorer;
  }
  const std::size_t used = std::min(rounds.value_or(model.iterations()), model.iterations());
  const std::size_t tree_count = model.iteration_begin.empty() ? 0 : model.iteration_begin[used];
  if (tree_count == 0) return scorer;
  JACKDAW_ASSIGN(const ops::ForestSpec spec, xgboost_forest_spec(model, tree_count));
  JACKDAW_ASSIGN(scorer.forest_, ops::Forest::build(spec));
  scorer.contributions_ = ops::ForestContributions::build(spec);
  return scorer;
}

void XgboostScorer::margins(const float* rows, std::size_t n, std::size_t stride, float* out) const {
  if (!linear_weights_.empty()) return linear_margins(rows, n, stride, out);
  for (std::size_t row = 0; row < n; ++row) std::copy(base_margin_.begin(), base_margin_.end(), out + row * n_groups());
  if (forest_) forest_->add_scores(rows, n, stride, out);
}

// bias + base, then the features that are there, in order; all float32 (xgboost src/gbm/gblinear.cc, Pred). The base of
// the first group serves all of them there, and so it does here.
void XgboostScorer::linear_margins(const float* rows, std::size_t n, std::size_t stride, float* out) const {
  const std::size_t groups = n_groups();
  const float* bias = linear_weights_.data() + n_features_ * groups;
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t group = 0; group < groups; ++group) {
      float sum = bias[group] + base_margin_[0];
      for (std::size_t feature = 0; feature < n_features_; ++feature) {
        const float x = rows[row * stride + feature];
        if (!std::isnan(x)) sum += x * linear_weights_[feature * groups + group];
      }
      out[row * groups + group] = sum;
    }
  }
}

// x * weight where there is an x; bias and base last (xgboost src/gbm/gblinear.cc, PredictContribution).
void XgboostScorer::linear_contributions(const float* rows, std::size_t n, std::size_t stride, float* out) const {
  const std::size_t groups = n_groups();
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t group = 0; group < groups; ++group) {
      for (std::size_t feature = 0; feature < n_features_; ++feature) {
        const float x = rows[row * stride + feature];
        *out++ = std::isnan(x) ? 0.0f : x * linear_weights_[feature * groups + group];
      }
      *out++ = linear_weights_[n_features_ * groups + group] + base_margin_[0];
    }
  }
}

Result<void> XgboostScorer::contributions(const float* rows, std::size_t n, std::size_t stride, float* out) const {
  if (!linear_weights_.empty()) {
    linear_contributions(rows, n, stride, out);
    return {};
  }
  const std::size_t groups = n_groups(), width = n_features_ + 1;
  if (forest_ && !contributions_) return contributions_.error();
  // A few rows at a time: doubles take twice the answer's memory.
  const std::size_t step = std::clamp<std::size_t>((std::size_t{1} << 16) / (groups * width), 1, 64);
  std::vector<double> exact(std::min(n, step) * groups * width, 0.0);
  for (std::size_t begin = 0; begin < n; begin += step) {
    const std::size_t count = std::min(step, n - begin);
    if (contributions_) contributions_->write(rows + begin * stride, count, stride, exact.data());
    for (std::size_t i = 0; i < count * groups * width; ++i) {
      const bool bias = i % width == n_features_;
      const double base = bias ? static_cast<double>(base_margin_[i / width % groups]) : 0.0;
      out[begin * groups * width + i] = static_cast<float>(exact[i] + base);
    }
  }
  return {};
}

double XgboostScorer::explain_row_ns() const {
  const double width = static_cast<double>((n_features_ + 1) * n_groups());
  return 2.0 * width + (contributions_ ? contributions_->row_ns() : 0.0);
}

void XgboostScorer::predict_from(float* margins, std::size_t n, float* out) const {
  const std::size_t groups = n_groups();
  switch (transform()) {
    case Transform::argmax:
      for (std::size_t row = 0; row < n; ++row) {
        const float* begin = margins + row * groups;
        out[row] = static_cast<float>(std::max_element(begin, begin + groups) - begin);
      }
      return;
    case Transform::softmax:
      if (out != margins) std::copy(margins, margins + n * groups, out);
      for (std::size_t row = 0; row < n; ++row) xgboost_softmax(out + row * groups, groups);
      return;
    default:
      for (std::size_t i = 0; i < n * groups; ++i) out[i] = transform_one(transform(), margins[i]);
  }
}

double XgboostScorer::row_ns() const {
  const double linear = 1.0 * static_cast<double>(linear_weights_.size());
  return 10.0 * static_cast<double>(n_groups()) + linear + (forest_ ? forest_->row_ns() : 0.0);
}

std::size_t XgboostScorer::resident_bytes() const {
  return sizeof(*this) + 4 * (linear_weights_.size() + base_margin_.size()) +
         (forest_ ? forest_->resident_bytes() : 0) + (contributions_ ? contributions_->resident_bytes() : 0);
}

}  // namespace jackdaw::predict
