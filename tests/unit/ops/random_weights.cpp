#include "random_weights.h"

#include <cmath>
#include <cstring>

#include "backend_cases.h"
#include "jackdaw/base/float16.h"
#include "jackdaw/kernels/quant.h"

namespace jackdaw::ops::testing {
namespace {

// Where a block keeps its f16 scales, and how large its elements are, about, for a scale of one. Every other bit of a
// block may be anything.
struct BlockScales {
  int scale_at = 0;
  int min_at = -1;
  float magnitude = 1.0f;
  float min_ratio = 0.0f;  // of the second scale to the first, so that the mean comes out near zero
};

BlockScales scales_of(Encoding encoding) {
  switch (encoding) {
    case Encoding::q2_k:
      return {80, 82, 12.0f, 1.5f};
    case Encoding::q3_k:
      return {108, -1, 42.0f, 0.0f};
    case Encoding::q4_k:
      return {0, 2, 250.0f, 7.5f};
    case Encoding::q5_k:
      return {0, 2, 500.0f, 15.5f};
    case Encoding::q6_k:
      return {208, -1, 1330.0f, 0.0f};
    case Encoding::iq4_nl:
      return {0, -1, 70.0f, 0.0f};
    default:
      return {0, -1, 1290.0f, 0.0f};  // IQ4_XS
  }
}

void write_half(std::byte* at, float value) {
  const std::uint16_t half = half_from_float(value);
  std::memcpy(at, &half, sizeof(half));
}

void random_block(Encoding encoding, float spread, Randoms& randoms, std::byte* block) {
  for (std::size_t i = 0; i < encoding_info(encoding).block_bytes; ++i) {
    block[i] = static_cast<std::byte>(randoms.below(256));
  }
  if (encoding == Encoding::mxfp4) {
    const float exponent = 128.0f + std::round(std::log2(spread / 5.6f)) + static_cast<float>(randoms.below(3)) - 1.0f;
    block[0] = static_cast<std::byte>(exponent);
    return;
  }
  const BlockScales scales = scales_of(encoding);
  const float scale = spread / scales.magnitude * (0.5f + randoms.uniform());
  write_half(block + scales.scale_at, scale);
  if (scales.min_at >= 0) write_half(block + scales.min_at, scale * scales.min_ratio);
}

}  // namespace

std::vector<std::byte> random_rows(Encoding encoding, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Randoms randoms(seed);
  const auto width = static_cast<std::size_t>(columns);
  const float spread = 1.0f / std::sqrt(static_cast<float>(columns));
  const std::size_t bytes = row_bytes(encoding, width).value();
  std::vector<std::byte> out(bytes * static_cast<std::size_t>(rows));
  if (kernels::can_quantize(encoding)) {
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
      const std::vector<float> row = randoms.normals(width, 0.0f, spread);
      kernels::quantize_row(encoding, row.data(), columns, out.data() + r * bytes);
    }
    return out;
  }
  const std::size_t block_bytes = encoding_info(encoding).block_bytes;
  for (std::size_t at = 0; at < out.size(); at += block_bytes) random_block(encoding, spread, randoms, &out[at]);
  return out;
}

}  // namespace jackdaw::ops::testing
