// What Python's str and re know of characters, over UTF-8: \w, \s, \d, str.lower, NFKD and accents.
// Tables: unicode_tables.inc, written by scripts/make-unicode-tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jackdaw::predict {

bool is_word(char32_t c);   // re's \w: letters, anything with a numeric value, and the underscore
bool is_digit(char32_t c);  // re's \d: category Nd
bool is_space(char32_t c);  // re's \s and str.split()

// Takes one code point off the front of `text` (not empty). A byte that is no UTF-8 counts as U+FFFD.
char32_t next_code_point(std::string_view& text);
void append_utf8(std::string& out, char32_t c);

// str.lower(): the full mapping, with the final sigma and the dotted I.
std::string lower(std::string_view text);
// scikit-learn's strip_accents: NFKD, then without combining characters ('unicode'), or without all that is not ASCII.
std::string strip_accents_unicode(std::string_view text);
std::string strip_accents_ascii(std::string_view text);

}  // namespace jackdaw::predict
