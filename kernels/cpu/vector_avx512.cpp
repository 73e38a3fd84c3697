#include "vector_block.h"

namespace jackdaw::kernels {

extern const VectorKernels vector_kernels_avx512;
const VectorKernels vector_kernels_avx512 = vector_table;

}  // namespace jackdaw::kernels
