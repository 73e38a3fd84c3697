// The element types GGUF files may hold, by ggml's numbers: names and block sizes of all, so that a file can be
// described and checked even where jackdaw has no kernel for a type. Source: ggml.h and ggml-common.h.
#pragma once

#include <cstdint>
#include <string>

namespace jackdaw::formats {

struct GgmlType {
  std::uint32_t number;
  std::string_view name;
  std::uint32_t block_elements;
  std::uint32_t block_bytes;
};

// Null for a number that ggml has not given out, or has taken back.
const GgmlType* ggml_type(std::uint32_t number);
// Its name, or "type 77".
std::string ggml_type_name(std::uint32_t number);

}  // namespace jackdaw::formats
