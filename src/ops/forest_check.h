// The structure check of a ForestSpec: everything a walker relies on is proved here, before any layout is built.
#pragma once

#include <vector>

#include "jackdaw/ops/forest.h"

namespace jackdaw::ops {

inline constexpr std::uint32_t forest_depth_max = 4096;
inline constexpr std::uint32_t forest_outputs_max = 1u << 20;
inline constexpr std::uint32_t forest_features_max = 1u << 30;

// Deepest leaf of each tree (0: the root is a leaf). Errors: parse_error naming the tree and the node. Nodes that no
// path from the root reaches are allowed (XGBoost keeps pruned nodes in its arrays); a node reached twice is not.
Result<std::vector<std::uint32_t>> check_forest(const ForestSpec& spec);

}  // namespace jackdaw::ops
