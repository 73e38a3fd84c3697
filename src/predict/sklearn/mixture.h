// Gaussian models and what is left of the small families: the builders of mixture.cpp's table.
#pragma once

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_linear_discriminant(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_quadratic_discriminant(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_gaussian_mixture(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_bayesian_mixture(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_gaussian_process_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_gaussian_process_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_binary_gaussian_process(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_partial_least_squares(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_elliptic_envelope(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_kernel_ridge(const BuildContext& context);

}  // namespace jackdaw::predict
