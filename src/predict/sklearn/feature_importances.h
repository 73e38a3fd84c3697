// Feature importances of a fitted estimator, as SelectFromModel asks for them: |coef_| (a norm over several rows), or
// the impurity decrease of its trees.
#pragma once

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

// One non-negative score per feature. `context` stands at the inner estimator; `norm_order` joins several rows of
// coef_.
Result<std::vector<double>> feature_importances(const BuildContext& context, double norm_order);

}  // namespace jackdaw::predict
