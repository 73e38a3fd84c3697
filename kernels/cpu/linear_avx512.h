// The vector that linear layers are compiled with on AVX-512 (F, BW, DQ, VL) with VNNI: a whole group of 16 rows.
#pragma once

#include <immintrin.h>

#include "linear_tile.h"
#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

struct Vector512 {
  using Codes = __m512i;
  using Int = __m512i;
  using Float = __m512;
  static constexpr int lanes = 16;
  static constexpr int tokens_max = 12;

  static JACKDAW_INLINE Codes load(const unsigned char* at) { return _mm512_loadu_si512(at); }
  static JACKDAW_INLINE Codes masked(Codes codes, std::uint32_t mask) {
    return _mm512_and_si512(codes, _mm512_set1_epi32(static_cast<int>(mask)));
  }
  static JACKDAW_INLINE Codes merged(Codes low, Codes high, std::uint32_t mask) {
    // low | (high & mask)
    return _mm512_ternarylogic_epi32(low, high, _mm512_set1_epi32(static_cast<int>(mask)), 0xf8);
  }
  template <int bits>
  static JACKDAW_INLINE Codes shift(Codes codes) {
    if constexpr (bits > 0) return _mm512_slli_epi32(codes, bits);
    if constexpr (bits < 0) return _mm512_srli_epi32(codes, -bits);
    return codes;
  }
  template <Encoding encoding>
  static JACKDAW_INLINE Codes lookup(Codes nibbles) {
    const std::int8_t* book = encoding == Encoding::mxfp4 ? mxfp4_values : iq4_values;
    const __m128i values = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(book)),  //
                                         _mm_set1_epi8(-128));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(values), nibbles);
  }

  template <bool wide>
  static JACKDAW_INLINE Int dot(Int sum, Codes codes, const std::int8_t* values) {
    int four;
    __builtin_memcpy(&four, values, sizeof(four));
    return _mm512_dpbusd_epi32(sum, codes, _mm512_set1_epi32(four));
  }
  static JACKDAW_INLINE Int zero_int() { return _mm512_setzero_si512(); }
  static JACKDAW_INLINE Int broadcast(const std::int32_t* at) { return _mm512_set1_epi32(*at); }
  template <int bits>
  static JACKDAW_INLINE Int shift_signed(Int value) {
    if constexpr (bits > 0) return _mm512_slli_epi32(value, bits);
    if constexpr (bits < 0) return _mm512_srai_epi32(value, -bits);
    return value;
  }

  static JACKDAW_INLINE Float to_float(Int value) { return _mm512_cvtepi32_ps(value); }
  static JACKDAW_INLINE Float as_float(Codes codes) { return _mm512_castsi512_ps(codes); }
  static JACKDAW_INLINE Float zero() { return _mm512_setzero_ps(); }
  static JACKDAW_INLINE Float broadcast(const float* at) { return _mm512_set1_ps(*at); }
  static JACKDAW_INLINE Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static JACKDAW_INLINE Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static JACKDAW_INLINE Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static JACKDAW_INLINE Float fnma(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }
  static JACKDAW_INLINE __m128i load16(const unsigned char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  }
  static JACKDAW_INLINE Float halves(const unsigned char* at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  static JACKDAW_INLINE Float exponents(const unsigned char* at) {  // mxfp4_scale
    const __m512i e = _mm512_cvtepu8_epi32(load16(at));
    const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
    const __mmask16 tiny = _mm512_cmplt_epi32_mask(e, _mm512_set1_epi32(2));
    return _mm512_castsi512_ps(_mm512_mask_sllv_epi32(normal, tiny, _mm512_set1_epi32(0x00200000), e));
  }
  static JACKDAW_INLINE Float bytes(const unsigned char* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(load16(at)));
  }
  static JACKDAW_INLINE Float signed_bytes(const unsigned char* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load16(at)));
  }
  static JACKDAW_INLINE Float low_nibbles(const unsigned char* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_and_si128(load16(at), _mm_set1_epi8(15))));
  }
  static JACKDAW_INLINE Float high_nibbles(const unsigned char* at) {
    return _mm512_cvtepi32_ps(_mm512_srli_epi32(_mm512_cvtepu8_epi32(load16(at)), 4));
  }
  static JACKDAW_INLINE Float load_floats(const unsigned char* at) { return _mm512_loadu_ps(at); }
  static JACKDAW_INLINE __mmask16 row_mask(int rows) { return static_cast<__mmask16>((1u << rows) - 1); }
  static JACKDAW_INLINE Float load_rows(const float* at, int rows) { return _mm512_maskz_loadu_ps(row_mask(rows), at); }
  static JACKDAW_INLINE void store_rows(float* at, Float value, int rows) {
    _mm512_mask_storeu_ps(at, row_mask(rows), value);
  }
};

}  // namespace
}  // namespace jackdaw::kernels
