// The reference walker: one row, one tree, one node after the other, straight from the spec. Tests hold every fast
// layout against it.
#pragma once

#include "forest_decision.h"

namespace jackdaw::ops {

// The spec must have passed check_forest.
template <typename X, typename Sum>
void reference_scores(const ForestSpec& spec, const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) {
  for (std::size_t row = 0; row < n_rows; ++row) {
    const X* x = rows + row * stride;
    for (const ForestTree& tree : spec.trees) {
      const ForestNode* nodes = &spec.nodes[tree.node_begin];
      const ForestNode* node = nodes;
      while (node->left != -1) {
        const bool left = goes_left(spec, *node, static_cast<double>(x[node->feature]));
        node = nodes + (left ? node->left : node->right);
      }
      const double* leaf = &spec.leaf_values[std::size_t{node->leaf} * spec.leaf_width];
      Sum* sums = out + row * spec.n_outputs + tree.output;
      for (std::uint32_t k = 0; k < spec.leaf_width; ++k) sums[k] += static_cast<Sum>(leaf[k]);
    }
  }
}

}  // namespace jackdaw::ops
