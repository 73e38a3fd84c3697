#include "attention_block.h"

namespace jackdaw::kernels {

extern const AttentionKernels attention_kernels_avx2;
const AttentionKernels attention_kernels_avx2 = attention_table;

}  // namespace jackdaw::kernels
