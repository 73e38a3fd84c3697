#include "jackdaw/base/ascii.h"

#include <catch2/catch.hpp>

namespace jackdaw {

TEST_CASE("AsciiLettersLoseTheirCaseAndNothingElseChanges") {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool capital = byte >= 'A' && byte <= 'Z';
    CHECK(ascii_lower(c) == (capital ? static_cast<char>(byte + 32) : c));
  }
  CHECK(ascii_lower("X-Request-ID[\xc3\x84]@") == "x-request-id[\xc3\x84]@");
  CHECK(ascii_lower("") == "");
}

TEST_CASE("AsciiTextsAreEqualButForCase") {
  CHECK(ascii_iequals("Content-Length", "content-lengtH"));
  CHECK(ascii_iequals("", ""));
  CHECK_FALSE(ascii_iequals("a", "ab"));
  CHECK_FALSE(ascii_iequals("ab", "ac"));
  // 32 apart, and no letters.
  CHECK_FALSE(ascii_iequals("[", "{"));
  CHECK_FALSE(ascii_iequals("@", "`"));
  CHECK_FALSE(ascii_iequals("\xc3\x84", "\xc3\xa4"));
}

}  // namespace jackdaw
