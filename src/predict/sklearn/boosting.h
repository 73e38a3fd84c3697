// Boosted ensembles: the builders of boosting.cpp's table, one file each.
#pragma once

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_gradient_boosting_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_gradient_boosting_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_hist_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_hist_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_adaboost_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_adaboost_regressor(const BuildContext& context);

// A boosted classifier answers from one raw score per row (two classes) or one per class.
class RawScoreClassifier : public FittedEstimator {
 public:
  using FittedEstimator::FittedEstimator;
  bool supports(Method method) const override;
  Result<Output> run(Method method, const Frame& x) const override;

 protected:
  virtual Result<Matrix> raw_scores(const Frame& x) const = 0;
  // sigmoid(scale * raw) is the second class's probability.
  virtual double sigmoid_scale() const { return 1.0; }
  // Whether a raw score of exactly 0 means the second class.
  virtual bool zero_is_positive() const { return false; }
};

}  // namespace jackdaw::predict
