// Exact path-dependent TreeSHAP of one tree for a few rows at a time, behind raw pointers.
//
// A leaf with value v whose path asks m distinct features, feature j being kept by the row (o_j = 1) or not (o_j = 0)
// and by a share z_j of the training rows, gives feature i the Shapley value
//   v (o_i - z_i) * sum over subsets ...  =  v (o_i - z_i) * integral over t in (0, 1) of prod_{j != i} (z_j (1 - t) +
//   o_j t)
// since a subset's weight s! (m - s - 1)! / m! is the integral of t^s (1 - t)^(m - 1 - s). The integrand is a
// polynomial of degree m - 1, so Gauss-Legendre quadrature with ceil(m / 2) points is exact, and every term is
// positive: nothing cancels. At one point t the sum over leaves falls apart along the tree: products of factors go
// down, sums of leaves come up, and a tree costs nodes x points instead of the nodes x depth^2 of the published
// algorithm (Lundberg et al. 2018, Algorithm 2), for the same result.
//
// A feature asked again below replaces its factor: the deeper split divides the older factor out and takes back what
// the older split would have given the leaves below.
//
// No allocation, no exceptions, callable from any thread; callers guarantee every index.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::kernels {

// What sends a row left. `given`: the caller decided; its bit of the row is set.
enum class ShapRule : std::uint8_t { less, less_or_missing, less_equal, less_equal_or_missing, given };

// An inner node. A tree's inner nodes are in preorder, its leaves in the order that walk meets them.
struct ShapNode {
  double threshold;
  double left_share;   // training rows (weights) that went left, of those that came here; in (0, 1]
  double right_share;  // and right
  std::uint32_t column;
  std::uint32_t given;  // with ShapRule::given: index into the given bits
  std::int16_t above;   // depth of the nearest node above that asks the same column; -1: none
  ShapRule rule;
  std::uint8_t leaf_sides;  // 1: the left child is a leaf; 2: the right one is
};
inline constexpr std::uint8_t shap_left_leaf = 1, shap_right_leaf = 2;

struct ShapTree {
  const ShapNode* nodes;  // at least one
  const double* leaves;   // value of leaf i: leaves[i * leaf_stride]
  std::size_t leaf_stride;
  const double* points;   // Gauss-Legendre points in (0, 1)
  const double* weights;  // which add up to 1
  std::uint32_t point_count;
};

// One implementation per instruction set; all give the same bits. Rows are a vector's lanes.
struct TreeShapKernels {
  std::size_t lanes;        // rows at a time, at most 8
  std::size_t frame_bytes;  // of scratch per level of the tree
  double slowness;          // per row, against AVX-512
  // columns: [column][lane]; given: one byte per given split, bit = lane; scratch: 64-byte aligned, (depth + 1) frames,
  // depth counting the inner nodes above the deepest one. Adds to sums: [column][lane].
  void (*add_tree)(const ShapTree& tree, const double* columns, const std::uint8_t* given, void* scratch, double* sums);
};

// The caller asks the CPU first; null where this build has no such kernels.
const TreeShapKernels* tree_shap_plain();
const TreeShapKernels* tree_shap_avx2();
const TreeShapKernels* tree_shap_avx512();

}  // namespace jackdaw::kernels
