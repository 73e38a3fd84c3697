// The block kernels with 32-byte vectors; flags.cmake compiles this file for AVX2.
#include "forest_block.h"

namespace jackdaw::kernels {

const ForestBlockKernels* forest_block_avx2() {
#ifdef __AVX2__
  static constexpr ForestBlockKernels kernels{rank_block<float, std::int32_t>, rank_block<double, std::int64_t>,
                                              score_blocks<32, float>, score_blocks<32, double>};
  return &kernels;
#else
  return nullptr;
#endif
}

}  // namespace jackdaw::kernels
