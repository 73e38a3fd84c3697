// Plain decoding of every Encoding: the definition that all faster kernels are compared with. Scalar and exact as the
// block formulas of ggml (ggml-common.h, ggml-quants.c) are: each product is formed in float in their order.
//
// No allocation, callable from any thread. Callers guarantee the lengths: `source` holds row_bytes(encoding, elements).
// Blocks may hold any bits (NaN and infinite scales decode to NaN and infinity); no alignment is asked for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/base/encoding.h"

namespace jackdaw::kernels {

// out[i] = element i. `elements`: a multiple of the encoding's block.
void dequantize_row(Encoding encoding, const std::byte* source, std::int64_t elements, float* out);

// Encodings that quantize_row writes: floats, Q4_0, Q4_1, Q5_0, Q5_1 and Q8_0.
bool can_quantize(Encoding encoding);

// The nearest simple blocks (largest magnitude or range sets the scale): for tests and tools, not tuned for quality.
void quantize_row(Encoding encoding, const float* source, std::int64_t elements, std::byte* out);

}  // namespace jackdaw::kernels
