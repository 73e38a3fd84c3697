// Encoding: how the elements of a model's tensors are stored in files: plain floats and the block quantizations of
// GGUF.
//
// A row is a whole number of blocks. Block layouts: ggml's ggml-common.h; kernels/quant.h decodes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jackdaw {

enum class Encoding : std::uint8_t {
  f32,
  f16,
  bf16,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q2_k,
  q3_k,
  q4_k,
  q5_k,
  q6_k,
  iq4_nl,
  iq4_xs,
  mxfp4,
};

struct EncodingInfo {
  std::string_view name;       // as ggml prints it: "Q4_K"
  std::uint32_t ggml_type;     // its number in GGUF files
  std::size_t block_elements;  // elements per block
  std::size_t block_bytes;     // bytes per block, packed
};

inline constexpr std::array<EncodingInfo, 16> encoding_table{{
    {"F32", 0, 1, 4},
    {"F16", 1, 1, 2},
    {"BF16", 30, 1, 2},
    {"Q4_0", 2, 32, 18},
    {"Q4_1", 3, 32, 20},
    {"Q5_0", 6, 32, 22},
    {"Q5_1", 7, 32, 24},
    {"Q8_0", 8, 32, 34},
    {"Q2_K", 10, 256, 84},
    {"Q3_K", 11, 256, 110},
    {"Q4_K", 12, 256, 144},
    {"Q5_K", 13, 256, 176},
    {"Q6_K", 14, 256, 210},
    {"IQ4_NL", 20, 32, 18},
    {"IQ4_XS", 23, 256, 136},
    {"MXFP4", 39, 32, 17},
}};

constexpr const EncodingInfo& encoding_info(Encoding encoding) {
  return encoding_table[static_cast<std::size_t>(encoding)];
}

constexpr std::optional<Encoding> encoding_from_ggml(std::uint32_t type) {
  for (std::size_t i = 0; i < encoding_table.size(); ++i) {
    if (encoding_table[i].ggml_type == type) return static_cast<Encoding>(i);
  }
  return std::nullopt;
}

// Bytes of a row of `elements`; nullopt unless that is a whole number of blocks.
constexpr std::optional<std::size_t> row_bytes(Encoding encoding, std::size_t elements) {
  const EncodingInfo& info = encoding_info(encoding);
  if (elements % info.block_elements != 0) return std::nullopt;
  return elements / info.block_elements * info.block_bytes;
}

}  // namespace jackdaw
