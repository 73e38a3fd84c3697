// XgboostScorer: an XGBoost model ready to answer, with the float32 arithmetic of xgboost 2.1.
//
// Margins are base_score (through the objective's link) plus the leaves in tree order, all float32, so that they equal
// xgboost's bit for bit; objectives turn them into what Booster.predict gives.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "jackdaw/formats/tree_model.h"
#include "jackdaw/ops/forest.h"
#include "jackdaw/ops/forest_contributions.h"

namespace jackdaw::predict {

// What an objective does with margins (xgboost src/objective/*.cu, PredTransform), and the link that takes base_score
// into margin space (ProbToMargin).
enum class XgboostTransform : unsigned char { identity, sigmoid, exponential, hinge, softmax, argmax };
enum class XgboostLink : unsigned char { identity, logit, log };
struct XgboostObjective {
  std::string_view name;
  XgboostTransform transform;
  XgboostLink link;
};
// nullptr for a name that formats::xgboost_objectives() does not have.
const XgboostObjective* find_xgboost_objective(std::string_view name);

// Immutable, thread-safe.
class XgboostScorer {
 public:
  // `rounds`: boosting rounds to use, from the first; nullopt = all. Errors: invalid base_score for the objective,
  // too many categories to hold, or what Forest::build says.
  static Result<XgboostScorer> build(const formats::XgboostModel& model, std::optional<std::size_t> rounds = {});

  std::size_t n_features() const { return n_features_; }
  std::size_t n_groups() const { return base_margin_.size(); }
  XgboostTransform transform() const { return objective_->transform; }
  // Columns of predict's answer; 1 means a flat [N].
  std::size_t n_outputs() const { return transform() == XgboostTransform::argmax ? 1 : n_groups(); }

  // rows: n x stride, NaN = missing, stride >= n_features. out: n x n_groups.
  void margins(const float* rows, std::size_t n, std::size_t stride, float* out) const;
  // Booster.predict: out is n x n_outputs. `margins` (n x n_groups) is overwritten; it may be `out`.
  void predict_from(float* margins, std::size_t n, float* out) const;

  // Booster.predict(pred_contribs=True): out is n x n_groups x (n_features + 1), the bias last; a row's numbers add up
  // to its margin. Errors: unsupported when the file does not say how many rows reached each node.
  Result<void> contributions(const float* rows, std::size_t n, std::size_t stride, float* out) const;

  double row_ns() const;
  // Of one row among many, and of a call, when explained.
  double explain_row_ns() const;
  double explain_call_ns() const { return contributions_ ? contributions_->call_ns() : 0.0; }
  std::size_t resident_bytes() const;

 private:
  XgboostScorer() = default;
  void linear_margins(const float* rows, std::size_t n, std::size_t stride, float* out) const;
  void linear_contributions(const float* rows, std::size_t n, std::size_t stride, float* out) const;

  const XgboostObjective* objective_ = nullptr;
  std::size_t n_features_ = 0;
  std::vector<float> base_margin_;                                                              // one per group
  std::optional<ops::Forest> forest_;                                                           // absent without trees
  Result<ops::ForestContributions> contributions_ = make_error(Code::unsupported, "no trees");  // or why there are none
  std::vector<float> linear_weights_;                                                           // gblinear
};

// Softmax of `count` margins in place, as xgboost computes it: float exponentials, a double sum.
void xgboost_softmax(float* values, std::size_t count);

// The ensemble as ops::Forest wants it: the trees of the first `tree_count`, dart weights inside the leaves.
Result<ops::ForestSpec> xgboost_forest_spec(const formats::XgboostModel& model, std::size_t tree_count);

}  // namespace jackdaw::predict
