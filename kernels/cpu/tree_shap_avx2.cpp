// TreeSHAP for AVX2: four rows at a time.
#include "tree_shap_block.h"

namespace jackdaw::kernels {

const TreeShapKernels* tree_shap_avx2() {
#ifdef __AVX2__
  static constexpr TreeShapKernels kernels = make_tree_shap_kernels<32>(1.6);
  return &kernels;
#else
  return nullptr;
#endif
}

}  // namespace jackdaw::kernels
