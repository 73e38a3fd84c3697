#include "byte_alphabet.h"

#include <array>
#include <cstdint>

#include "utf8.h"

namespace jackdaw::text {

namespace {

// Bytes that print as themselves in Latin-1; the others take the code points from 256 on, in order.
constexpr bool prints(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

constexpr std::size_t alphabet_end = 256 + 68;

constexpr std::array<std::int16_t, alphabet_end> byte_of_code = [] {
  std::array<std::int16_t, alphabet_end> bytes{};
  bytes.fill(-1);
  std::size_t next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) bytes[prints(byte) ? byte : next++] = static_cast<std::int16_t>(byte);
  return bytes;
}();

}  // namespace

std::string bytes_of_alphabet(std::string_view piece) {
  std::string bytes;
  bytes.reserve(piece.size());
  const char* const end = piece.data() + piece.size();
  for (const char* p = piece.data(); p < end;) {
    const Utf8Character c = decode_utf8(p, end);
    if (c.code >= alphabet_end || byte_of_code[c.code] < 0) return std::string(piece);
    bytes.push_back(static_cast<char>(byte_of_code[c.code]));
    p += c.length;
  }
  return bytes;
}

}  // namespace jackdaw::text
