// Decoders of one block each, written as ggml's dequantize_row_* compute: the products d * scale * q are exact in float
// (at most 11 + 7 + 5 significant bits), so that only the subtraction of a min rounds.
#include "jackdaw/kernels/quant.h"
#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

using Decoder = void (*)(const std::byte* block, float* out);

void decode_f32(const std::byte* block, float* out) {
  std::memcpy(out, block, sizeof(float));
}

void decode_f16(const std::byte* block, float* out) {
  *out = half_at(block, 0);
}

void decode_bf16(const std::byte* block, float* out) {
  *out = float_from_bfloat16(half_bits_at(block, 0));
}

// 16 bytes: low nibbles are elements 0..15, high nibbles 16..31.
template <typename Value>
void decode_nibbles(const std::byte* codes, float* out, Value value) {
  for (std::size_t j = 0; j < 16; ++j) {
    const unsigned code = byte_at(codes, j);
    out[j] = value(static_cast<int>(code & 15));
    out[j + 16] = value(static_cast<int>(code >> 4));
  }
}

void decode_q4_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  decode_nibbles(block + 2, out, [d](int q) { return d * static_cast<float>(q - 8); });
}

void decode_q4_1(const std::byte* block, float* out) {
  const float d = half_at(block, 0), m = half_at(block, 2);
  decode_nibbles(block + 4, out, [d, m](int q) { return d * static_cast<float>(q) + m; });
}

// Five bits: nibbles, and the fifth bits of all 32 elements in one word.
template <typename Value>
void decode_fives(const std::byte* high, const std::byte* codes, float* out, Value value) {
  const std::uint32_t h = word_at(high, 0);
  for (std::size_t j = 0; j < 16; ++j) {
    const unsigned code = byte_at(codes, j);
    out[j] = value(static_cast<int>((code & 15) | ((h >> j & 1) << 4)));
    out[j + 16] = value(static_cast<int>((code >> 4) | ((h >> (j + 16) & 1) << 4)));
  }
}

void decode_q5_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  decode_fives(block + 2, block + 6, out, [d](int q) { return d * static_cast<float>(q - 16); });
}

void decode_q5_1(const std::byte* block, float* out) {
  const float d = half_at(block, 0), m = half_at(block, 2);
  decode_fives(block + 4, block + 8, out, [d, m](int q) { return d * static_cast<float>(q) + m; });
}

void decode_q8_0(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (std::size_t j = 0; j < 32; ++j) out[j] = d * static_cast<float>(static_cast<std::int8_t>(block[2 + j]));
}

void decode_q2_k(const std::byte* block, float* out) {
  const std::byte* scales = block;
  const float d = half_at(block, 80), dmin = half_at(block, 82);
  for (std::size_t i = 0; i < 256; ++i) {
    const unsigned scale = byte_at(scales, i / 16);
    const unsigned q = byte_at(block, 16 + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3u;
    out[i] = d * static_cast<float>(scale & 15) * static_cast<float>(q) - dmin * static_cast<float>(scale >> 4);
  }
}

void decode_q3_k(const std::byte* block, float* out) {
  std::int8_t scales[16];
  q3_k_scales(block + 96, scales);
  const float d = half_at(block, 108);
  for (std::size_t i = 0; i < 256; ++i) {
    const unsigned low = byte_at(block, 32 + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3u;
    const int high = (byte_at(block, i % 32) >> (i / 32) & 1u) != 0 ? 0 : 4;
    out[i] = d * static_cast<float>(scales[i / 16]) * static_cast<float>(static_cast<int>(low) - high);
  }
}

void decode_q4_k(const std::byte* block, float* out) {
  const float d = half_at(block, 0), dmin = half_at(block, 2);
  for (std::size_t i = 0; i < 256; ++i) {
    const ScaleMin s = k_scale_min(block + 4, i / 32);
    const unsigned q = byte_at(block, 16 + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15u;
    out[i] = d * static_cast<float>(s.scale) * static_cast<float>(q) - dmin * static_cast<float>(s.min);
  }
}

void decode_q5_k(const std::byte* block, float* out) {
  const float d = half_at(block, 0), dmin = half_at(block, 2);
  for (std::size_t i = 0; i < 256; ++i) {
    const ScaleMin s = k_scale_min(block + 4, i / 32);
    const unsigned low = byte_at(block, 48 + i / 64 * 32 + i % 32) >> (i / 32 % 2 * 4) & 15u;
    const unsigned q = low | (byte_at(block, 16 + i % 32) >> (i / 32) & 1u) << 4;
    out[i] = d * static_cast<float>(s.scale) * static_cast<float>(q) - dmin * static_cast<float>(s.min);
  }
}

void decode_q6_k(const std::byte* block, float* out) {
  const float d = half_at(block, 208);
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t half = i / 128, quarter = i / 32 % 4, l = i % 32;
    const unsigned low = byte_at(block, half * 64 + (quarter & 1) * 32 + l) >> (quarter / 2 * 4) & 15u;
    const unsigned high = byte_at(block, 128 + half * 32 + l) >> (quarter * 2) & 3u;
    const auto scale = static_cast<std::int8_t>(block[192 + i / 16]);
    out[i] = d * static_cast<float>(scale) * static_cast<float>(static_cast<int>(low | high << 4) - 32);
  }
}

void decode_iq4_nl(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  decode_nibbles(block + 2, out, [d](int q) { return d * static_cast<float>(iq4_values[q]); });
}

void decode_iq4_xs(const std::byte* block, float* out) {
  const float d = half_at(block, 0);
  for (std::size_t ib = 0; ib < 8; ++ib) {
    const float scale = d * static_cast<float>(iq4_xs_scale(half_bits_at(block, 2), block + 4, ib));
    decode_nibbles(block + 8 + ib * 16, out + ib * 32,
                   [scale](int q) { return scale * static_cast<float>(iq4_values[q]); });
  }
}

void decode_mxfp4(const std::byte* block, float* out) {
  const float scale = mxfp4_scale(byte_at(block, 0));
  decode_nibbles(block + 1, out, [scale](int q) { return scale * static_cast<float>(mxfp4_values[q]); });
}

// By Encoding.
constexpr Decoder decoders[] = {decode_f32,  decode_f16,    decode_bf16,   decode_q4_0, decode_q4_1, decode_q5_0,
                                decode_q5_1, decode_q8_0,   decode_q2_k,   decode_q3_k, decode_q4_k, decode_q5_k,
                                decode_q6_k, decode_iq4_nl, decode_iq4_xs, decode_mxfp4};
static_assert(sizeof(decoders) / sizeof(decoders[0]) == encoding_table.size());

}  // namespace

void dequantize_row(Encoding encoding, const std::byte* source, std::int64_t elements, float* out) {
  const EncodingInfo& info = encoding_info(encoding);
  const Decoder decode = decoders[static_cast<std::size_t>(encoding)];
  const std::size_t blocks = static_cast<std::size_t>(elements) / info.block_elements;
  for (std::size_t i = 0; i < blocks; ++i) decode(source + i * info.block_bytes, out + i * info.block_elements);
}

}  // namespace jackdaw::kernels
