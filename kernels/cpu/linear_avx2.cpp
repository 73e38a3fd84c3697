// Linear layers on AVX2 with FMA and F16C: a vector is half a group, 8 rows.
#include "linear_activations.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

struct Vector {
  using Codes = __m256i;
  using Int = __m256i;
  using Float = __m256;
  static constexpr int lanes = 8;
  static constexpr int tokens_max = 4;

  static JACKDAW_INLINE Codes load(const unsigned char* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  }
  static JACKDAW_INLINE Codes masked(Codes codes, std::uint32_t mask) {
    return _mm256_and_si256(codes, _mm256_set1_epi32(static_cast<int>(mask)));
  }
  static JACKDAW_INLINE Codes merged(Codes low, Codes high, std::uint32_t mask) {
    return _mm256_or_si256(low, masked(high, mask));
  }
  template <int bits>
  static JACKDAW_INLINE Codes shift(Codes codes) {
    if constexpr (bits > 0) return _mm256_slli_epi32(codes, bits);
    if constexpr (bits < 0) return _mm256_srli_epi32(codes, -bits);
    return codes;
  }
  template <Encoding encoding>
  static JACKDAW_INLINE Codes lookup(Codes nibbles) {
    const std::int8_t* book = encoding == Encoding::mxfp4 ? mxfp4_values : iq4_values;
    const __m128i values = _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(book)),  //
                                         _mm_set1_epi8(-128));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), nibbles);
  }

  // vpmaddubsw adds two products in 16 bits and saturates: codes up to 63 reach 2 * 63 * 127 = 16,002 and are safe;
  // 8-bit ones (255: 64,770) are not and go the longer way over 16-bit factors.
  template <bool wide>
  static JACKDAW_INLINE Int dot(Int sum, Codes codes, const std::int8_t* values) {
    int four;
    __builtin_memcpy(&four, values, sizeof(four));
    const __m256i factors = _mm256_set1_epi32(four);
    if constexpr (!wide) {
      const __m256i pairs = _mm256_maddubs_epi16(codes, factors);
      return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    const __m256i even = _mm256_madd_epi16(_mm256_and_si256(codes, _mm256_set1_epi16(0xff)),
                                           _mm256_srai_epi16(_mm256_slli_epi16(factors, 8), 8));
    const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(codes, 8), _mm256_srai_epi16(factors, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
  }
  static JACKDAW_INLINE Int zero_int() { return _mm256_setzero_si256(); }
  static JACKDAW_INLINE Int broadcast(const std::int32_t* at) { return _mm256_set1_epi32(*at); }
  template <int bits>
  static JACKDAW_INLINE Int shift_signed(Int value) {
    if constexpr (bits > 0) return _mm256_slli_epi32(value, bits);
    if constexpr (bits < 0) return _mm256_srai_epi32(value, -bits);
    return value;
  }

  static JACKDAW_INLINE Float to_float(Int value) { return _mm256_cvtepi32_ps(value); }
  static JACKDAW_INLINE Float as_float(Codes codes) { return _mm256_castsi256_ps(codes); }
  static JACKDAW_INLINE Float zero() { return _mm256_setzero_ps(); }
  static JACKDAW_INLINE Float broadcast(const float* at) { return _mm256_broadcast_ss(at); }
  static JACKDAW_INLINE Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
  static JACKDAW_INLINE Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
  static JACKDAW_INLINE Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static JACKDAW_INLINE Float fnma(Float a, Float b, Float c) { return _mm256_fnmadd_ps(a, b, c); }
  static JACKDAW_INLINE __m128i load8(const unsigned char* at) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  }
  static JACKDAW_INLINE Float halves(const unsigned char* at) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
  }
  static JACKDAW_INLINE Float exponents(const unsigned char* at) {  // mxfp4_scale
    const __m256i e = _mm256_cvtepu8_epi32(load8(at));
    const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    const __m256i tiny = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    const __m256i is_tiny = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e);
    return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, tiny, is_tiny));
  }
  static JACKDAW_INLINE Float bytes(const unsigned char* at) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load8(at)));
  }
  static JACKDAW_INLINE Float signed_bytes(const unsigned char* at) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load8(at)));
  }
  static JACKDAW_INLINE Float low_nibbles(const unsigned char* at) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_and_si128(load8(at), _mm_set1_epi8(15))));
  }
  static JACKDAW_INLINE Float high_nibbles(const unsigned char* at) {
    return _mm256_cvtepi32_ps(_mm256_srli_epi32(_mm256_cvtepu8_epi32(load8(at)), 4));
  }
  static JACKDAW_INLINE Float load_floats(const unsigned char* at) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(at));
  }
  static JACKDAW_INLINE __m256i row_mask(int rows) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(rows), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static JACKDAW_INLINE Float load_rows(const float* at, int rows) { return _mm256_maskload_ps(at, row_mask(rows)); }
  static JACKDAW_INLINE void store_rows(float* at, Float value, int rows) {
    _mm256_maskstore_ps(at, row_mask(rows), value);
  }
};

struct Sixteen {
  __m256 low;
  __m256 high;

  static JACKDAW_INLINE Sixteen zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static JACKDAW_INLINE Sixteen load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
  JACKDAW_INLINE Sixteen times(float factor) const {
    const __m256 all = _mm256_set1_ps(factor);
    return {_mm256_mul_ps(low, all), _mm256_mul_ps(high, all)};
  }
  JACKDAW_INLINE Sixteen times(const Sixteen& factors) const {
    return {_mm256_mul_ps(low, factors.low), _mm256_mul_ps(high, factors.high)};
  }
  JACKDAW_INLINE void add_square(const Sixteen& x) {
    low = _mm256_fmadd_ps(x.low, x.low, low);
    high = _mm256_fmadd_ps(x.high, x.high, high);
  }
  JACKDAW_INLINE float total() const {
    const __m256 eight = _mm256_add_ps(low, high);
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static JACKDAW_INLINE std::uint32_t magnitude_bits(const Sixteen& a, const Sixteen& b) {
    const __m256i mask = _mm256_set1_epi32(0x7fffffff);
    const auto bits = [&](__m256 x) { return _mm256_and_si256(_mm256_castps_si256(x), mask); };
    const __m256i eight = _mm256_max_epi32(_mm256_max_epi32(bits(a.low), bits(a.high)),  //
                                           _mm256_max_epi32(bits(b.low), bits(b.high)));
    const __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
    const __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xb1))));
  }
  JACKDAW_INLINE std::int32_t round_to(float inverse, std::int8_t* out) const {
    const __m256 all = _mm256_set1_ps(inverse);
    const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(low, all));
    const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(high, all));
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
    const __m128i eight = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), eight);
    const __m256i sums = _mm256_add_epi32(a, b);
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
  }
};

constexpr LinearKernels kernels{"avx2", quantize_rows_of<Sixteen>, normalize_rows_of<Sixteen>, linear_any<Vector>};

}  // namespace

const LinearKernels* linear_avx2() {
  return &kernels;
}

}  // namespace jackdaw::kernels
#else
namespace jackdaw::kernels {
const LinearKernels* linear_avx2() {
  return nullptr;
}
}  // namespace jackdaw::kernels
#endif
