// UTF-8, one character at a time, from bytes that may be anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jackdaw::text {

enum class Utf8Status : std::uint8_t {
  valid,
  invalid,     // `length` bytes can never become a character: Unicode's maximal subpart, one U+FFFD
  incomplete,  // the text ends within a character that may still become one
};

struct Utf8Character {
  char32_t code = 0;  // past the last code point unless valid
  std::uint32_t length = 0;
  Utf8Status status = Utf8Status::valid;
};

inline constexpr char32_t no_code_point = 0x110000;

Utf8Character decode_utf8_slow(const char* p, const char* end);

// `p < end`.
inline Utf8Character decode_utf8(const char* p, const char* end) {
  const auto lead = static_cast<unsigned char>(*p);
  if (lead < 0x80) return {lead, 1, Utf8Status::valid};
  return decode_utf8_slow(p, end);
}

void append_utf8(std::string& out, char32_t code);

// Moves what is certain from `pending` + `more` to `out`: whole characters, U+FFFD for what can never be one. Keeps an
// incomplete tail (at most 3 bytes) in `pending`.
void append_certain_utf8(std::string& pending, std::string_view more, std::string& out);

inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
inline constexpr std::string_view space_mark = "\xE2\x96\x81";  // ▁, U+2581: SentencePiece's space

}  // namespace jackdaw::text
