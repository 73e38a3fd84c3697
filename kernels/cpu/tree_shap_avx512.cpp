// TreeSHAP for AVX-512 (F, DQ, VL): eight rows at a time.
#include "tree_shap_block.h"

namespace jackdaw::kernels {

const TreeShapKernels* tree_shap_avx512() {
#ifdef __AVX512DQ__
  static constexpr TreeShapKernels kernels = make_tree_shap_kernels<64>(1.0);
  return &kernels;
#else
  return nullptr;
#endif
}

}  // namespace jackdaw::kernels
