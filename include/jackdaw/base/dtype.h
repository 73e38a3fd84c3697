// DType and TensorView: the element types of the Open Inference Protocol and a borrowed look at a tensor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace jackdaw {

// Order and names follow the protocol's table ("Tensor Data Types", open-inference-protocol inference_rest.md).
enum class DType : std::uint8_t {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  fp16,
  bf16,
  fp32,
  fp64,
  bytes,
};

struct DTypeInfo {
  std::string_view oip_name;  // "FP32"
  std::size_t size;           // bytes per element, 0 for BYTES
};

inline constexpr std::array<DTypeInfo, 14> dtype_table{{
    {"BOOL", 1},
    {"UINT8", 1},
    {"UINT16", 2},
    {"UINT32", 4},
    {"UINT64", 8},
    {"INT8", 1},
    {"INT16", 2},
    {"INT32", 4},
    {"INT64", 8},
    {"FP16", 2},
    {"BF16", 2},
    {"FP32", 4},
    {"FP64", 8},
    {"BYTES", 0},
}};

constexpr std::string_view oip_name(DType dtype) {
  return dtype_table[static_cast<std::size_t>(dtype)].oip_name;
}
constexpr std::size_t element_size(DType dtype) {
  return dtype_table[static_cast<std::size_t>(dtype)].size;
}
constexpr bool is_float(DType dtype) {
  return dtype >= DType::fp16 && dtype <= DType::fp64;
}
constexpr bool is_integer(DType dtype) {
  return dtype >= DType::uint8 && dtype <= DType::int64;
}

constexpr std::optional<DType> dtype_from_oip(std::string_view name) {
  for (std::size_t i = 0; i < dtype_table.size(); ++i) {
    if (dtype_table[i].oip_name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

// Row-major, borrowed: whoever made the view keeps data and shape alive.
struct TensorView {
  DType dtype = DType::fp32;
  std::span<const std::int64_t> shape;
  std::span<const std::byte> data;
};

}  // namespace jackdaw
