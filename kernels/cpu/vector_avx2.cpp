#include "vector_block.h"

namespace jackdaw::kernels {

extern const VectorKernels vector_kernels_avx2;
const VectorKernels vector_kernels_avx2 = vector_table;

}  // namespace jackdaw::kernels
