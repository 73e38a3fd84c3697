#include "jackdaw/kernels/machine.h"

#include <array>
#include <cstring>

#include "machine.h"

namespace jackdaw::kernels {

std::int64_t int8_multiply_adds_plain(std::uint64_t rounds) {
  std::array<std::int32_t, machine_accumulators> sums{};
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const auto factor = static_cast<std::int8_t>(round + i);
      sums[i] += factor * static_cast<std::int8_t>(i + 1);
    }
  }
  std::int64_t total = 0;
  for (const std::int32_t sum : sums) total += sum;
  return total;
}

std::uint64_t read_bytes_plain(const std::byte* data, std::size_t bytes) {
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t at = 0; at + sizeof(sums) <= bytes; at += sizeof(sums)) {
    std::array<std::uint64_t, 8> words;
    std::memcpy(words.data(), data + at, sizeof(words));
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] ^= words[i];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total ^= sum;
  return total;
}

std::uint64_t int8_multiply_add_count(MachineIsa isa, std::uint64_t rounds) {
  if (isa == MachineIsa::amx_int8) return rounds * 4 * 16 * 16 * 64;
  const std::uint64_t per_instruction = isa == MachineIsa::avx512_vnni ? 64 : isa == MachineIsa::avx2 ? 32 : 1;
  return rounds * machine_accumulators * per_instruction;
}

#if defined(__x86_64__)
std::int64_t int8_multiply_adds(MachineIsa isa, std::uint64_t rounds) {
  if (isa == MachineIsa::amx_int8) return int8_multiply_adds_amx(rounds);
  if (isa == MachineIsa::avx512_vnni) return int8_multiply_adds_avx512(rounds);
  return isa == MachineIsa::avx2 ? int8_multiply_adds_avx2(rounds) : int8_multiply_adds_plain(rounds);
}

std::uint64_t read_bytes(MachineIsa isa, const std::byte* data, std::size_t bytes) {
  if (isa == MachineIsa::avx512_vnni || isa == MachineIsa::amx_int8) return read_bytes_avx512(data, bytes);
  return isa == MachineIsa::avx2 ? read_bytes_avx2(data, bytes) : read_bytes_plain(data, bytes);
}
#else
std::int64_t int8_multiply_adds(MachineIsa, std::uint64_t rounds) {
  return int8_multiply_adds_plain(rounds);
}
std::uint64_t read_bytes(MachineIsa, const std::byte* data, std::size_t bytes) {
  return read_bytes_plain(data, bytes);
}
#endif

}  // namespace jackdaw::kernels
