#include "attention_block.h"

namespace jackdaw::kernels {

extern const AttentionKernels attention_kernels_avx512;
const AttentionKernels attention_kernels_avx512 = attention_table;

}  // namespace jackdaw::kernels
