// The code books of table-driven 4-bit encodings, and how block fields are read.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "jackdaw/base/float16.h"

namespace jackdaw::kernels {

// IQ4_NL and IQ4_XS: a non-uniform grid.
inline constexpr std::int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
// MXFP4: twice the values of E2M1, so that they are whole; the scale is halved instead.
inline constexpr std::int8_t mxfp4_values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// Half of 2^(e - 127): 2^(e - 128), subnormal for e < 2.
inline float mxfp4_scale(std::uint32_t e) {
  return std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
}

inline std::uint8_t byte_at(const std::byte* source, std::size_t at) {
  return static_cast<std::uint8_t>(source[at]);
}

inline std::uint32_t word_at(const std::byte* source, std::size_t at) {
  std::uint32_t value;
  std::memcpy(&value, source + at, sizeof(value));
  return value;
}

inline std::uint16_t half_bits_at(const std::byte* source, std::size_t at) {
  std::uint16_t value;
  std::memcpy(&value, source + at, sizeof(value));
  return value;
}

inline float half_at(const std::byte* source, std::size_t at) {
  return float_from_half(half_bits_at(source, at));
}

// Scale and min of group j (0..7) of Q4_K and Q5_K: 6 bits each in 12 bytes.
struct ScaleMin {
  std::uint8_t scale;
  std::uint8_t min;
};
inline ScaleMin k_scale_min(const std::byte* scales, std::size_t j) {
  const auto s = [scales](std::size_t i) { return static_cast<unsigned>(byte_at(scales, i)); };
  if (j < 4) return {static_cast<std::uint8_t>(s(j) & 63), static_cast<std::uint8_t>(s(j + 4) & 63)};
  return {static_cast<std::uint8_t>((s(j + 4) & 15) | (s(j - 4) >> 6 << 4)),
          static_cast<std::uint8_t>((s(j + 4) >> 4) | (s(j) >> 6 << 4))};
}

// The 16 scales of Q3_K: 6 bits each in 12 bytes, minus 32.
inline void q3_k_scales(const std::byte* packed, std::int8_t* scales) {
  const std::uint32_t a0 = word_at(packed, 0), a1 = word_at(packed, 4), a2 = word_at(packed, 8);
  const std::uint32_t words[4] = {
      (a0 & 0x0f0f0f0f) | ((a2 & 0x03030303) << 4), (a1 & 0x0f0f0f0f) | ((a2 >> 2 & 0x03030303) << 4),
      (a0 >> 4 & 0x0f0f0f0f) | ((a2 >> 4 & 0x03030303) << 4), (a1 >> 4 & 0x0f0f0f0f) | ((a2 >> 6 & 0x03030303) << 4)};
  for (std::size_t i = 0; i < 16; ++i) {
    scales[i] = static_cast<std::int8_t>(static_cast<int>(words[i / 4] >> (8 * (i % 4)) & 0xff) - 32);
  }
}

// The scale of group ib (0..7) of IQ4_XS, minus 32.
inline std::int8_t iq4_xs_scale(std::uint16_t high, const std::byte* low, std::size_t ib) {
  const unsigned bits = (byte_at(low, ib / 2) >> (4 * (ib & 1)) & 15u) | ((high >> (2 * ib) & 3u) << 4);
  return static_cast<std::int8_t>(static_cast<int>(bits) - 32);
}

}  // namespace jackdaw::kernels
