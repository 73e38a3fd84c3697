// Linear projections and the builders of decompositions that stand in their own files.
#pragma once

#include "src/predict/sklearn/check_input.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_kernel_pca(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_nystroem(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_rbf_sampler(const BuildContext& context);

}  // namespace jackdaw::predict
