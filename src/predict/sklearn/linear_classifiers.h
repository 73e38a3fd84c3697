// Builders of linear classifiers; linear.cpp holds their rows.
#pragma once

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_linear_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_logistic_regression(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_sgd_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_ridge_classifier(const BuildContext& context);

}  // namespace jackdaw::predict
