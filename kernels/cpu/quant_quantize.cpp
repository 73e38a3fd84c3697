// Simple quantizers, as ggml's quantize_row_*_ref: the scale comes from the largest magnitude (or the range), values
// are rounded to the nearest code.
#include <algorithm>
#include <cmath>

#include "jackdaw/kernels/quant.h"
#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

void put_half(std::byte* at, float value) {
  const std::uint16_t bits = half_from_float(value);
  std::memcpy(at, &bits, sizeof(bits));
}

// The element of largest magnitude, with its sign.
float extreme_of(const float* x) {
  return *std::max_element(x, x + 32, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
}

unsigned code_of(float x, float inverse, float offset, int code_max) {
  const float code = std::nearbyint(x * inverse + offset);
  return static_cast<unsigned>(std::clamp(code, 0.0f, static_cast<float>(code_max)));
}

float inverse_of(float d) {
  return d != 0.0f ? 1.0f / d : 0.0f;
}

// Nibbles (and the fifth bits, when `high` is given) of 32 codes.
void put_codes(const unsigned* codes, std::byte* nibbles, std::byte* high) {
  std::uint32_t bits = 0;
  for (std::size_t j = 0; j < 16; ++j) {
    nibbles[j] = static_cast<std::byte>((codes[j] & 15) | (codes[j + 16] & 15) << 4);
    bits |= (codes[j] >> 4 & 1) << j | (codes[j + 16] >> 4 & 1) << (j + 16);
  }
  if (high != nullptr) std::memcpy(high, &bits, sizeof(bits));
}

// Q4_0 and Q5_0: the extreme gets the code 0, which reaches one step further than the positive side.
void encode_symmetric(const float* x, int middle, std::byte* out, std::byte* nibbles, std::byte* high) {
  const float d = extreme_of(x) / static_cast<float>(-middle);
  unsigned codes[32];
  for (std::size_t j = 0; j < 32; ++j) {
    codes[j] = code_of(x[j], inverse_of(d), static_cast<float>(middle), 2 * middle - 1);
  }
  put_half(out, d);
  put_codes(codes, nibbles, high);
}

// Q4_1 and Q5_1: smallest and largest get the outermost codes.
void encode_range(const float* x, int code_max, std::byte* out, std::byte* nibbles, std::byte* high) {
  const auto [low, top] = std::minmax_element(x, x + 32);
  const float d = (*top - *low) / static_cast<float>(code_max);
  unsigned codes[32];
  for (std::size_t j = 0; j < 32; ++j) codes[j] = code_of(x[j] - *low, inverse_of(d), 0.0f, code_max);
  put_half(out, d);
  put_half(out + 2, *low);
  put_codes(codes, nibbles, high);
}

void encode_q8_0(const float* x, std::byte* out) {
  const float d = std::fabs(extreme_of(x)) / 127.0f;
  put_half(out, d);
  for (std::size_t j = 0; j < 32; ++j) {
    out[2 + j] = static_cast<std::byte>(static_cast<std::int8_t>(std::nearbyint(x[j] * inverse_of(d))));
  }
}

void encode_block(Encoding encoding, const float* x, std::byte* out) {
  switch (encoding) {
    case Encoding::f32:
      std::memcpy(out, x, sizeof(float));
      break;
    case Encoding::f16:
      put_half(out, *x);
      break;
    case Encoding::bf16: {
      const std::uint16_t bits = bfloat16_from_float(*x);
      std::memcpy(out, &bits, sizeof(bits));
      break;
    }
    case Encoding::q4_0:
      encode_symmetric(x, 8, out, out + 2, nullptr);
      break;
    case Encoding::q4_1:
      encode_range(x, 15, out, out + 4, nullptr);
      break;
    case Encoding::q5_0:
      encode_symmetric(x, 16, out, out + 6, out + 2);
      break;
    case Encoding::q5_1:
      encode_range(x, 31, out, out + 8, out + 4);
      break;
    case Encoding::q8_0:
      encode_q8_0(x, out);
      break;
    default:
      break;
  }
}

}  // namespace

bool can_quantize(Encoding encoding) {
  return encoding <= Encoding::q8_0;
}

void quantize_row(Encoding encoding, const float* source, std::int64_t elements, std::byte* out) {
  const EncodingInfo& info = encoding_info(encoding);
  const std::size_t blocks = static_cast<std::size_t>(elements) / info.block_elements;
  for (std::size_t i = 0; i < blocks; ++i) {
    encode_block(encoding, source + i * info.block_elements, out + i * info.block_bytes);
  }
}

}  // namespace jackdaw::kernels
