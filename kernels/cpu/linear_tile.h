// Products of one group of 16 rows with a tile of tokens, for any vector width: compiled once per instruction set, with
// a `Vector` (linear_plain.cpp, linear_avx2.cpp, linear_avx512.cpp) whose lanes are rows.
//
// Shapes: tile<T> keeps T int accumulators and T float accumulators of `lanes` rows in registers and walks along the
// columns block by block (32 columns). Eight code vectors a block; each is unpacked once and multiplied with four
// activations of every token, broadcast from memory. At a block's end
//     acc = fma(float(dot), weight_scale * activation_scale, acc), then acc = fma(min, activation_sum, acc)
// which is the one order of float operations there is: T, vector width and the split over threads do not show.
// Integer parts are exact: at most 32 * 255 * 127 + 128 * 32 * 127 < 2^21.
#pragma once

#include <cstdint>
#include <utility>

#include "jackdaw/kernels/linear.h"
#include "linear_layout.h"

#define JACKDAW_INLINE inline __attribute__((always_inline))

namespace jackdaw::kernels {
namespace {

template <int value>
struct Index {
  static constexpr int index = value;
};

template <typename Body, int... indices>
JACKDAW_INLINE void each_of(std::integer_sequence<int, indices...>, Body body) {
  (body(Index<indices>{}), ...);
}

// body(Index<0>), ..., body(Index<count - 1>), unrolled whatever the optimization level.
template <int count, typename Body>
JACKDAW_INLINE void each(Body body) {
  each_of(std::make_integer_sequence<int, count>{}, body);
}
#define JACKDAW_EACH(name) [&](auto name) __attribute__((always_inline))

// Weights are asked for this far ahead: into L1 for a few tokens, where only memory counts; into L2 for larger tiles,
// whose activations come from L2 themselves and would wait behind the prefetches. Measurements: linear_avx512.cpp.
constexpr int prefetch_near = 4096;
constexpr int prefetch_far = 8192;
constexpr int prefetch_near_tokens = 4;

template <int tokens>
JACKDAW_INLINE void expect_weights(const unsigned char* at) {
  if constexpr (tokens <= prefetch_near_tokens) {
    __builtin_prefetch(at + prefetch_near, 0, 3);
  } else {
    __builtin_prefetch(at + prefetch_far, 0, 2);
  }
}

struct Tile {
  const unsigned char* group = nullptr;
  int lane = 0;       // first row of the group that is computed
  int rows_left = 0;  // of the weight, from `lane` on
  std::int64_t columns = 0;
  const unsigned char* activations = nullptr;
  std::int64_t activation_stride = 0;
  float* out = nullptr;  // of the first row and token
  std::int64_t out_stride = 0;
  const float* bias = nullptr;  // of the first row
  bool add_to_out = false;
};

// The tile of a call that begins at this row and token and has so many rows, but for the weights.
JACKDAW_INLINE Tile tile_at(const LinearCall& call, std::int64_t row, int rows, std::int64_t token) {
  const auto stride = static_cast<std::int64_t>(call.activation_stride);
  const std::int64_t left = call.weight->rows - row;
  Tile tile;
  tile.rows_left = left < rows ? static_cast<int>(left) : rows;
  tile.columns = call.weight->columns;
  tile.activations = static_cast<const unsigned char*>(call.activations) + token * stride;
  tile.activation_stride = stride;
  tile.out = call.out + token * call.out_stride + row;
  tile.out_stride = call.out_stride;
  tile.bias = call.bias == nullptr ? nullptr : call.bias + row;
  tile.add_to_out = call.add_to_out;
  return tile;
}

// Asks for the lines that the tile will write: they come while it computes.
template <typename Vector, int tokens>
JACKDAW_INLINE void expect_stores(const Tile& tile) {
  each<tokens>(JACKDAW_EACH(t) { __builtin_prefetch(tile.out + t.index * tile.out_stride, 1); });
}

template <typename Vector, int tokens>
JACKDAW_INLINE void store_tile(const Tile& tile, const typename Vector::Float* sums) {
  each<tokens>(JACKDAW_EACH(t) {
    typename Vector::Float value = sums[t.index];
    float* out = tile.out + t.index * tile.out_stride;
    if (tile.bias != nullptr) value = Vector::add(value, Vector::load_rows(tile.bias, tile.rows_left));
    if (tile.add_to_out) value = Vector::add(Vector::load_rows(out, tile.rows_left), value);
    Vector::store_rows(out, value, tile.rows_left);
  });
}

// ---- Quantized weights --------------------------------------------------------------------------------------------

template <Encoding encoding>
constexpr Layout layout_at = layouts[static_cast<std::size_t>(encoding)];

// Code vector j of a block (linear_layout.h).
template <typename Vector, Encoding encoding, int j>
JACKDAW_INLINE typename Vector::Codes codes_of(const unsigned char* planes) {
  constexpr int bits = static_cast<int>(layout_at<encoding>.bits);
  if constexpr (bits == 8) {
    return Vector::load(planes + 64 * j);
  } else if constexpr (bits < 4) {
    const auto low = Vector::masked(Vector::template shift<-2 * (j % 4)>(Vector::load(planes + 64 * (j / 4))),  //
                                    0x03030303);
    if constexpr (bits == 2) return low;
    return Vector::merged(low, Vector::template shift<2 - j>(Vector::load(planes + 128)), 0x04040404);
  } else {
    const auto low = Vector::masked(Vector::template shift<-4 * (j / 4)>(Vector::load(planes + 64 * (j % 4))),  //
                                    0x0f0f0f0f);
    if constexpr (layout_at<encoding>.book) return Vector::template lookup<encoding>(low);
    if constexpr (bits == 4) return low;
    const unsigned char* high = planes + 256;
    if constexpr (bits == 5) return Vector::merged(low, Vector::template shift<4 - j>(Vector::load(high)), 0x10101010);
    return Vector::merged(low, Vector::template shift<4 - 2 * (j % 4)>(Vector::load(high + 64 * (j / 4))), 0x30303030);
  }
}

// What a chunk's header says about all its blocks.
template <typename Vector>
struct Super {
  typename Vector::Float scale;
  typename Vector::Float min;
};

template <typename Vector, Encoding encoding>
JACKDAW_INLINE Super<Vector> super_of(const unsigned char* header, int lane) {
  constexpr Header kind = layout_at<encoding>.header;
  Super<Vector> super{};
  if constexpr (kind >= Header::super_min) super.scale = Vector::halves(header + 2 * lane);
  if constexpr (kind == Header::super_min || kind == Header::super_min16) {
    super.min = Vector::halves(header + 32 + 2 * lane);
  }
  return super;
}

template <typename Vector>
struct Scales {
  typename Vector::Float scale[2];
  typename Vector::Float min[2];
};

template <typename Vector, Encoding encoding>
JACKDAW_INLINE Scales<Vector> scales_of(const Super<Vector>& super, const unsigned char* header, int in_chunk,
                                        int lane) {
  constexpr Header kind = layout_at<encoding>.header;
  Scales<Vector> scales{};
  if constexpr (kind == Header::half) scales.scale[0] = Vector::halves(header + 32 * in_chunk + 2 * lane);
  if constexpr (kind == Header::half_min) {
    scales.scale[0] = Vector::halves(header + 64 * in_chunk + 2 * lane);
    scales.min[0] = Vector::halves(header + 64 * in_chunk + 32 + 2 * lane);
  }
  if constexpr (kind == Header::exponent) scales.scale[0] = Vector::exponents(header + 16 * in_chunk + lane);
  if constexpr (kind == Header::super_min) {
    scales.scale[0] = Vector::mul(super.scale, Vector::bytes(header + 64 + 32 * in_chunk + lane));
    scales.min[0] = Vector::mul(super.min, Vector::bytes(header + 80 + 32 * in_chunk + lane));
  }
  if constexpr (kind == Header::super_min16) {
    each<2>(JACKDAW_EACH(half) {
      const unsigned char* pairs = header + 64 + 32 * in_chunk + 16 * half.index + lane;
      scales.scale[half.index] = Vector::mul(super.scale, Vector::low_nibbles(pairs));
      scales.min[half.index] = Vector::mul(super.min, Vector::high_nibbles(pairs));
    });
  }
  if constexpr (kind == Header::super_signed) {
    scales.scale[0] = Vector::mul(super.scale, Vector::signed_bytes(header + 32 + 16 * in_chunk + lane));
  }
  if constexpr (kind == Header::super_signed16) {
    each<2>(JACKDAW_EACH(half) {
      const unsigned char* bytes = header + 32 + 32 * in_chunk + 16 * half.index + lane;
      scales.scale[half.index] = Vector::mul(super.scale, Vector::signed_bytes(bytes));
    });
  }
  return scales;
}

// What the integer product of a block (or of its half) starts from: -offset * sum of the activations.
template <typename Vector, Encoding encoding, int half>
JACKDAW_INLINE typename Vector::Int start_of(const ActivationBlock& block) {
  constexpr int offset = layout_at<encoding>.offset;
  if constexpr (offset == 8) return Vector::broadcast(&block.minus_8);
  if constexpr (offset == 16) return Vector::template shift_signed<1>(Vector::broadcast(&block.minus_8));
  if constexpr (offset == 128) return Vector::broadcast(&block.minus_128);
  if constexpr (offset == 32) return Vector::broadcast(half == 0 ? &block.minus_32_low : &block.minus_32_high);
  if constexpr (offset == 4) {
    return Vector::template shift_signed<-3>(Vector::broadcast(half == 0 ? &block.minus_32_low : &block.minus_32_high));
  }
  return Vector::zero_int();
}

// The activation records of a tile's tokens. Three tokens share a pointer, or the pointers alone would fill the
// registers.
template <int tokens>
struct Records {
  static constexpr int per_pointer = 3;
  static constexpr int pointers = (tokens + per_pointer - 1) / per_pointer;
  const unsigned char* at[pointers];
  std::int64_t stride;

  JACKDAW_INLINE Records(const unsigned char* first, std::int64_t stride_bytes) : stride(stride_bytes) {
    for (int i = 0; i < pointers; ++i) at[i] = first + i * per_pointer * stride;
  }
  template <int token>
  JACKDAW_INLINE const ActivationBlock& get() const {
    return *reinterpret_cast<const ActivationBlock*>(at[token / per_pointer] + token % per_pointer * stride);
  }
  JACKDAW_INLINE void next() {
    for (int i = 0; i < pointers; ++i) at[i] += sizeof(ActivationBlock);
  }
};

// Integer products of code vectors [begin, end) with all tokens.
template <typename Vector, Encoding encoding, int tokens, int begin, int end>
JACKDAW_INLINE void dots_of(const unsigned char* planes, const Records<tokens>& records, typename Vector::Int* dots) {
  each<tokens>(
      JACKDAW_EACH(t) { dots[t.index] = start_of<Vector, encoding, begin / 4>(records.template get<t.index>()); });
  constexpr bool wide = layout_at<encoding>.bits == 8 || layout_at<encoding>.book;
  each<end - begin>(JACKDAW_EACH(i) {
    constexpr int j = begin + i.index;
    const auto codes = codes_of<Vector, encoding, j>(planes);
    each<tokens>(JACKDAW_EACH(t) {
      const ActivationBlock& record = records.template get<t.index>();
      dots[t.index] = Vector::template dot<wide>(dots[t.index], codes, record.values + 4 * j);
    });
  });
}

// A token's sums after a block, given its integer products: the one order of float operations there is.
template <typename Vector, Encoding encoding>
JACKDAW_INLINE typename Vector::Float add_dot(typename Vector::Int dot, const Scales<Vector>& scales,
                                              const ActivationBlock& record, typename Vector::Float sum) {
  constexpr Layout layout = layout_at<encoding>;
  const auto scale = Vector::mul(scales.scale[0], Vector::broadcast(&record.scale));
  sum = Vector::fma(Vector::to_float(dot), scale, sum);
  if constexpr (layout.header == Header::half_min) {
    sum = Vector::fma(scales.min[0], Vector::broadcast(&record.sum), sum);
  } else if constexpr (layout.has_min()) {
    sum = Vector::fnma(scales.min[0], Vector::broadcast(&record.sum), sum);
  }
  return sum;
}

// The same with two scales a block; `low` is the first half's product, scaled.
template <typename Vector, Encoding encoding>
JACKDAW_INLINE typename Vector::Float add_half_dots(typename Vector::Float low, typename Vector::Int high,
                                                    const Scales<Vector>& scales, const ActivationBlock& record,
                                                    typename Vector::Float sum) {
  const auto part = Vector::fma(Vector::to_float(high), scales.scale[1], low);
  sum = Vector::fma(part, Vector::broadcast(&record.scale), sum);
  if constexpr (layout_at<encoding>.has_min()) {
    sum = Vector::fnma(scales.min[0], Vector::broadcast(&record.sum_low), sum);
    sum = Vector::fnma(scales.min[1], Vector::broadcast(&record.sum_high), sum);
  }
  return sum;
}

template <typename Vector, Encoding encoding, int tokens>
JACKDAW_INLINE void add_block(const unsigned char* planes, const Scales<Vector>& scales, const Records<tokens>& records,
                              typename Vector::Float* sums) {
  constexpr Layout layout = layout_at<encoding>;
  typename Vector::Int dots[tokens];
  if constexpr (layout.halves()) {
    typename Vector::Float part[tokens];
    dots_of<Vector, encoding, tokens, 0, 4>(planes, records, dots);
    each<tokens>(JACKDAW_EACH(t) { part[t.index] = Vector::mul(Vector::to_float(dots[t.index]), scales.scale[0]); });
    dots_of<Vector, encoding, tokens, 4, 8>(planes, records, dots);
    each<tokens>(JACKDAW_EACH(t) {
      const ActivationBlock& record = records.template get<t.index>();
      sums[t.index] = add_half_dots<Vector, encoding>(part[t.index], dots[t.index], scales, record, sums[t.index]);
    });
  } else {
    dots_of<Vector, encoding, tokens, 0, 8>(planes, records, dots);
    each<tokens>(JACKDAW_EACH(t) {
      const ActivationBlock& record = records.template get<t.index>();
      sums[t.index] = add_dot<Vector, encoding>(dots[t.index], scales, record, sums[t.index]);
    });
  }
}

template <typename Vector, Encoding encoding, int tokens>
void block_tile(const Tile& tile) {
  constexpr Layout layout = layout_at<encoding>;
  constexpr int header_bytes = static_cast<int>(layout.header_bytes());
  constexpr int block_bytes = static_cast<int>(layout.block_bytes());
  constexpr int chunk_blocks = static_cast<int>(layout.chunk_blocks);
  typename Vector::Float sums[tokens];
  expect_stores<Vector, tokens>(tile);
  each<tokens>(JACKDAW_EACH(t) { sums[t.index] = Vector::zero(); });
  Records<tokens> records(tile.activations, tile.activation_stride);
  const unsigned char* header = tile.group;
  const int lane = Vector::lanes == group_rows ? 0 : tile.lane;
  for (std::int64_t left = tile.columns / block_columns; left > 0; left -= chunk_blocks) {
    const int count = left < chunk_blocks ? static_cast<int>(left) : chunk_blocks;
    each<header_bytes / 64>(JACKDAW_EACH(line) { expect_weights<tokens>(header + 64 * line.index); });
    const Super<Vector> super = super_of<Vector, encoding>(header, lane);
    const unsigned char* planes = header + header_bytes;
    for (int i = 0; i < count; ++i) {
      each<block_bytes / 64>(JACKDAW_EACH(line) { expect_weights<tokens>(planes + 64 * line.index); });
      const Scales<Vector> scales = scales_of<Vector, encoding>(super, header, i, lane);
      add_block<Vector, encoding, tokens>(planes + 4 * lane, scales, records, sums);
      planes += block_bytes;
      records.next();
    }
    header = planes;
  }
  store_tile<Vector, tokens>(tile, sums);
}

// ---- Float weights ------------------------------------------------------------------------------------------------

// Two sums per output, of even and of odd columns, so that one token alone does not wait for each product.
template <typename Vector, Encoding encoding>
JACKDAW_INLINE typename Vector::Float even_weights(const unsigned char* pair, int lane) {
  if constexpr (encoding == Encoding::f32) return Vector::load_floats(pair + 4 * lane);
  if constexpr (encoding == Encoding::f16) return Vector::halves(pair + 2 * lane);
  if constexpr (encoding == Encoding::bf16) {
    return Vector::as_float(Vector::template shift<16>(Vector::load(pair + 4 * lane)));
  }
}
template <typename Vector, Encoding encoding>
JACKDAW_INLINE typename Vector::Float odd_weights(const unsigned char* pair, int lane) {
  if constexpr (encoding == Encoding::f32) return Vector::load_floats(pair + 64 + 4 * lane);
  if constexpr (encoding == Encoding::f16) return Vector::halves(pair + 32 + 2 * lane);
  if constexpr (encoding == Encoding::bf16) {
    return Vector::as_float(Vector::masked(Vector::load(pair + 4 * lane), 0xffff0000));
  }
}

template <typename Vector, Encoding encoding, int tokens>
void float_tile(const Tile& tile) {
  constexpr int pair_bytes = encoding == Encoding::f32 ? 128 : 64;
  typename Vector::Float even[tokens];
  typename Vector::Float odd[tokens];
  expect_stores<Vector, tokens>(tile);
  each<tokens>(JACKDAW_EACH(t) { even[t.index] = odd[t.index] = Vector::zero(); });
  const int lane = Vector::lanes == group_rows ? 0 : tile.lane;
  const unsigned char* pair = tile.group;
  const unsigned char* in = tile.activations;
  const auto value = JACKDAW_EACH(t) {
    return Vector::broadcast(reinterpret_cast<const float*>(in + t.index * tile.activation_stride));
  };
  for (std::int64_t left = tile.columns; left > 0; left -= 2) {
    expect_weights<tokens>(pair);
    if constexpr (pair_bytes > 64) expect_weights<tokens>(pair + 64);
    const auto weights = even_weights<Vector, encoding>(pair, lane);
    each<tokens>(JACKDAW_EACH(t) { even[t.index] = Vector::fma(weights, value(t), even[t.index]); });
    if (left == 1) break;
    in += sizeof(float);
    const auto next = odd_weights<Vector, encoding>(pair, lane);
    each<tokens>(JACKDAW_EACH(t) { odd[t.index] = Vector::fma(next, value(t), odd[t.index]); });
    in += sizeof(float);
    pair += pair_bytes;
  }
  each<tokens>(JACKDAW_EACH(t) { even[t.index] = Vector::add(even[t.index], odd[t.index]); });
  store_tile<Vector, tokens>(tile, even);
}

// ---- Tiles of a call ----------------------------------------------------------------------------------------------

template <typename Vector, Encoding encoding, int tokens>
void one_tile(const Tile& tile) {
  if constexpr (layout_at<encoding>.header == Header::none) {
    float_tile<Vector, encoding, tokens>(tile);
  } else {
    block_tile<Vector, encoding, tokens>(tile);
  }
}

// Encodings with two scales a block keep a third float per token.
template <typename Vector, Encoding encoding>
constexpr int tile_tokens_max = layout_at<encoding>.halves() && Vector::tokens_max > 8 ? 8 : Vector::tokens_max;

// As many tiles of `tokens` as fit, then smaller ones.
template <typename Vector, Encoding encoding, int tokens>
void tiles(Tile& tile, std::int64_t& left) {
  if constexpr (tokens <= tile_tokens_max<Vector, encoding>) {
    while (left >= tokens) {
      one_tile<Vector, encoding, tokens>(tile);
      tile.activations += tokens * tile.activation_stride;
      tile.out += tokens * tile.out_stride;
      left -= tokens;
    }
  }
}

template <typename Vector, Encoding encoding>
void group_rows_of(Tile tile, std::int64_t tokens) {
  tiles<Vector, encoding, 12>(tile, tokens);
  tiles<Vector, encoding, 8>(tile, tokens);
  tiles<Vector, encoding, 6>(tile, tokens);
  tiles<Vector, encoding, 4>(tile, tokens);
  tiles<Vector, encoding, 3>(tile, tokens);
  tiles<Vector, encoding, 2>(tile, tokens);
  tiles<Vector, encoding, 1>(tile, tokens);
}

// Tokens are cut into pieces whose activations stay in L2 while all groups pass.
template <typename Vector, Encoding encoding>
void linear_of(const LinearCall& call) {
  constexpr std::int64_t piece_bytes = 400 << 10;
  const PackedLinear& weight = *call.weight;
  const std::size_t group_bytes = packed_group_bytes(encoding, weight.columns);
  const auto stride = static_cast<std::int64_t>(call.activation_stride);
  std::int64_t piece = piece_bytes / (stride * 12) * 12;
  if (piece < 48) piece = 48;
  for (std::int64_t token = 0; token < call.tokens; token += piece) {
    const std::int64_t tokens = call.tokens - token < piece ? call.tokens - token : piece;
    for (std::int64_t group = call.group_begin; group < call.group_end; ++group) {
      for (int lane = 0; lane < group_rows && group * group_rows + lane < weight.rows; lane += Vector::lanes) {
        Tile tile = tile_at(call, group * group_rows + lane, Vector::lanes, token);
        tile.group =
            reinterpret_cast<const unsigned char*>(weight.data) + static_cast<std::size_t>(group) * group_bytes;
        tile.lane = lane;
        group_rows_of<Vector, encoding>(tile, tokens);
      }
    }
  }
}

using LinearFunction = void (*)(const LinearCall&);

// By Encoding.
template <typename Vector, int... encodings>
constexpr auto linear_table(std::integer_sequence<int, encodings...>) {
  struct Table {
    LinearFunction at[sizeof...(encodings)];
  };
  return Table{{linear_of<Vector, static_cast<Encoding>(encodings)>...}};
}

template <typename Vector>
void linear_any(const LinearCall& call) {
  static constexpr auto table =
      linear_table<Vector>(std::make_integer_sequence<int, static_cast<int>(encoding_table.size())>{});
  table.at[static_cast<std::size_t>(call.weight->encoding)](call);
}

}  // namespace
}  // namespace jackdaw::kernels
