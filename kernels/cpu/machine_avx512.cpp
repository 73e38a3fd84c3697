#include "machine.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace jackdaw::kernels {

std::int64_t int8_multiply_adds_avx512(std::uint64_t rounds) {
  __m512i sums[machine_accumulators];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  __m512i weights = _mm512_set1_epi8(3);
  const __m512i values = _mm512_set1_epi8(5);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(weights));
#pragma GCC unroll 16
    for (__m512i& sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, weights, values);
    }
  }
  __m512i total = sums[0];
  for (int i = 1; i < machine_accumulators; ++i) total = _mm512_add_epi32(total, sums[i]);
  std::int32_t lanes[16];
  _mm512_storeu_si512(lanes, total);
  return lanes[0];
}

std::uint64_t read_bytes_avx512(const std::byte* data, std::size_t bytes) {
  __m512i sums[8];
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  for (std::size_t at = 0; at + sizeof(sums) <= bytes; at += sizeof(sums)) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const std::byte* line = data + at + 64 * static_cast<std::size_t>(i);
      sums[i] = _mm512_xor_si512(sums[i], _mm512_loadu_si512(line));
    }
  }
  __m512i total = sums[0];
  for (int i = 1; i < 8; ++i) total = _mm512_xor_si512(total, sums[i]);
  std::uint64_t words[8];
  _mm512_storeu_si512(words, total);
  std::uint64_t all = 0;
  for (const std::uint64_t word : words) all ^= word;
  return all;
}

}  // namespace jackdaw::kernels
#endif
