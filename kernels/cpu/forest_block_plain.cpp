// The block kernels for any CPU: 16-byte vectors (SSE2, NEON) or whatever the compiler makes of them.
#include "forest_block.h"

namespace jackdaw::kernels {

const ForestBlockKernels* forest_block_plain() {
  static constexpr ForestBlockKernels kernels{rank_block<float, std::int32_t>, rank_block<double, std::int64_t>,
                                              score_blocks<16, float>, score_blocks<16, double>};
  return &kernels;
}

}  // namespace jackdaw::kernels
