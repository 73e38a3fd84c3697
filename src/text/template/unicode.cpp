#include "src/text/template/unicode.h"

#include <algorithm>

#include "src/text/template/unicode_data.h"

namespace jackdaw::text::jinja {
namespace {

bool within(const Range* ranges, std::size_t count, char32_t c) {
  const Range* end = ranges + count;
  const Range* found =
      std::upper_bound(ranges, end, c, [](char32_t value, const Range& range) { return value < range.first; });
  return found != ranges && c <= (found - 1)->last;
}

struct CaseTable {
  const CaseRun* runs;
  std::size_t run_count;
  const CaseSpecial* specials;
  std::size_t special_count;
};
CaseTable upper_table() {
  return {k_to_upper, k_to_upper_count, k_to_upper_special, k_to_upper_special_count};
}
CaseTable lower_table() {
  return {k_to_lower, k_to_lower_count, k_to_lower_special, k_to_lower_special_count};
}
CaseTable title_table() {
  return {k_to_title, k_to_title_count, k_to_title_special, k_to_title_special_count};
}

// Runs of stride 2 interleave (upper at even, lower at odd places), so the last few runs that start before are asked.
bool map_simple(const CaseTable& table, char32_t c, char32_t& mapped) {
  const CaseRun* end = table.runs + table.run_count;
  const CaseRun* run =
      std::upper_bound(table.runs, end, c, [](char32_t value, const CaseRun& r) { return value < r.first; });
  for (int back = 0; back < 4 && run != table.runs; ++back) {
    --run;
    if (c <= run->last && (c - run->first) % run->stride == 0) {
      mapped = static_cast<char32_t>(static_cast<std::int64_t>(c) + run->delta);
      return true;
    }
  }
  return false;
}

void append_mapped(std::string& out, const CaseTable& table, char32_t c) {
  const CaseSpecial* end = table.specials + table.special_count;
  const CaseSpecial* special = std::lower_bound(
      table.specials, end, c, [](const CaseSpecial& s, char32_t value) { return s.code_point < value; });
  if (special != end && special->code_point == c) {
    out += special->text;
    return;
  }
  char32_t mapped = c;
  map_simple(table, c, mapped);
  append_code_point(out, mapped);
}

bool is_cased(char32_t c) {
  return within(k_cased, k_cased_count, c);
}
bool is_ignorable(char32_t c) {
  return within(k_ignorable, k_ignorable_count, c);
}

constexpr char32_t capital_sigma = 0x3A3;

// A capital sigma is final after a cased letter and not before one, ignorable characters aside.
bool sigma_is_final(std::string_view text, std::size_t start, std::size_t after) {
  std::size_t at = start;
  bool before = false;
  while (at > 0) {
    at = previous_start(text, at);
    std::size_t probe = at;
    const char32_t c = next_code_point(text, probe);
    if (is_ignorable(c)) continue;
    before = is_cased(c);
    break;
  }
  if (!before) return false;
  while (after < text.size()) {
    const char32_t c = next_code_point(text, after);
    if (!is_ignorable(c)) return !is_cased(c);
  }
  return true;
}

void append_lower(std::string& out, std::string_view text, std::size_t start, std::size_t after, char32_t c) {
  if (c == capital_sigma) {
    append_code_point(out, sigma_is_final(text, start, after) ? 0x3C2 : 0x3C3);
    return;
  }
  append_mapped(out, lower_table(), c);
}

}  // namespace

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) {
    ++at;
    return lead;
  }
  char32_t c = static_cast<char32_t>(lead & (0xFF >> (length + 1)));
  for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (byte(at + i) & 0x3F);
  at += length;
  return c;
}

std::size_t previous_start(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

void append_code_point(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::size_t count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all < 0x80;
}

bool is_valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return false;
    const char32_t c = next_code_point(text, at);
    const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (lead > 0xF4 || c < least || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
  }
  return true;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_line_break(char32_t c) {
  return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_printable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  return within(k_printable, k_printable_count, c);
}
bool is_alpha(char32_t c) {
  return within(k_alpha, k_alpha_count, c);
}
bool is_decimal(char32_t c) {
  return within(k_decimal, k_decimal_count, c);
}
bool is_digit(char32_t c) {
  return within(k_digit, k_digit_count, c);
}
bool is_numeric(char32_t c) {
  return within(k_numeric, k_numeric_count, c);
}
bool is_alnum(char32_t c) {
  return is_alpha(c) || is_decimal(c) || is_digit(c) || is_numeric(c);
}
bool is_upper(char32_t c) {
  return within(k_upper, k_upper_count, c);
}
bool is_lower(char32_t c) {
  return within(k_lower, k_lower_count, c);
}
bool is_title(char32_t c) {
  return within(k_title, k_title_count, c);
}
bool is_identifier_start(char32_t c) {
  return within(k_identifier_start, k_identifier_start_count, c);
}
bool is_identifier_part(char32_t c) {
  return within(k_identifier_part, k_identifier_part_count, c);
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) append_mapped(out, upper_table(), next_code_point(text, at));
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    append_lower(out, text, start, at, c);
  }
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (start == 0)
      append_mapped(out, title_table(), c);
    else
      append_lower(out, text, start, at, c);
  }
  return out;
}

std::string title_case(std::string_view text) {
  std::string out;
  bool within_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (within_word)
      append_lower(out, text, start, at, c);
    else
      append_mapped(out, title_table(), c);
    within_word = is_cased(c) || is_upper(c) || is_lower(c) || is_title(c);
  }
  return out;
}

std::string swap_case(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (is_upper(c))
      append_lower(out, text, start, at, c);
    else if (is_lower(c))
      append_mapped(out, upper_table(), c);
    else
      append_code_point(out, c);
  }
  return out;
}

std::string_view strip_left(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t next = at;
    if (!is_space(next_code_point(text, next))) break;
    at = next;
  }
  return text.substr(at);
}

std::string_view strip_right(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const std::size_t start = previous_start(text, end);
    std::size_t probe = start;
    if (!is_space(next_code_point(text, probe))) break;
    end = start;
  }
  return text.substr(0, end);
}

}  // namespace jackdaw::text::jinja
