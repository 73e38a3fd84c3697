// Linear layers on AVX-512 (F, BW, DQ, VL) with VNNI: a vector is a whole group of 16 rows.
//
// Predicted for Zen 4, where vpdpbusd, multiplications and FMAs of 512 bits share one issue a cycle: a block costs a
// token 8 products, a scale product, an FMA, and an FMA for the min where there is one. So at most 8/10 = 80 % of the
// plain vpdpbusd rate (Q4_0, Q8_0) and 8/11 = 73 % (Q4_1, Q4_K). Unpacking is shared by the 12 tokens of a tile.
// Measured on one thread at 3072 x 576, 32 and 512 tokens: Q4_0 74 / 72 %, Q8_0 74 / 73 %, Q4_1 69 / 67 %, Q4_K 68 /
// 65 %, Q6_K 68 / 66 % of 233 G multiply-adds/s. One token over 128 MB of weights, one thread: Q4_0 96 %, Q4_1 98 %,
// Q4_K 96 %, Q8_0 93 %, Q6_K 92 % of plain reading.
//
// Tried: without asking for the output lines ahead, 512 tokens reached 56 instead of 66 % (the outputs of a tile lie in
// few cache sets, so every store missed). Tiles of 12 with a third float per token (Q6_K) spilled over a hundred
// registers; 8 do not. Weights prefetched into L1 hold larger tiles back when they come from memory: 8 tokens of Q8_0
// took 2.3 times as long as one, into L2 1.4 times; but into L2 one token loses 5 to 25 %. Distances of 1 to 8 KB do
// not differ for one token; lines of headers that were not asked for cost Q4_K 8 and Q6_K 20 %.
#include "linear_activations.h"

#ifdef __AVX512VNNI__
#include <immintrin.h>

#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

struct Vector {
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

struct Sixteen {
  __m512 at;

  static JACKDAW_INLINE Sixteen zero() { return {_mm512_setzero_ps()}; }
  static JACKDAW_INLINE Sixteen load(const float* from) { return {_mm512_loadu_ps(from)}; }
  JACKDAW_INLINE Sixteen times(float factor) const { return {_mm512_mul_ps(at, _mm512_set1_ps(factor))}; }
  JACKDAW_INLINE Sixteen times(const Sixteen& factors) const { return {_mm512_mul_ps(at, factors.at)}; }
  JACKDAW_INLINE void add_square(const Sixteen& x) { at = _mm512_fmadd_ps(x.at, x.at, at); }
  JACKDAW_INLINE float total() const {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(at), _mm512_extractf32x8_ps(at, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static JACKDAW_INLINE std::uint32_t magnitude_bits(const Sixteen& low, const Sixteen& high) {
    const __m512i mask = _mm512_set1_epi32(0x7fffffff);
    const __m512i both = _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(low.at), mask),
                                          _mm512_and_si512(_mm512_castps_si512(high.at), mask));
    return _mm512_reduce_max_epu32(both);
  }
  JACKDAW_INLINE std::int32_t round_to(float inverse, std::int8_t* out) const {
    const __m512i rounded = _mm512_cvtps_epi32(_mm512_mul_ps(at, _mm512_set1_ps(inverse)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_cvtepi32_epi8(rounded));
    return _mm512_reduce_add_epi32(rounded);
  }
};

constexpr LinearKernels kernels{"avx512-vnni", quantize_rows_of<Sixteen>, normalize_rows_of<Sixteen>,
                                linear_any<Vector>};

}  // namespace

const LinearKernels* linear_avx512() {
  return &kernels;
}

}  // namespace jackdaw::kernels
#else
namespace jackdaw::kernels {
const LinearKernels* linear_avx512() {
  return nullptr;
}
}  // namespace jackdaw::kernels
#endif
