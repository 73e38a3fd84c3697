#include "split_scan.h"

namespace jackdaw::text::scan {

namespace {

// The letter at `p` in lower case, as far as contractions need it; 0 for all others.
char letter_at(const char* p, const char* end, bool any_case, std::uint32_t& length) {
  if (p >= end) return 0;
  const Utf8Character c = decode_utf8(p, end);
  length = c.length;
  if (any_case && c.code == 0x17F) return 's';
  if (c.code >= 'a' && c.code <= 'z') return static_cast<char>(c.code);
  if (any_case && c.code >= 'A' && c.code <= 'Z') return static_cast<char>(c.code - 'A' + 'a');
  return 0;
}

}  // namespace

const char* contraction(const char* p, const char* end, bool any_case) {
  if (p >= end || *p != '\'') return nullptr;
  std::uint32_t length = 0;
  const char first = letter_at(++p, end, any_case, length);
  const char* const after_first = p + length;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return after_first;
  if (first != 'r' && first != 'v' && first != 'l') return nullptr;
  const char second = letter_at(after_first, end, any_case, length);
  if (second != (first == 'l' ? 'l' : 'e')) return nullptr;
  return after_first + length;
}

WhiteSpace white_space(const char* p, const char* end) {
  WhiteSpace found{p, p, p, nullptr};
  while (found.end < end) {
    const Peeked c = peek(found.end, end);
    if (!c.in(classes::space)) break;
    found.last = found.end;
    found.end += c.length;
    if (c.is_line_end()) found.line_end = found.end;
  }
  return found;
}

}  // namespace jackdaw::text::scan
