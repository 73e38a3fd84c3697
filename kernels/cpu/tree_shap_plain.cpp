// TreeSHAP on 16-byte vectors: two rows at a time, on any CPU.
#include "tree_shap_block.h"

namespace jackdaw::kernels {

const TreeShapKernels* tree_shap_plain() {
  static constexpr TreeShapKernels kernels = make_tree_shap_kernels<16>(3.0);
  return &kernels;
}

}  // namespace jackdaw::kernels
