// The attention kernels in terms of vector_simd.h; compiled once per instruction set.
//
// Per 64 positions (4 blocks, "span"): scores of R rows at a time against one load of the keys, softmax, then values of
// R rows at a time. Online rescaling once per span. With more than R rows the span's keys and values are first widened
// to floats in scratch (exact for every format), so that conversions are paid once: same arithmetic, same bits.
#pragma once

#include "jackdaw/kernels/attention.h"
#include "vector_simd.h"

namespace jackdaw::kernels {
namespace {

constexpr std::uint32_t span_tokens = 64;
constexpr std::uint32_t span_blocks = span_tokens / kv_block_tokens;
constexpr int block_vectors = static_cast<int>(kv_block_tokens) / lanes;
#if defined(__AVX512F__)
constexpr int rows_at_once = 4;
constexpr int blocks_at_once = 4;
constexpr int values_at_once = 4;
#else
constexpr int rows_at_once = 4;
constexpr int blocks_at_once = 1;
constexpr int values_at_once = 2;
#endif

constexpr std::size_t smaller(std::size_t a, std::size_t b) {
  return a < b ? a : b;
}

// ---- Readers: element access of one block, by format; `Wide` reads what widen() wrote ------------------------------

struct HalfBlock {
  const std::uint16_t* keys;
  const std::uint16_t* values;
  std::uint32_t stride;
  HalfBlock(const KvBlockLayout& layout, const std::byte* block)
      : keys(reinterpret_cast<const std::uint16_t*>(block)),
        values(reinterpret_cast<const std::uint16_t*>(block + layout.values)),
        stride(layout.value_stride) {}
  Floats key(std::uint32_t d, int token) const { return load_half(keys + d * kv_block_tokens + token); }
  Floats value(std::uint32_t token, std::uint32_t d) const { return load_half(values + token * stride + d); }
};

struct BrainBlock {
  const std::uint16_t* keys;
  const std::uint16_t* values;
  std::uint32_t stride;
  BrainBlock(const KvBlockLayout& layout, const std::byte* block)
      : keys(reinterpret_cast<const std::uint16_t*>(block)),
        values(reinterpret_cast<const std::uint16_t*>(block + layout.values)),
        stride(layout.value_stride) {}
  Floats key(std::uint32_t d, int token) const { return load_bfloat16(keys + d * kv_block_tokens + token); }
  Floats value(std::uint32_t token, std::uint32_t d) const { return load_bfloat16(values + token * stride + d); }
};

// An int8 times a binary16 scale is exact in float.
struct ScaledBlock {
  const std::int8_t* keys;
  const std::int8_t* values;
  const std::uint16_t* key_scales;
  const std::uint16_t* value_scales;
  std::uint32_t stride;
  std::uint32_t groups;
  ScaledBlock(const KvBlockLayout& layout, const std::byte* block)
      : keys(reinterpret_cast<const std::int8_t*>(block)),
        values(reinterpret_cast<const std::int8_t*>(block + layout.values)),
        key_scales(reinterpret_cast<const std::uint16_t*>(block + layout.key_scales)),
        value_scales(reinterpret_cast<const std::uint16_t*>(block + layout.value_scales)),
        stride(layout.value_stride),
        groups(layout.groups) {}
  Floats key(std::uint32_t d, int token) const {
    const Floats scale = load_half(key_scales + d / kv_scale_group * kv_block_tokens + token);
    return mul(load_int8(keys + d * kv_block_tokens + token), scale);
  }
  Floats value(std::uint32_t token, std::uint32_t d) const {
    const float scale = half_value(value_scales[token * groups + d / kv_scale_group]);
    return mul(load_int8(values + token * stride + d), all(scale));
  }
};

struct WideBlock {
  const float* keys;
  const float* values;
  std::uint32_t stride;
  Floats key(std::uint32_t d, int token) const { return load(keys + d * kv_block_tokens + token); }
  Floats value(std::uint32_t token, std::uint32_t d) const { return load(values + token * stride + d); }
};

// ---- Scores ---------------------------------------------------------------------------------------------------------

// scores[r][16 b ..] = query r times the keys of blocks [0, B).
template <int R, int B, typename Block>
void score_tile(const Block* blocks, const AttentionRow* rows, std::uint32_t head_dim, float* scores) {
  Floats sums[R][B * block_vectors];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < B * block_vectors; ++v) sums[r][v] = all(0.0f);
  }
  for (std::uint32_t d = 0; d < head_dim; ++d) {
    Floats keys[B * block_vectors];
    for (int b = 0; b < B; ++b) {
      for (int v = 0; v < block_vectors; ++v) keys[b * block_vectors + v] = blocks[b].key(d, v * lanes);
    }
    for (int r = 0; r < R; ++r) {
      const Floats query = all(rows[r].query[d]);
      for (int v = 0; v < B * block_vectors; ++v) sums[r][v] = fma(query, keys[v], sums[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < B * block_vectors; ++v) {
      store(scores + static_cast<std::size_t>(r) * span_tokens + static_cast<std::size_t>(v) * lanes, sums[r][v]);
    }
  }
}

template <int R, typename Block>
void score_rows(const Block* blocks, std::uint32_t block_count, const AttentionRow* rows, std::uint32_t head_dim,
                float* scores) {
  std::uint32_t b = 0;
  if constexpr (blocks_at_once > 1) {
    for (; b + blocks_at_once <= block_count; b += blocks_at_once) {
      score_tile<R, blocks_at_once>(blocks + b, rows, head_dim, scores + b * kv_block_tokens);
    }
  }
  for (; b < block_count; ++b) score_tile<R, 1>(blocks + b, rows, head_dim, scores + b * kv_block_tokens);
}

// ---- Softmax --------------------------------------------------------------------------------------------------------

struct RowProgress {
  float largest;
  float* sums;    // one vector: a sum per lane
  float* values;  // value_stride
};

void rescale(float* values, std::uint32_t stride, Floats factor) {
  for (std::uint32_t d = 0; d < stride; d += lanes) store(values + d, mul(load(values + d), factor));
}

// Scores become e^(score - largest), 0 outside the row's positions; the row's sums and values are rescaled to the new
// largest. Positions of the span begin at `begin`.
void weigh_row(const KvSource& source, const AttentionRow& row, std::uint32_t begin, std::uint32_t block_count,
               float* scores, RowProgress& progress) {
  const std::uint32_t count = block_count * kv_block_tokens;
  const auto low = static_cast<int>(row.first > begin ? row.first - begin : 0);
  const auto high = static_cast<int>(row.end > begin ? smaller(row.end - begin, count) : 0);
  Floats largest_so_far = all(minus_infinity);
  for (std::uint32_t i = 0; i < count; i += lanes) {
    const int at = static_cast<int>(i);
    Floats s = mul(load(scores + i), all(source.scale));
    if (source.softcap > 0.0f) {
      s = mul(all(source.softcap), hyperbolic_tangent(mul(s, all(1.0f / source.softcap))));
    }
    if (low > at || high < at + lanes) {
      const int end = high < at ? 0 : high - at > lanes ? lanes : high - at;
      const int first = low < at ? 0 : low - at > end ? end : low - at;
      s = keep_lanes(s, first, end, all(minus_infinity));
    }
    store(scores + i, s);
    largest_so_far = max(s, largest_so_far);
  }
  const float now = largest(largest_so_far);
  const float before = progress.largest;
  if (now > before) progress.largest = now;
  if (progress.largest == minus_infinity) {  // nothing seen yet, or nothing but NaN
    for (std::uint32_t i = 0; i < count; i += lanes) store(scores + i, all(0.0f));
    return;
  }
  Floats sums = load(progress.sums);
  if (now > before && before != minus_infinity) {
    const Floats factor = exponential(all(before - progress.largest));
    sums = mul(sums, factor);
    rescale(progress.values, source.layout.value_stride, factor);
  }
  const Floats shift = all(progress.largest);
  for (std::uint32_t i = 0; i < count; i += lanes) {
    const Floats e = exponential(sub(load(scores + i), shift));
    sums = add(sums, e);
    store(scores + i, e);
  }
  store(progress.sums, sums);
}

// ---- Values ---------------------------------------------------------------------------------------------------------

// values[r][d .. d + V lanes) += weights times the stored values of tokens [low, high) of the span.
template <int R, int V, typename Block>
void value_tile(const Block* blocks, std::uint32_t low, std::uint32_t high, const float* weights, std::uint32_t d,
                const RowProgress* rows) {
  Floats sums[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) sums[r][v] = load(rows[r].values + d + static_cast<std::uint32_t>(v * lanes));
  }
  for (std::uint32_t t = low; t < high; ++t) {
    const Block& block = blocks[t / kv_block_tokens];
    Floats values[V];
    for (int v = 0; v < V; ++v) {
      values[v] = block.value(t % kv_block_tokens, d + static_cast<std::uint32_t>(v * lanes));
    }
    for (int r = 0; r < R; ++r) {
      const Floats weight = all(weights[static_cast<std::size_t>(r) * span_tokens + t]);
      for (int v = 0; v < V; ++v) sums[r][v] = fma(weight, values[v], sums[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) store(rows[r].values + d + static_cast<std::uint32_t>(v * lanes), sums[r][v]);
  }
}

template <int R, typename Block>
void value_rows(const Block* blocks, std::uint32_t low, std::uint32_t high, const float* weights, std::uint32_t stride,
                const RowProgress* rows) {
  std::uint32_t d = 0;
  for (; d + values_at_once * lanes <= stride; d += values_at_once * lanes) {
    value_tile<R, values_at_once>(blocks, low, high, weights, d, rows);
  }
  for (; d < stride; d += lanes) value_tile<R, 1>(blocks, low, high, weights, d, rows);
}

// ---- One span -------------------------------------------------------------------------------------------------------

template <int N>
struct Rows {
  static constexpr int rows = N;
};

// f(first row, Rows<R>) for all rows, R at a time.
template <typename F>
void for_row_tiles(std::uint32_t count, F f) {
  std::uint32_t r = 0;
  for (; r + rows_at_once <= count; r += rows_at_once) f(r, Rows<rows_at_once>{});
  if (count - r == 3) f(r, Rows<3>{});
  if (count - r == 2) f(r, Rows<2>{});
  if (count - r == 1) f(r, Rows<1>{});
}

template <typename Block>
void attend_span(const KvSource& source, const Block* blocks, std::uint32_t block_count, std::uint32_t begin,
                 const AttentionRow* rows, std::uint32_t count, float* scores, RowProgress* progress) {
  const KvBlockLayout& layout = source.layout;
  for_row_tiles(count, [&](std::uint32_t r, auto tile) {
    score_rows<tile.rows>(blocks, block_count, rows + r, layout.head_dim, scores + r * span_tokens);
  });
  std::uint32_t low = span_tokens, high = 0;
  for (std::uint32_t r = 0; r < count; ++r) {
    weigh_row(source, rows[r], begin, block_count, scores + r * span_tokens, progress[r]);
    const std::uint32_t first = rows[r].first > begin ? rows[r].first - begin : 0;
    const std::uint32_t end = rows[r].end > begin ? rows[r].end - begin : 0;
    low = first < low ? first : low;
    high = end > high ? end : high;
  }
  if (high > block_count * kv_block_tokens) high = block_count * kv_block_tokens;
  if (low >= high) return;
  for_row_tiles(count, [&](std::uint32_t r, auto tile) {
    value_rows<tile.rows>(blocks, low, high, scores + r * span_tokens, layout.value_stride, progress + r);
  });
}

template <typename Block>
void widen(const KvBlockLayout& layout, const Block& block, float* keys, float* values) {
  for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
    for (std::uint32_t t = 0; t < kv_block_tokens; t += lanes) {
      store(keys + d * kv_block_tokens + t, block.key(d, static_cast<int>(t)));
    }
  }
  for (std::uint32_t t = 0; t < kv_block_tokens; ++t) {
    for (std::uint32_t d = 0; d < layout.value_stride; d += lanes) {
      store(values + t * layout.value_stride + d, block.value(t, d));
    }
  }
}

// A type with room for span_blocks blocks that have no default constructor.
template <typename Block>
union BlockList {
  BlockList() {}
  Block items[span_blocks];
};

template <typename Block>
void attend_positions(const KvSource& source, const AttentionRow* rows, std::uint32_t count, std::uint32_t begin,
                      std::uint32_t end, RowProgress* progress, float* scratch) {
  const KvBlockLayout& layout = source.layout;
  float* const scores = scratch;
  float* const keys = scores + attention_rows_max * span_tokens;
  float* const values = keys + static_cast<std::size_t>(span_tokens) * layout.value_stride;
  for (std::uint32_t at = begin; at < end; at += span_tokens) {
    const auto needed = static_cast<std::uint32_t>(smaller(end - at, span_tokens));
    const std::uint32_t block_count = (needed + kv_block_tokens - 1) / kv_block_tokens;
    const std::uint32_t* pages = source.pages + at / kv_block_tokens;
    BlockList<Block> blocks;
    for (std::uint32_t b = 0; b < block_count; ++b) {
      blocks.items[b] = Block(layout, source.base + pages[b] * source.page_stride);
    }
    if (count <= rows_at_once) {
      attend_span(source, blocks.items, block_count, at, rows, count, scores, progress);
      continue;
    }
    BlockList<WideBlock> wide;
    for (std::uint32_t b = 0; b < block_count; ++b) {
      float* const block_keys = keys + static_cast<std::size_t>(b) * kv_block_tokens * layout.value_stride;
      float* const block_values = values + static_cast<std::size_t>(b) * kv_block_tokens * layout.value_stride;
      widen(layout, blocks.items[b], block_keys, block_values);
      wide.items[b] = WideBlock{block_keys, block_values, layout.value_stride};
    }
    attend_span(source, wide.items, block_count, at, rows, count, scores, progress);
  }
}

void attend_chunk(const KvSource& source, const AttentionRow* rows, std::uint32_t count, std::uint32_t chunk,
                  AttentionState* states, float* scratch) {
  RowProgress progress[attention_rows_max];
  float* const sums = scratch + attention_rows_max * span_tokens + 2u * span_tokens * source.layout.value_stride;
  const std::uint32_t chunk_begin = chunk * kv_chunk_tokens;
  std::uint32_t begin = chunk_begin + kv_chunk_tokens, end = chunk_begin;
  for (std::uint32_t r = 0; r < count; ++r) {
    progress[r] = RowProgress{minus_infinity, sums + r * 16, states[r].values};
    store(progress[r].sums, all(0.0f));
    for (std::uint32_t d = 0; d < source.layout.value_stride; d += lanes) store(states[r].values + d, all(0.0f));
    begin = rows[r].first < begin ? rows[r].first : begin;
    end = rows[r].end > end ? rows[r].end : end;
  }
  // Whole spans from the chunk's begin, so that a span holds the same positions for every row.
  begin = begin < chunk_begin ? chunk_begin : begin / span_tokens * span_tokens;
  if (end > chunk_begin + kv_chunk_tokens) end = chunk_begin + kv_chunk_tokens;
  if (source.layout.format == KvFormat::f16) {
    attend_positions<HalfBlock>(source, rows, count, begin, end, progress, scratch);
  } else if (source.layout.format == KvFormat::bf16) {
    attend_positions<BrainBlock>(source, rows, count, begin, end, progress, scratch);
  } else {
    attend_positions<ScaledBlock>(source, rows, count, begin, end, progress, scratch);
  }
  for (std::uint32_t r = 0; r < count; ++r) {
    states[r].largest = progress[r].largest;
    states[r].sum = sum(load(progress[r].sums));
  }
}

// e^(a - b) where either may be -inf: nothing weighs nothing.
float weight_of(float a, float b) {
  if (a == minus_infinity) return 0.0f;
  if (a == b) return 1.0f;
  float out[lanes];
  store(out, exponential(all(a - b)));
  return out[0];
}

void merge_state(AttentionState& into, const AttentionState& from, std::uint32_t value_stride) {
  if (from.largest == minus_infinity) return;
  const float largest = from.largest > into.largest ? from.largest : into.largest;
  const float keep = weight_of(into.largest, largest), take = weight_of(from.largest, largest);
  for (std::uint32_t d = 0; d < value_stride; d += lanes) {
    const Floats kept = mul(all(keep), load(into.values + d));
    store(into.values + d, fma(all(take), load(from.values + d), kept));
  }
  into.sum = into.sum * keep + from.sum * take;
  into.largest = largest;
}

void finish_state(const AttentionState& state, float sink, std::uint32_t head_dim, float* out) {
  const float largest = sink > state.largest ? sink : state.largest;
  const float weight = weight_of(state.largest, largest);
  const float sum = state.sum * weight + weight_of(sink, largest);
  const Floats factor = all(sum > 0.0f ? weight / sum : 0.0f);
  for (std::uint32_t d = 0; d < head_dim; d += lanes) {
    const std::size_t n = smaller(head_dim - d, lanes);
    const Floats v = mul(load(state.values + d), factor);
    n == lanes ? store(out + d, v) : store_some(out + d, v, n);
  }
}

// ---- Storing --------------------------------------------------------------------------------------------------------

// One row padded with zeros to value_stride, clamped to +-limit.
void clamp_row(const float* in, std::uint32_t head_dim, std::uint32_t stride, float limit, float* out) {
  for (std::uint32_t d = 0; d < stride; d += lanes) {
    const std::size_t n = d < head_dim ? smaller(head_dim - d, lanes) : 0;
    const Floats v = n == lanes ? load(in + d) : load_some(in + d, n);
    store(out + d, max(min(v, all(limit)), all(-limit)));
  }
}

// Stores one row in 16 bits: a token's values in place, keys by way of `bits`.
template <typename StoreVector>
void narrow_row(const float* in, std::uint32_t stride, std::uint16_t* out, StoreVector store_vector) {
  for (std::uint32_t d = 0; d < stride; d += lanes) store_vector(out + d, load(in + d));
}

// Per group of 32: scale = largest / 127 as binary16, rounded up if need be so that no quotient passes 127.
void quantize_row_8(const float* in, std::uint32_t stride, std::int8_t* out, std::uint16_t* scales) {
  for (std::uint32_t group = 0; group * kv_scale_group < stride; ++group) {
    const std::uint32_t begin = group * kv_scale_group;
    const std::uint32_t end = begin + kv_scale_group < stride ? begin + kv_scale_group : stride;
    Floats peak = all(0.0f);
    for (std::uint32_t d = begin; d < end; d += lanes) {
      const Floats v = load(in + d);
      peak = max(max(v, sub(all(0.0f), v)), peak);
    }
    const std::uint16_t scale = half_bits(largest(peak) / 127.0f);
    scales[group] = scale;
    const float stored = half_value(scale);
    const Floats inverse = all(stored > 0.0f ? 1.0f / stored : 0.0f);
    for (std::uint32_t d = begin; d < end; d += lanes) {
      const Floats whole = round(mul(load(in + d), inverse));
      store_int8(out + d, max(min(whole, all(127.0f)), all(-127.0f)));
    }
  }
}

// Keys are scattered: the token's column of [head_dim][16].
template <typename T>
void scatter(const T* row, std::uint32_t count, T* column) {
  for (std::uint32_t i = 0; i < count; ++i) column[i * kv_block_tokens] = row[i];
}

void store_16_bits(const KvBlockLayout& layout, std::byte* block, std::uint32_t token, const float* key,
                   const float* value) {
  float clamped[attention_head_dim_max];
  std::uint16_t bits[attention_head_dim_max];
  const bool half = layout.format == KvFormat::f16;
  // The largest finite numbers: 65504, and 3.3895e38 (0x7f7f0000).
  const float limit = half ? 65504.0f : 3.3895313892515355e38f;
  const auto narrow = [&](std::uint16_t* out) {
    if (half) {
      narrow_row(clamped, layout.value_stride, out, [](std::uint16_t* p, Floats v) { store_half(p, v); });
    } else {
      narrow_row(clamped, layout.value_stride, out, [](std::uint16_t* p, Floats v) { store_bfloat16(p, v); });
    }
  };
  clamp_row(key, layout.head_dim, layout.value_stride, limit, clamped);
  narrow(bits);
  scatter(bits, layout.head_dim, reinterpret_cast<std::uint16_t*>(block) + token);
  clamp_row(value, layout.head_dim, layout.value_stride, limit, clamped);
  narrow(reinterpret_cast<std::uint16_t*>(block + layout.values) + token * layout.value_stride);
}

void store_8_bits(const KvBlockLayout& layout, std::byte* block, std::uint32_t token, const float* key,
                  const float* value) {
  float clamped[attention_head_dim_max];
  std::int8_t quants[attention_head_dim_max];
  std::uint16_t scales[attention_head_dim_max / kv_scale_group];
  const float limit = 65504.0f * 127.0f;
  clamp_row(key, layout.head_dim, layout.value_stride, limit, clamped);
  quantize_row_8(clamped, layout.value_stride, quants, scales);
  scatter(quants, layout.head_dim, reinterpret_cast<std::int8_t*>(block) + token);
  scatter(scales, layout.groups, reinterpret_cast<std::uint16_t*>(block + layout.key_scales) + token);
  clamp_row(value, layout.head_dim, layout.value_stride, limit, clamped);
  quantize_row_8(clamped, layout.value_stride,
                 reinterpret_cast<std::int8_t*>(block + layout.values) + token * layout.value_stride,
                 reinterpret_cast<std::uint16_t*>(block + layout.value_scales) + token * layout.groups);
}

void store_kv(const KvBlockLayout& layout, std::byte* block, std::uint32_t token, const float* key,
              const float* value) {
  if (layout.format == KvFormat::q8_0) {
    store_8_bits(layout, block, token, key, value);
  } else {
    store_16_bits(layout, block, token, key, value);
  }
}

constexpr AttentionKernels attention_table{store_kv, attend_chunk, merge_state, finish_state};

}  // namespace
}  // namespace jackdaw::kernels
