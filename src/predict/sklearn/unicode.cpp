#include "src/predict/sklearn/unicode.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace jackdaw::predict {
namespace {

struct CodeRange {
  char32_t first, last;
};
struct LowerRun {
  char32_t first, last;
  std::uint32_t step;
  std::int32_t delta;
};
struct Decomposition {
  char32_t code;
  std::uint32_t begin, count;
};

#include "src/predict/sklearn/unicode_tables.inc"

template <std::size_t n>
bool in_ranges(const CodeRange (&ranges)[n], char32_t c) {
  const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                       [](char32_t code, const CodeRange& r) { return code < r.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char32_t simple_lower(char32_t c) {
  const auto* after = std::upper_bound(std::begin(lower_runs), std::end(lower_runs), c,
                                       [](char32_t code, const LowerRun& r) { return code < r.first; });
  if (after == std::begin(lower_runs)) return c;
  const LowerRun& run = *std::prev(after);
  if (c > run.last || (c - run.first) % run.step != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + run.delta);
}

constexpr char32_t replacement = 0xFFFD;

// Length of the sequence a lead byte announces; 0 for a byte that cannot lead.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  if (lead >= 0xF0 && lead < 0xF5) return 4;
  return 0;
}

std::vector<char32_t> decode(std::string_view text) {
  std::vector<char32_t> out;
  out.reserve(text.size());
  while (!text.empty()) out.push_back(next_code_point(text));
  return out;
}

// A capital sigma is a final one after a cased character and not before one, both past case-ignorable characters.
bool is_final_sigma(const std::vector<char32_t>& text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && in_ranges(case_ignorable_ranges, text[before - 1])) --before;
  if (before == 0 || !in_ranges(cased_ranges, text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && in_ranges(case_ignorable_ranges, text[after])) ++after;
  return after == text.size() || !in_ranges(cased_ranges, text[after]);
}

template <typename Sink>
void decompose(char32_t c, Sink sink) {
  constexpr char32_t hangul = 0xAC00, hangul_end = 0xD7A4;
  if (c >= hangul && c < hangul_end) {
    const char32_t index = c - hangul;
    sink(0x1100 + index / 588);
    sink(0x1161 + index % 588 / 28);
    if (index % 28 != 0) sink(0x11A7 + index % 28);
    return;
  }
  const auto* found = std::lower_bound(std::begin(decompositions), std::end(decompositions), c,
                                       [](const Decomposition& d, char32_t code) { return d.code < code; });
  if (found == std::end(decompositions) || found->code != c) return sink(c);
  for (std::uint32_t i = 0; i < found->count; ++i) sink(static_cast<char32_t>(decomposition_pool[found->begin + i]));
}

}  // namespace

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  return in_ranges(word_ranges, c);
}

bool is_digit(char32_t c) {
  return c < 0x80 ? c >= '0' && c <= '9' : in_ranges(digit_ranges, c);
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  return in_ranges(space_ranges, c);
}

char32_t next_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = sequence_length(byte(0));
  if (length == 1) {
    const char32_t c = byte(0);
    text.remove_prefix(1);
    return c;
  }
  if (length == 0 || length > text.size()) {
    text.remove_prefix(1);
    return replacement;
  }
  char32_t c = byte(0) & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      text.remove_prefix(1);
      return replacement;
    }
    c = c << 6 | (byte(i) & 0x3Fu);
  }
  text.remove_prefix(length);
  return c;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18 & 0x07));
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::string lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  if (is_ascii(text)) {
    for (char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  }
  const std::vector<char32_t> codes = decode(text);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == 0x3A3) {
      append_utf8(out, is_final_sigma(codes, i) ? 0x3C2 : 0x3C3);
    } else if (codes[i] == 0x130) {
      append_utf8(out, 'i');
      append_utf8(out, 0x307);
    } else {
      append_utf8(out, simple_lower(codes[i]));
    }
  }
  return out;
}

std::string strip_accents_unicode(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    decompose(next_code_point(text), [&](char32_t c) {
      if (!in_ranges(combining_ranges, c)) append_utf8(out, c);
    });
  }
  return out;
}

std::string strip_accents_ascii(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    decompose(next_code_point(text), [&](char32_t c) {
      if (c < 0x80) out += static_cast<char>(c);
    });
  }
  return out;
}

}  // namespace jackdaw::predict
