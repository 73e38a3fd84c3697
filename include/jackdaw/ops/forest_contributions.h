// ForestContributions: how much each feature moved a forest's answer for a row, as exact path-dependent TreeSHAP
// (Lundberg et al. 2018): what xgboost and LightGBM call pred_contrib and the shap package tree_path_dependent.
//
// A row's contributions and expected() add up to the forest's scores. Immutable once built, any thread; doubles
// throughout, the same bits on every CPU.
#pragma once

#include <memory>

#include "jackdaw/ops/forest.h"

namespace jackdaw::ops {

class ForestContributions {
 public:
  // Errors: what Forest::build says; unsupported when the spec has no covers, or covers that are negative or no numbers
  // (custom objectives leave such hessians). Takes about half the memory of the spec.
  static Result<ForestContributions> build(const ForestSpec& spec);
  ForestContributions(ForestContributions&&) noexcept;
  ForestContributions& operator=(ForestContributions&&) noexcept;
  ~ForestContributions();

  std::uint32_t n_features() const;
  std::uint32_t n_outputs() const;
  // Per output: the sum over the trees of their mean leaf in training.
  const std::vector<double>& expected() const;
  std::size_t resident_bytes() const;
  // Estimated cost of one row among many, in nanoseconds; a single row costs up to a vector's worth of them.
  double row_ns() const;
  double call_ns() const;

  // Row r's contributions to output k: out[(r * n_outputs + k) * (n_features + 1) + feature], expected()[k] after the
  // last feature; overwritten. Rows as Forest::add_scores takes them, NaN = missing; either width, doubles are compared
  // as they are. Scratch is thread-local and bounded by one tree's depth and the width of eight rows.
  void write(const float* rows, std::size_t n_rows, std::size_t stride, double* out) const;
  void write(const double* rows, std::size_t n_rows, std::size_t stride, double* out) const;

 private:
  struct Impl;
  explicit ForestContributions(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace jackdaw::ops
