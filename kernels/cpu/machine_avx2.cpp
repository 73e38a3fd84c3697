#include "machine.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace jackdaw::kernels {

// vpmaddubsw, vpmaddwd and vpaddd: what an int8 product costs without VNNI.
std::int64_t int8_multiply_adds_avx2(std::uint64_t rounds) {
  __m256i sums[machine_accumulators];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  __m256i weights = _mm256_set1_epi8(3);
  const __m256i values = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (std::uint64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (__m256i& sum : sums) {
      asm volatile("" : "+x"(weights));  // or one product would do for all sums
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(weights, values), ones));
    }
  }
  __m256i total = sums[0];
  for (int i = 1; i < machine_accumulators; ++i) total = _mm256_add_epi32(total, sums[i]);
  return _mm256_extract_epi32(total, 0);
}

std::uint64_t read_bytes_avx2(const std::byte* data, std::size_t bytes) {
  __m256i sums[8];
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (std::size_t at = 0; at + sizeof(sums) <= bytes; at += sizeof(sums)) {
    const auto* from = reinterpret_cast<const __m256i*>(data + at);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) sums[i] = _mm256_xor_si256(sums[i], _mm256_loadu_si256(from + i));
  }
  __m256i total = sums[0];
  for (int i = 1; i < 8; ++i) total = _mm256_xor_si256(total, sums[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(total, 0) ^ _mm256_extract_epi64(total, 1) ^
                                    _mm256_extract_epi64(total, 2) ^ _mm256_extract_epi64(total, 3));
}

}  // namespace jackdaw::kernels
#endif
