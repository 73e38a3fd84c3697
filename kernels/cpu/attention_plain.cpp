#include <cstring>

#include "attention_block.h"

namespace jackdaw::kernels {

extern const AttentionKernels attention_kernels_avx2;
extern const AttentionKernels attention_kernels_avx512;

const AttentionKernels& attention_kernels(VectorSet set) {
  switch (set) {
    case VectorSet::avx512:
    case VectorSet::amx:
      return attention_kernels_avx512;
    case VectorSet::avx2:
      return attention_kernels_avx2;
    case VectorSet::plain:
      break;
  }
  return attention_table;
}

void copy_kv_tokens(const KvBlockLayout& layout, const std::byte* from, std::byte* to, std::uint32_t tokens) {
  const std::size_t element = layout.format == KvFormat::q8_0 ? 1 : 2;
  const auto copy = [&](std::size_t offset, std::size_t bytes) { std::memcpy(to + offset, from + offset, bytes); };
  for (std::size_t d = 0; d < layout.head_dim; ++d) copy(d * kv_block_tokens * element, tokens * element);
  for (std::size_t g = 0; g < layout.groups; ++g) copy(layout.key_scales + g * kv_block_tokens * 2, tokens * 2u);
  copy(layout.values, tokens * layout.value_stride * element);
  copy(layout.value_scales, tokens * layout.groups * 2u);
}

}  // namespace jackdaw::kernels
