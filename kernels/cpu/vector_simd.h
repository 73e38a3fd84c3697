// The vector of one instruction set and what can be done with it: 16, 8 or 4 floats, chosen by the flags a file is
// compiled with. Everything is in an anonymous namespace, so that no copy compiled for a newer CPU is linked elsewhere.
//
// Sums over lanes have one fixed order per width; fused multiply-adds are real on AVX2 and AVX-512 and two roundings on
// the plain path. So results are the same in every use of one instruction set, and differ in the last bits between two.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#else
#include "jackdaw/base/float16.h"
#endif

namespace jackdaw::kernels {
namespace {

constexpr float minus_infinity = -__builtin_inff();

#if defined(__AVX512F__)

using Floats = __m512;
constexpr int lanes = 16;
inline Floats load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, Floats v) {
  _mm512_storeu_ps(p, v);
}
inline __mmask16 first_lanes(std::size_t n) {
  return static_cast<__mmask16>((1u << n) - 1u);
}
inline Floats load_some(const float* p, std::size_t n) {
  return _mm512_maskz_loadu_ps(first_lanes(n), p);
}
inline void store_some(float* p, Floats v, std::size_t n) {
  _mm512_mask_storeu_ps(p, first_lanes(n), v);
}
inline Floats all(float x) {
  return _mm512_set1_ps(x);
}
inline Floats add(Floats a, Floats b) {
  return _mm512_add_ps(a, b);
}
inline Floats sub(Floats a, Floats b) {
  return _mm512_sub_ps(a, b);
}
inline Floats mul(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
inline Floats div(Floats a, Floats b) {
  return _mm512_div_ps(a, b);
}
inline Floats fma(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}
// Both give `b` when one is NaN.
inline Floats max(Floats a, Floats b) {
  return _mm512_max_ps(a, b);
}
inline Floats min(Floats a, Floats b) {
  return _mm512_min_ps(a, b);
}
inline Floats round(Floats a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// v * 2^n for whole n in [-126, 127].
inline Floats times_power_of_two(Floats v, Floats n) {
  return _mm512_scalef_ps(v, n);
}
inline Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), otherwise, then);
}
// Lanes [begin, end) of v, `otherwise` elsewhere; 0 <= begin <= end <= 16.
inline Floats keep_lanes(Floats v, int begin, int end, Floats otherwise) {
  const unsigned mask = ((1u << end) - 1u) & ~((1u << begin) - 1u);
  return _mm512_mask_blend_ps(static_cast<__mmask16>(mask), otherwise, v);
}
inline float largest(Floats v) {
  return _mm512_reduce_max_ps(v);
}
inline float sum(Floats v) {
  const __m256 halves = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
// Swaps lanes 2i and 2i + 1.
inline Floats swap_pairs(Floats v) {
  return _mm512_permute_ps(v, 0xB1);
}

inline Floats load_half(const std::uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline Floats load_bfloat16(const std::uint16_t* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
inline Floats load_int8(const std::int8_t* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline float half_value(std::uint16_t half) {
  return _cvtsh_ss(half);
}
inline std::uint16_t half_bits(float value) {
  return static_cast<std::uint16_t>(_cvtss_sh(value, 0));
}
inline void store_half(std::uint16_t* p, Floats v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
// Rounds to nearest even; no NaN may come.
inline void store_bfloat16(std::uint16_t* p, Floats v) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
}
// Whole numbers in [-127, 127].
inline void store_int8(std::int8_t* p, Floats v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

#elif defined(__AVX2__)

using Floats = __m256;
constexpr int lanes = 8;
inline Floats load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, Floats v) {
  _mm256_storeu_ps(p, v);
}
inline __m256i first_lanes(std::size_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane);
}
inline Floats load_some(const float* p, std::size_t n) {
  return _mm256_maskload_ps(p, first_lanes(n));
}
inline void store_some(float* p, Floats v, std::size_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), v);
}
inline Floats all(float x) {
  return _mm256_set1_ps(x);
}
inline Floats add(Floats a, Floats b) {
  return _mm256_add_ps(a, b);
}
inline Floats sub(Floats a, Floats b) {
  return _mm256_sub_ps(a, b);
}
inline Floats mul(Floats a, Floats b) {
  return _mm256_mul_ps(a, b);
}
inline Floats div(Floats a, Floats b) {
  return _mm256_div_ps(a, b);
}
inline Floats fma(Floats a, Floats b, Floats c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline Floats max(Floats a, Floats b) {
  return _mm256_max_ps(a, b);
}
inline Floats min(Floats a, Floats b) {
  return _mm256_min_ps(a, b);
}
inline Floats round(Floats a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline Floats times_power_of_two(Floats v, Floats n) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(v, _mm256_castsi256_ps(exponent));
}
inline Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
  return _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
inline Floats keep_lanes(Floats v, int begin, int end, Floats otherwise) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i below = _mm256_cmpgt_epi32(_mm256_set1_epi32(begin), lane);
  const __m256i inside = _mm256_andnot_si256(below, _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
  return _mm256_blendv_ps(otherwise, v, _mm256_castsi256_ps(inside));
}
inline float largest(Floats v) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
}
inline float sum(Floats v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
inline Floats swap_pairs(Floats v) {
  return _mm256_permute_ps(v, 0xB1);
}

inline Floats load_half(const std::uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline Floats load_bfloat16(const std::uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
inline Floats load_int8(const std::int8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}
inline float half_value(std::uint16_t half) {
  return _cvtsh_ss(half);
}
inline std::uint16_t half_bits(float value) {
  return static_cast<std::uint16_t>(_cvtss_sh(value, 0));
}
inline void store_half(std::uint16_t* p, Floats v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}
inline void store_bfloat16(std::uint16_t* p, Floats v) {
  const __m256i bits = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i high = _mm256_srli_epi32(rounded, 16);
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}
inline void store_int8(std::int8_t* p, Floats v) {
  const __m256i whole = _mm256_cvtps_epi32(v);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}

#else

// GCC's and clang's portable vectors: SSE on x86-64, NEON on Arm.
using Floats = float __attribute__((vector_size(16)));
using Ints = std::int32_t __attribute__((vector_size(16)));
constexpr int lanes = 4;
inline Floats load(const float* p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
inline void store(float* p, Floats v) {
  __builtin_memcpy(p, &v, sizeof(v));
}
inline Floats load_some(const float* p, std::size_t n) {
  Floats v{};
  __builtin_memcpy(&v, p, n * sizeof(float));
  return v;
}
inline void store_some(float* p, Floats v, std::size_t n) {
  __builtin_memcpy(p, &v, n * sizeof(float));
}
inline Floats all(float x) {
  return Floats{x, x, x, x};
}
inline Floats add(Floats a, Floats b) {
  return a + b;
}
inline Floats sub(Floats a, Floats b) {
  return a - b;
}
inline Floats mul(Floats a, Floats b) {
  return a * b;
}
inline Floats div(Floats a, Floats b) {
  return a / b;
}
inline Floats fma(Floats a, Floats b, Floats c) {
  return a * b + c;
}
inline Floats where(Ints mask, Floats then, Floats otherwise) {
  return reinterpret_cast<Floats>((reinterpret_cast<Ints>(then) & mask) | (reinterpret_cast<Ints>(otherwise) & ~mask));
}
inline Floats max(Floats a, Floats b) {
  return where(a > b, a, b);
}
inline Floats min(Floats a, Floats b) {
  return where(a < b, a, b);
}
// Adding and taking away 1.5 * 2^23 leaves the nearest whole number; |a| < 2^22.
inline Floats round(Floats a) {
  const Floats magic = all(12582912.0f);
  return (a + magic) - magic;
}
inline Floats times_power_of_two(Floats v, Floats n) {
  const Ints exponent = (__builtin_convertvector(n, Ints) + 127) << 23;
  return v * reinterpret_cast<Floats>(exponent);
}
inline Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
  return where(a < b, then, otherwise);
}
inline Floats keep_lanes(Floats v, int begin, int end, Floats otherwise) {
  const Ints lane{0, 1, 2, 3};
  return where((lane >= begin) & (lane < end), v, otherwise);
}
inline float larger(float a, float b) {
  return a > b ? a : b;
}
inline float largest(Floats v) {
  return larger(larger(v[0], v[2]), larger(v[1], v[3]));
}
inline float sum(Floats v) {
  return (v[0] + v[2]) + (v[1] + v[3]);
}
inline Floats swap_pairs(Floats v) {
  return Floats{v[1], v[0], v[3], v[2]};
}

inline Floats load_half(const std::uint16_t* p) {
  return Floats{float_from_half(p[0]), float_from_half(p[1]), float_from_half(p[2]), float_from_half(p[3])};
}
inline Floats load_bfloat16(const std::uint16_t* p) {
  return Floats{float_from_bfloat16(p[0]), float_from_bfloat16(p[1]), float_from_bfloat16(p[2]),
                float_from_bfloat16(p[3])};
}
inline Floats load_int8(const std::int8_t* p) {
  return Floats{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]), static_cast<float>(p[3])};
}
inline float half_value(std::uint16_t half) {
  return float_from_half(half);
}
inline std::uint16_t half_bits(float value) {
  return half_from_float(value);
}
inline void store_half(std::uint16_t* p, Floats v) {
  for (int i = 0; i < lanes; ++i) p[i] = half_from_float(v[i]);
}
inline void store_bfloat16(std::uint16_t* p, Floats v) {
  for (int i = 0; i < lanes; ++i) p[i] = bfloat16_from_float(v[i]);
}
inline void store_int8(std::int8_t* p, Floats v) {
  for (int i = 0; i < lanes; ++i) p[i] = static_cast<std::int8_t>(v[i]);
}

#endif

// e^x, at most 2 units in the last place off; 0 below -87.3, the largest finite power at 88.3 and above; exactly 1 at
// 0; NaN stays. Cephes' expf: x = n ln 2 + r, a polynomial of degree 6 in r.
inline Floats exponential(Floats x) {
  const Floats lowest = all(-87.33654f);
  const Floats clamped = min(all(88.37626f), max(lowest, x));
  const Floats n = round(mul(clamped, all(1.44269504088896341f)));
  const Floats r = fma(n, all(2.12194440e-4f), fma(n, all(-0.693359375f), clamped));
  Floats y = all(1.9875691500e-4f);
  y = fma(y, r, all(1.3981999507e-3f));
  y = fma(y, r, all(8.3334519073e-3f));
  y = fma(y, r, all(4.1665795894e-2f));
  y = fma(y, r, all(1.6666665459e-1f));
  y = fma(y, r, all(5.0000001201e-1f));
  y = add(fma(y, mul(r, r), r), all(1.0f));
  return where_less(x, lowest, all(0.0f), times_power_of_two(y, n));
}

// tanh x = 1 - 2 / (e^2x + 1); the error is some 1e-7 of one, whatever x.
inline Floats hyperbolic_tangent(Floats x) {
  const Floats e = exponential(add(x, x));
  return sub(all(1.0f), div(all(2.0f), add(e, all(1.0f))));
}

}  // namespace
}  // namespace jackdaw::kernels
