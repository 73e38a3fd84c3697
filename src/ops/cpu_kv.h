// The KV cache's arithmetic: [layer][page][key head] of kernels' blocks.
#pragma once

#include <cstdint>

#include "jackdaw/kernels/attention.h"
#include "jackdaw/ops/backend.h"

namespace jackdaw::ops {

constexpr kernels::KvFormat kv_format(KvEncoding encoding) {
  switch (encoding) {
    case KvEncoding::bf16:
      return kernels::KvFormat::bf16;
    case KvEncoding::q8_0:
      return kernels::KvFormat::q8_0;
    case KvEncoding::f16:
      break;
  }
  return kernels::KvFormat::f16;
}

constexpr std::uint64_t kv_page_bytes(const AttentionShape& shape, KvEncoding encoding) {
  return std::uint64_t{shape.layers} * shape.kv_heads *
         kernels::kv_block_layout(kv_format(encoding), shape.head_dim).bytes;
}

}  // namespace jackdaw::ops
