#include "vector_block.h"

namespace jackdaw::kernels {

extern const VectorKernels vector_kernels_avx2;
extern const VectorKernels vector_kernels_avx512;

const VectorKernels& vector_kernels(VectorSet set) {
  switch (set) {
    case VectorSet::avx512:
    case VectorSet::amx:
      return vector_kernels_avx512;
    case VectorSet::avx2:
      return vector_kernels_avx2;
    case VectorSet::plain:
      break;
  }
  return vector_table;
}

}  // namespace jackdaw::kernels
