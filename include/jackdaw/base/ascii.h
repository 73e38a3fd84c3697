// Letters of protocols: the 26 of ASCII have two cases, whatever the locale says and whatever other bytes mean.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jackdaw {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

inline std::string ascii_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

// Equal but for case, as header names (RFC 9110 section 5.1) and schemes (RFC 3986 section 3.1) are.
constexpr bool ascii_iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

}  // namespace jackdaw
