// Builders of preprocessing steps that stand in their own files; preprocessing.cpp holds all rows.
#pragma once

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_standard_scaler(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_min_max_scaler(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_max_abs_scaler(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_robust_scaler(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_function_transformer(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_bins_discretizer(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_power_transformer(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_quantile_transformer(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_spline_transformer(const BuildContext& context);

}  // namespace jackdaw::predict
