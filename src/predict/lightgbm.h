// LightgbmScorer: a LightGBM model ready to answer, in doubles, equal to LightGBM's own answers bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "jackdaw/formats/tree_model.h"
#include "jackdaw/ops/forest.h"
#include "jackdaw/ops/forest_contributions.h"

namespace jackdaw::predict {

// What an objective does with raw scores (LightGBM src/objective/*.hpp, ConvertOutput).
enum class LightgbmTransform : unsigned char { identity, signed_square, exponential, sigmoid, softmax, log1p_exp };

// Immutable, thread-safe.
class LightgbmScorer {
 public:
  // The model's trees are copied into scoring layouts; `model` may go. Errors as Forest::build's, or unsupported.
  static Result<LightgbmScorer> build(formats::LightgbmModel model);

  std::size_t n_features() const { return n_features_; }
  // Columns of the answer; 1 means a flat [N].
  std::size_t n_outputs() const { return n_outputs_; }
  const std::vector<std::uint32_t>& categorical_features() const { return categorical_features_; }

  // Makes a row what LightGBM's predictor would see: |x| <= 1e-35 counts as zero; a category in (-1, 0) truncates to 0.
  void prepare_row(double* row) const;
  // rows: n x n_features prepared values, NaN = missing. out: n x n_outputs.
  void raw_scores(const double* rows, std::size_t n, double* out) const;
  // Raw scores (raw_score=True) to Booster.predict's answer, in place; random forests are averaged here.
  void convert(double* scores, std::size_t n) const;

  // Booster.predict(pred_contrib=True): out is n x n_outputs x (n_features + 1), the expected value last; a row's
  // numbers add up to its raw score (of a random forest: to the sum over its trees, as LightGBM has it). Errors:
  // unsupported for linear trees and for files that do not say how many rows reached each node.
  Result<void> contributions(const double* rows, std::size_t n, double* out) const;

  double row_ns() const;
  double explain_row_ns() const;
  double explain_call_ns() const { return contributions_ ? contributions_->call_ns() : 0.0; }
  std::size_t resident_bytes() const;

 private:
  LightgbmScorer() = default;
  double walk_ns() const;

  std::size_t n_features_ = 0;
  std::size_t n_outputs_ = 1;
  double average_over_ = 0.0;  // random forests: rounds to divide by
  LightgbmTransform transform_ = LightgbmTransform::identity;
  double sigmoid_ = 1.0;
  std::vector<std::uint32_t> categorical_features_;
  std::optional<ops::Forest> forest_;  // absent without trees, and for linear trees
  Result<ops::ForestContributions> contributions_ = make_error(Code::unsupported, "no trees");  // or why there are none
  std::vector<formats::LightgbmTree> linear_trees_;  // models with linear leaves are walked node by node
};

// Output of one tree for one prepared row; linear leaves included (LightGBM include/LightGBM/tree.h, Tree::Predict).
double lightgbm_tree_output(const formats::LightgbmTree& tree, const double* row);

Result<ops::ForestSpec> lightgbm_forest_spec(const formats::LightgbmModel& model);

}  // namespace jackdaw::predict
