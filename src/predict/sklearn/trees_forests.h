// What forests have in common, and those that answer with something else than a mean of leaves.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "jackdaw/ops/forest.h"
#include "jackdaw/ops/forest_contributions.h"
#include "src/predict/sklearn/explainable.h"
#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/trees.h"

namespace jackdaw::predict {

// A forest that explains the mean over its trees: probabilities of a classifier, the value of a regressor, the mean
// length of a row's paths in an isolation forest (short ones mean an outlier).
class ExplainedForest : public FittedEstimator, public Explainable {
 public:
  // `contributions`: or why there are none, which those who ask for an explanation get.
  ExplainedForest(Signature signature, ops::Forest forest, Result<ops::ForestContributions> contributions)
      : FittedEstimator(std::move(signature)), forest_(std::move(forest)), contributions_(std::move(contributions)) {}

  std::size_t resident_bytes() const override;
  std::span<const std::string> explained_names() const override { return feature_names_in(); }
  Result<Contributions> explain(const Frame& x) const override;
  double explain_ns(std::size_t rows) const override;

 protected:
  const ops::Forest& forest() const { return forest_; }

 private:
  ops::Forest forest_;
  Result<ops::ForestContributions> contributions_;
};

Result<std::unique_ptr<Estimator>> build_isolation_forest(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_trees_embedding(const BuildContext& context);

}  // namespace jackdaw::predict
