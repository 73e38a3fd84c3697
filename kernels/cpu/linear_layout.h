// How packed weights lie in memory, by encoding.
//
// A group of 16 rows is a run of chunks; a chunk is a header of scales and `chunk_blocks` blocks of 32 columns; the
// last chunk may hold fewer blocks. Everything is 64-byte aligned.
//
// A block holds the codes of 16 rows x 32 columns in bit planes of 64 bytes. In every plane row r owns bytes 4r..4r+3,
// so a vector of 32-bit lanes has one row per lane. Codes come as eight vectors: vector j holds columns 4j..4j+3 of
// each row as bytes, what vpdpbusd multiplies with four activations.
//   4-bit planes (4 of them): plane p has vector p in its low and vector p + 4 in its high nibbles;
//   2-bit planes (2): plane p has vectors 4p..4p+3 in bits 0-1, 2-3, 4-5, 6-7;
//   1-bit plane (1): vector j in bit j; 8-bit planes (8): vector j in plane j.
// Codes of 3, 5 and 6 bits are a low plane set (2 or 4 bits) followed by a high one (1 or 2 bits).
//
// Bits per weight: Q4_0 4.5, Q4_1 5, Q5_0 5.5, Q5_1 6, Q8_0 8.5, Q2_K 2.625, IQ4_NL 4.5 and MXFP4 4.25 as in the file;
// with scales as whole bytes Q3_K 3.4375 -> 3.625, Q4_K 4.5 -> 4.625, Q5_K 5.5 -> 5.625, Q6_K 6.5625 -> 6.625 and
// IQ4_XS 4.25 -> 4.375. Nothing is rounded: a packed row unpacks to the bits of the file's row.
//
// Float weights have no blocks: 16 rows x 1 column after the other (F32, F16), or x 2 columns (BF16).
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/base/encoding.h"

namespace jackdaw::kernels {

inline constexpr std::size_t plane_bytes = 64;
inline constexpr std::int64_t block_columns = 32;

// What a chunk's header holds; arrays of 16 are by row.
enum class Header : std::uint8_t {
  half,            // per block: f16 d[16]
  half_min,        // per block: f16 d[16], f16 m[16]
  exponent,        // per block: u8 e[16], E8M0
  super_min,       // f16 d[16], f16 dmin[16], then per block u8 scale[16], u8 min[16]
  super_min16,     // f16 d[16], f16 dmin[16], then per block two halves of u8 (scale | min << 4)[16]
  super_signed,    // f16 d[16], then per block i8 scale[16]
  super_signed16,  // f16 d[16], then per block two halves of i8 scale[16]
  none,            // float weights
};

struct Layout {
  std::size_t bits;  // of a code
  std::size_t chunk_blocks;
  Header header;
  int offset;  // subtracted from every code
  bool book;   // codes are looked up; the book's values have `offset` added

  constexpr bool is_float() const { return header == Header::none; }
  // Scales per half block of 16 columns?
  constexpr bool halves() const { return header == Header::super_min16 || header == Header::super_signed16; }
  constexpr bool has_min() const {
    return header == Header::half_min || header == Header::super_min || header == Header::super_min16;
  }
  constexpr std::size_t block_bytes() const { return bits * plane_bytes; }
  constexpr std::size_t header_bytes() const {
    switch (header) {
      case Header::half:
        return chunk_blocks * 32;
      case Header::half_min:
        return chunk_blocks * 64;
      case Header::exponent:
        return chunk_blocks * 16;
      case Header::super_min:
      case Header::super_min16:
        return 64 + chunk_blocks * 32;
      case Header::super_signed:
        return (32 + chunk_blocks * 16 + 63) / 64 * 64;
      case Header::super_signed16:
        return (32 + chunk_blocks * 32 + 63) / 64 * 64;
      case Header::none:
        break;
    }
    return 0;
  }
  constexpr std::size_t chunk_bytes() const { return header_bytes() + chunk_blocks * block_bytes(); }
};

// By Encoding.
inline constexpr Layout layouts[] = {
    {32, 1, Header::none, 0, false},            // F32
    {16, 1, Header::none, 0, false},            // F16
    {16, 1, Header::none, 0, false},            // BF16
    {4, 2, Header::half, 8, false},             // Q4_0
    {4, 1, Header::half_min, 0, false},         // Q4_1
    {5, 2, Header::half, 16, false},            // Q5_0
    {5, 1, Header::half_min, 0, false},         // Q5_1
    {8, 2, Header::half, 128, false},           // Q8_0
    {2, 8, Header::super_min16, 0, false},      // Q2_K
    {3, 8, Header::super_signed16, 4, false},   // Q3_K
    {4, 8, Header::super_min, 0, false},        // Q4_K
    {5, 8, Header::super_min, 0, false},        // Q5_K
    {6, 8, Header::super_signed16, 32, false},  // Q6_K
    {4, 2, Header::half, 128, true},            // IQ4_NL
    {4, 8, Header::super_signed, 128, true},    // IQ4_XS
    {4, 4, Header::exponent, 128, true},        // MXFP4
};
static_assert(sizeof(layouts) / sizeof(layouts[0]) == encoding_table.size());

constexpr const Layout& layout_of(Encoding encoding) {
  return layouts[static_cast<std::size_t>(encoding)];
}

// Where block `index` of a group lies, from the group's begin.
struct BlockPlace {
  std::size_t header;  // of its chunk
  std::size_t codes;
  std::size_t in_chunk;  // its number there
};
constexpr BlockPlace block_place(const Layout& layout, std::size_t index) {
  const std::size_t chunk = index / layout.chunk_blocks * layout.chunk_bytes();
  const std::size_t in_chunk = index % layout.chunk_blocks;
  return {chunk, chunk + layout.header_bytes() + in_chunk * layout.block_bytes(), in_chunk};
}

// One block of one activation row: what the products of a block need besides the weights, in one cache line. The
// negated sums are what the integer products start from, so that an offset costs nothing.
struct ActivationBlock {
  std::int8_t values[32];  // x / scale, -127..127
  float scale;
  float sum;  // scale * sum of values; below: of the first and of the last 16
  float sum_low;
  float sum_high;
  std::int32_t minus_8;    // -8 * sum of values
  std::int32_t minus_128;  // -128 * sum of values
  std::int32_t minus_32_low;
  std::int32_t minus_32_high;
};
static_assert(sizeof(ActivationBlock) == 64);

}  // namespace jackdaw::kernels
