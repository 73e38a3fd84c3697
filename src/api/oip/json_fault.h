// Where and why a text is not JSON, in orjson's words: only asked after a fast parser has refused it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jackdaw::api::oip {

struct JsonFault {
  std::string message;     // "trailing comma is not allowed"
  std::size_t offset = 0;  // bytes from the start
  std::size_t line = 1;    // 1-based
  std::size_t column = 1;  // 1-based, in bytes
  // "trailing comma is not allowed: line 1 column 31 (char 30)"
  std::string text() const;
};

inline constexpr int json_depth_max = 64;

// Scans strictly (RFC 8259) down to json_depth_max. A text without a fault gives an empty message.
JsonFault find_json_fault(std::string_view text);

}  // namespace jackdaw::api::oip
