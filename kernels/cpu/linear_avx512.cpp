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
#include "linear_avx512.h"

namespace jackdaw::kernels {
namespace {

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
                                linear_any<Vector512>};

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
