// The machine's own limits, as loops of nothing but the instruction in question: what every speed is printed beside.
//
// amx_int8 only where linear_amx() (linear.h) is not null: the system lends the tile registers.
// No allocation, callable from any thread; the caller pins threads, takes the time and picks the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::kernels {

enum class MachineIsa : std::uint8_t { plain, avx2, avx512_vnni, amx_int8 };

// int8 multiply-adds done by one call of int8_multiply_adds with `rounds`.
std::uint64_t int8_multiply_add_count(MachineIsa isa, std::uint64_t rounds);
// Keeps as many independent accumulators busy as the registers hold; the return value keeps it from being optimised
// out.
std::int64_t int8_multiply_adds(MachineIsa isa, std::uint64_t rounds);

// Reads `bytes` (a multiple of 512) once, in order, at the width a weight kernel reads; returns the XOR of all words.
std::uint64_t read_bytes(MachineIsa isa, const std::byte* data, std::size_t bytes);

}  // namespace jackdaw::kernels
