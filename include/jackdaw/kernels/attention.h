// Attention over a paged KV cache, flash style: one pass over the stored keys and values, softmax on the way.
//
// A *block* is one page's 16 tokens of one layer and one key head. Keys lie transposed, [head_dim][16 tokens], so that
// one vector holds one dimension of several tokens and no score needs a sum over lanes; values lie [16 tokens][stride],
// stride = head_dim rounded up to 16. q8_0 has a binary16 scale per token and 32 dimensions: of keys [group][16
// tokens], of values [16 tokens][group].
//
// Positions are taken in *chunks* of 256 from position 0, each from scratch, and chunks are merged in ascending order:
// a row's result depends on its query, its positions and the stored bytes alone, never on the rows beside it, on how
// many workers share the chunks, or on what lies at positions outside [first, end).
//
// Functions come in a table per instruction set. No allocation, no exceptions, no checks, callable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/kernels/vector.h"

namespace jackdaw::kernels {

enum class KvFormat : std::uint8_t { f16, bf16, q8_0 };

inline constexpr std::uint32_t kv_block_tokens = 16;
inline constexpr std::uint32_t kv_chunk_tokens = 256;
inline constexpr std::uint32_t kv_scale_group = 32;
inline constexpr std::uint32_t attention_head_dim_max = 512;
inline constexpr std::uint32_t attention_rows_max = 64;  // rows of one attend_chunk

struct KvBlockLayout {
  KvFormat format = KvFormat::f16;
  std::uint32_t head_dim = 0;  // 1 .. attention_head_dim_max
  std::uint32_t value_stride = 0;
  std::uint32_t groups = 0;  // of scales per token; 0 unless q8_0
  // In bytes from the block's begin; keys are at 0.
  std::uint32_t key_scales = 0;
  std::uint32_t values = 0;
  std::uint32_t value_scales = 0;
  std::uint32_t bytes = 0;  // a multiple of 64
};

constexpr KvBlockLayout kv_block_layout(KvFormat format, std::uint32_t head_dim) {
  const auto round_up = [](std::uint32_t n, std::uint32_t unit) { return (n + unit - 1) / unit * unit; };
  const bool scaled = format == KvFormat::q8_0;
  const std::uint32_t element = scaled ? 1 : 2;
  KvBlockLayout layout;
  layout.format = format;
  layout.head_dim = head_dim;
  layout.value_stride = round_up(head_dim, 16);
  layout.groups = scaled ? round_up(head_dim, kv_scale_group) / kv_scale_group : 0;
  const std::uint32_t scales = layout.groups * kv_block_tokens * 2;
  layout.key_scales = head_dim * kv_block_tokens * element;
  layout.values = round_up(layout.key_scales + scales, 64);
  layout.value_scales = layout.values + layout.value_stride * kv_block_tokens * element;
  layout.bytes = round_up(layout.value_scales + scales, 64);
  return layout;
}

// Where one sequence's blocks of one layer and key head are: block of positions [16i, 16i+16) at
// base + pages[i] * page_stride.
struct KvSource {
  KvBlockLayout layout;
  const std::byte* base = nullptr;
  std::size_t page_stride = 0;
  const std::uint32_t* pages = nullptr;
  float scale = 1.0f;
  float softcap = 0.0f;  // 0 = none
};

// One query head of one token: it sees positions [first, end).
struct AttentionRow {
  const float* query = nullptr;  // head_dim
  std::uint32_t first = 0;
  std::uint32_t end = 0;
};

// What is known of a row after some chunks: the largest score, the sum of e^(score - largest), and the values weighted
// by the same. A state of nothing has -inf and zeros.
struct AttentionState {
  float largest;
  float sum;
  float* values;  // value_stride
};

// Floats of scratch for attend_chunk.
constexpr std::size_t attention_scratch_floats(std::uint32_t head_dim) {
  const std::size_t stride = (head_dim + 15) / 16 * 16;
  return attention_rows_max * (64 + 16 + 16) + 2 * 64 * stride;
}

struct AttentionKernels {
  // Writes token `token` (0..15) of a block. Finite in the cache always: overflow becomes the largest number, NaN too,
  // so that no request can poison another through a page it once had.
  void (*store_kv)(const KvBlockLayout& layout, std::byte* block, std::uint32_t token, const float* key,
                   const float* value);
  // states[r] = row r over its part of positions [256 chunk, 256 chunk + 256); count <= attention_rows_max.
  void (*attend_chunk)(const KvSource& source, const AttentionRow* rows, std::uint32_t count, std::uint32_t chunk,
                       AttentionState* states, float* scratch);
  // into = into, then from. Merging into nothing gives `from`, bit for bit, and merging nothing changes nothing.
  void (*merge_state)(AttentionState& into, const AttentionState& from, std::uint32_t value_stride);
  // out = values / sum, where a finite `sink` is one more score without a value; zeros for a state of nothing.
  void (*finish_state)(const AttentionState& state, float sink, std::uint32_t head_dim, float* out);
};

const AttentionKernels& attention_kernels(VectorSet set);

// Copies tokens [0, tokens) of one block to another.
void copy_kv_tokens(const KvBlockLayout& layout, const std::byte* from, std::byte* to, std::uint32_t tokens);

}  // namespace jackdaw::kernels
