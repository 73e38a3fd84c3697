// Forests that answer with something else than a mean of leaves.
#pragma once

#include "src/predict/sklearn/trees.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_isolation_forest(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_trees_embedding(const BuildContext& context);

}  // namespace jackdaw::predict
