#include "src/api/oip/json_fault.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "jackdaw/base/text.h"

namespace jackdaw::api::oip {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // True when the whole text is one JSON value; otherwise `message` and `at` say the fault.
  bool scan() {
    skip_space();
    if (at == text_.size()) return fail("Input is a zero-length, empty document", 0);
    if (!value(0)) return false;
    skip_space();
    return at == text_.size() || fail("unexpected content after document", at);
  }

  const char* message = nullptr;
  std::size_t at = 0;

 private:
  bool fail(const char* what, std::size_t where) {
    message = what;
    at = where;
    return false;
  }
  bool ended() const { return at >= text_.size(); }
  void skip_space() {
    while (!ended() && (text_[at] == ' ' || text_[at] == '\n' || text_[at] == '\r' || text_[at] == '\t')) ++at;
  }

  // Depth is bounded by json_depth_max, so recursion is.
  bool value(int depth) {
    if (ended()) return fail("unexpected end of data", at);
    switch (text_[at]) {
      case '{':
        return members(depth, '}', true);
      case '[':
        return members(depth, ']', false);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool members(int depth, char close, bool keyed) {
    if (depth >= json_depth_max) return fail("Recursion limit reached", at);
    ++at;
    skip_space();
    if (!ended() && text_[at] == close) return ++at, true;
    for (;;) {
      if (keyed && !key()) return false;
      if (!value(depth + 1)) return false;
      skip_space();
      if (ended()) return fail("unexpected end of data", at);
      if (text_[at] == close) return ++at, true;
      if (text_[at] != ',') return fail("unexpected character", at);
      ++at;
      skip_space();
      if (!ended() && text_[at] == close) return fail("trailing comma is not allowed", at);
    }
  }

  bool key() {
    if (ended()) return fail("unexpected end of data", at);
    if (text_[at] != '"') return fail("object key must be a string", at);
    if (!string()) return false;
    skip_space();
    if (ended()) return fail("unexpected end of data", at);
    if (text_[at] != ':') return fail("unexpected character", at);
    ++at;
    skip_space();
    return true;
  }

  bool word(std::string_view expected) {
    if (text_.substr(at, expected.size()) != expected) return fail("invalid literal", at);
    at += expected.size();
    return true;
  }

  bool string() {
    ++at;
    while (!ended() && text_[at] != '"') {
      const auto c = static_cast<unsigned char>(text_[at]);
      if (c < 0x20) return fail("unexpected control character in string", at);
      if (c == '\\' && !escape()) return false;
      ++at;
    }
    if (ended()) return fail("unexpected end of data", text_.size());
    ++at;
    return true;
  }

  int hex4(std::size_t from) const {
    if (from + 4 > text_.size()) return -1;
    int code = 0;
    for (std::size_t i = from; i < from + 4; ++i) {
      const char c = text_[i];
      const int digit = c >= '0' && c <= '9'                     ? c - '0'
                        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                 : -1;
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }

  // At a backslash; leaves `at` on the last character of the escape.
  bool escape() {
    if (at + 1 >= text_.size()) return fail("unexpected end of data", text_.size());
    const char c = text_[++at];
    if (c != 'u')
      return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos ||
             fail("invalid escaped character in string", at);
    const int code = hex4(at + 1);
    if (code < 0) return fail("invalid escaped sequence in string", at);
    at += 4;
    if (code >= 0xdc00 && code <= 0xdfff) return fail("invalid high surrogate in string", at);
    if (code < 0xd800 || code > 0xdbff) return true;
    if (text_.substr(at + 1, 2) != "\\u") return fail("no low surrogate in string", at + 1);
    const int low = hex4(at + 3);
    if (low < 0xdc00 || low > 0xdfff) return fail("invalid low surrogate in string", at + 1);
    at += 6;
    return true;
  }

  bool digits() {
    const std::size_t begin = at;
    while (!ended() && text_[at] >= '0' && text_[at] <= '9') ++at;
    return at > begin;
  }

  bool number() {
    const std::size_t begin = at;
    if (text_[at] == '-') ++at;
    const std::size_t first = at;
    if (!digits()) {
      return begin == first ? fail("unexpected character, expected a JSON value", begin)
                            : fail("no digit after minus sign", at);
    }
    if (text_[first] == '0' && at > first + 1) return fail("number with leading zero is not allowed", begin);
    if (!ended() && text_[at] == '.') {
      ++at;
      if (!digits()) return fail("no digit after decimal point", at);
    }
    if (!ended() && (text_[at] | 0x20) == 'e') {
      ++at;
      if (!ended() && (text_[at] == '+' || text_[at] == '-')) ++at;
      if (!digits()) return fail("no digit after exponent sign", at);
    }
    // strtod needs an end; a number of over 400 characters is copied all the same, which is bounded by the text.
    if (std::isinf(std::strtod(std::string(text_.substr(begin, at - begin)).c_str(), nullptr))) {
      return fail("number is infinity when parsed as double", begin);
    }
    return true;
  }

  std::string_view text_;
};

}  // namespace

std::string JsonFault::text() const {
  return fmt::format("{}: line {} column {} (char {})", message, line, column, offset);
}

JsonFault find_json_fault(std::string_view text) {
  JsonFault fault;
  if (text.starts_with("\xef\xbb\xbf")) {
    fault.message = "UTF-8 byte order mark (BOM) is not supported";
    return fault;
  }
  if (!is_valid_utf8(text)) {
    fault.message = "str is not valid UTF-8: surrogates not allowed";
    return fault;
  }
  Scanner scanner(text);
  if (scanner.scan()) return fault;
  fault.message = scanner.message;
  fault.offset = scanner.at;
  for (std::size_t i = 0; i < fault.offset && i < text.size(); ++i) {
    fault.column = text[i] == '\n' ? 1 : fault.column + 1;
    if (text[i] == '\n') ++fault.line;
  }
  return fault;
}

}  // namespace jackdaw::api::oip
