// The steps that hand-coded splits are made of: look at a character, run over a class, the white-space rules.
#pragma once

#include <cstddef>

#include "character_class.h"
#include "pre_tokenizer.h"
#include "utf8.h"

namespace jackdaw::text::scan {

struct Peeked {
  char32_t code = no_code_point;
  ClassMask mask = 0;  // 0 at the end of the text: in no set
  std::uint32_t length = 0;

  bool in(ClassMask set) const { return (mask & set) != 0; }
  bool is_line_end() const { return code == '\r' || code == '\n'; }
};

inline Peeked peek(const char* p, const char* end) {
  if (p >= end) return {};
  const Utf8Character c = decode_utf8(p, end);
  return {c.code, class_mask(c.code), c.length};
}

inline const char* run(const char* p, const char* end, ClassMask set) {
  while (p < end) {
    const Peeked c = peek(p, end);
    if (!c.in(set)) break;
    p += c.length;
  }
  return p;
}

inline const char* run_up_to(const char* p, const char* end, ClassMask set, std::size_t count) {
  for (; count > 0 && p < end; --count) {
    const Peeked c = peek(p, end);
    if (!c.in(set)) break;
    p += c.length;
  }
  return p;
}

// "'s", "'re" and their like, right after an apostrophe at `p`; any case when asked, where "s" is also U+017F, the one
// letter whose simple case folding lands in them. Null when there is none.
const char* contraction(const char* p, const char* end, bool any_case);

// A run of white space, read once for the three rules that share it.
struct WhiteSpace {
  const char* begin;
  const char* end;       // of the run
  const char* last;      // where its last character begins
  const char* line_end;  // after its last \r or \n; null when it has none
};
WhiteSpace white_space(const char* p, const char* end);
// `\s+(?!\S)|\s+`: the run, less its last character when a word follows, unless that is all there is.
inline const char* before_word(const WhiteSpace& run, const char* end) {
  return run.end == end || run.last == run.begin ? run.end : run.last;
}

// Finds the first place where Matcher::match(p, end) is not null.
template <typename Matcher>
bool find(const char* begin, const char* end, Match& match) {
  for (const char* p = begin; p < end; p += decode_utf8(p, end).length) {
    if (const char* stop = Matcher::match(p, end)) {
      match = {p, stop};
      return true;
    }
  }
  return false;
}

}  // namespace jackdaw::text::scan
