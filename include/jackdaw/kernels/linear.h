// Linear layers on the CPU: weights repacked once at load, activations quantized per token, products in int8.
//
// Weights. 16 rows form a group, the unit of work: a group is one contiguous run of bytes, and one lane of a vector is
// one output row. 4-bit encodings stay 4 bits wide, 5-bit ones 4 + 1, and so on (cpu/linear_layout.h lists every
// layout), so a packed weight is as large as the file's within a few percent. Rows beyond the last are padding.
//
// Activations come in one of two forms, by the weight's encoding:
//  - blocks (all quantized weights): per 32 elements one 64-byte record of int8 values, their float scale and sums;
//  - floats (F32, F16, BF16 weights): the plain float row.
//
// One result, whatever the surroundings: every output is accumulated block by block in ascending order with one order
// of float operations, in its own lane. It has the same bits alone or among any number of tokens, for any partition of
// groups over threads, and, for quantized weights, on every instruction set.
//
// No threads, no allocation, no checks; callable from any thread. `columns` of a quantized weight is a multiple of its
// block, of a float weight anything.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/base/encoding.h"

namespace jackdaw::kernels {

inline constexpr std::int64_t group_rows = 16;
inline constexpr std::size_t packed_alignment = 64;  // of PackedLinear::data and of activations in blocks

// ---- Weights ------------------------------------------------------------------------------------------------------

// A view; whoever packed it owns the bytes. One encoding per weight: parts in different encodings are several weights
// that write to neighbouring columns of `out`.
struct PackedLinear {
  Encoding encoding = Encoding::f32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const std::byte* data = nullptr;  // aligned to packed_alignment; huge pages help

  std::int64_t groups() const { return (rows + group_rows - 1) / group_rows; }
};

// Whether a weight of this shape has a layout: positive, and whole blocks per row.
bool can_pack(Encoding encoding, std::int64_t rows, std::int64_t columns);
// Bytes of one group: a multiple of 64.
std::size_t packed_group_bytes(Encoding encoding, std::int64_t columns);
// groups * packed_group_bytes. Kernels read nothing beyond (prefetches aside).
std::size_t packed_bytes(Encoding encoding, std::int64_t rows, std::int64_t columns);

// Writes rows [first_row, first_row + source_rows) of the packed weight at `packed` from `source`, rows in the file's
// layout. Any first_row: parts are appended one after the other. Threads may pack disjoint rows at the same time, even
// of one group. `packed` must hold zeros where no row is ever packed (fresh pages do).
void pack_rows(Encoding encoding, std::int64_t columns, const std::byte* source, std::int64_t source_rows,
               std::int64_t first_row, std::byte* packed);

// Rows [first_row, first_row + rows) as a weight of their own; first_row must be a multiple of 16 (stacked experts).
PackedLinear packed_view(const PackedLinear& weight, std::int64_t first_row, std::int64_t rows);

// Row `row` as dequantize_row would give it, bit for bit: embedding lookup from a packed (tied) head.
void unpack_row(const PackedLinear& weight, std::int64_t row, float* out);

// ---- Activations --------------------------------------------------------------------------------------------------

enum class ActivationForm : std::uint8_t { blocks, floats };
ActivationForm activation_form(Encoding encoding);

// Bytes of one token's row, a multiple of 64: 2 per element in blocks, 4 as floats. Rows lie any larger stride apart;
// a row may be copied or gathered (experts) as plain bytes.
std::size_t activation_bytes(ActivationForm form, std::int64_t columns);

// `tokens` rows of `columns` floats, `in_stride` floats apart, to rows in blocks, `stride` bytes apart (64-byte
// aligned, columns a multiple of 32). A block with a NaN or an infinity in it makes every output of its token NaN.
struct ActivationRows {
  std::int64_t tokens = 0;
  std::int64_t columns = 0;
  const float* in = nullptr;
  std::int64_t in_stride = 0;
  void* out = nullptr;
  std::size_t stride = 0;
};

// ---- Products -----------------------------------------------------------------------------------------------------

// out[t][r] = sum over k of weight[r][k] * activation[t][k], (+ bias[r]), (+ out[t][r]), in this order, for all rows r
// of the groups [group_begin, group_end) and all tokens t.
struct LinearCall {
  const PackedLinear* weight = nullptr;
  const void* activations = nullptr;  // in activation_form(weight->encoding)
  std::size_t activation_stride = 0;  // bytes between tokens
  std::int64_t tokens = 0;
  std::int64_t group_begin = 0;
  std::int64_t group_end = 0;
  float* out = nullptr;         // row 0 of token 0
  std::int64_t out_stride = 0;  // floats between tokens
  const float* bias = nullptr;  // by row; null = none
  bool add_to_out = false;
};

struct LinearKernels {
  const char* name;
  void (*quantize_rows)(const ActivationRows& rows);
  // Fused RMSNorm: quantizes in / sqrt(mean(in^2) + eps) * weight. 16 partial sums, added pairwise: same bits on every
  // instruction set.
  void (*normalize_rows)(const ActivationRows& rows, const float* weight, float eps);
  void (*linear)(const LinearCall& call);
};

// One implementation per instruction set. The caller asks the CPU first (avx2: AVX2, FMA and F16C; avx512: F, BW, DQ,
// VL and VNNI; amx: those, AMX-TILE and AMX-INT8); null where this build has no such kernels, or the system does not
// lend the tile registers.
const LinearKernels* linear_plain();
const LinearKernels* linear_avx2();
const LinearKernels* linear_avx512();
const LinearKernels* linear_amx();

}  // namespace jackdaw::kernels
