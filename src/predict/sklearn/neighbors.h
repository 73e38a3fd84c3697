// Neighbour models that are neither KNeighbors* nor RadiusNeighbors*.
#pragma once

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_local_outlier_factor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_nearest_centroid(const BuildContext& context);

}  // namespace jackdaw::predict
