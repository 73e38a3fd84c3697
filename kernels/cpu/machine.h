// One instruction set's side of machine.h; machine.cpp dispatches.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::kernels {

inline constexpr int machine_accumulators = 16;

std::int64_t int8_multiply_adds_plain(std::uint64_t rounds);
std::int64_t int8_multiply_adds_avx2(std::uint64_t rounds);
std::int64_t int8_multiply_adds_avx512(std::uint64_t rounds);
std::int64_t int8_multiply_adds_amx(std::uint64_t rounds);
std::uint64_t read_bytes_plain(const std::byte* data, std::size_t bytes);
std::uint64_t read_bytes_avx2(const std::byte* data, std::size_t bytes);
std::uint64_t read_bytes_avx512(const std::byte* data, std::size_t bytes);

}  // namespace jackdaw::kernels
