#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

std::span<const ClassRow> feature_selection_rows() { return {}; }

}  // namespace jackdaw::predict
