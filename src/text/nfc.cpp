#include "nfc.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "character_class.h"
#include "nfc_data.h"
#include "utf8.h"

namespace jackdaw::text {

namespace {

// Hangul syllables are composed by arithmetic (Unicode 16, section 3.12).
constexpr char32_t syllable_first = 0xAC00;
constexpr char32_t lead_first = 0x1100;
constexpr char32_t vowel_first = 0x1161;
constexpr char32_t trail_first = 0x11A7;  // one before the first trailing consonant
constexpr char32_t lead_count = 19;
constexpr char32_t vowel_count = 21;
constexpr char32_t trail_count = 28;
constexpr char32_t syllable_count = lead_count * vowel_count * trail_count;

struct Character {
  char32_t code;
  std::uint32_t combining;
};

// Tables are rows of three numbers; the last row whose first number is not above `key`, or null.
const std::uint32_t* row_before(const std::uint32_t* table, std::size_t count, char32_t key) {
  std::size_t low = 0;
  for (std::size_t high = count; low < high;) {
    const std::size_t middle = (low + high) / 2;
    if (table[3 * middle] <= key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? nullptr : table + 3 * (low - 1);
}

std::uint32_t combining_class(char32_t code) {
  if (!needs_care_in_nfc(code)) return 0;
  const std::uint32_t* row = row_before(nfc_combining, nfc_combining_count, code);
  return row != nullptr && code <= row[1] ? row[2] : 0;
}

void decompose(char32_t code, std::vector<Character>& out) {
  if (code >= syllable_first && code < syllable_first + syllable_count) {
    const char32_t at = code - syllable_first;
    out.push_back({lead_first + at / (vowel_count * trail_count), 0});
    out.push_back({vowel_first + at / trail_count % vowel_count, 0});
    if (at % trail_count != 0) out.push_back({trail_first + at % trail_count, 0});
    return;
  }
  const std::uint32_t* row = code < 0xC0 ? nullptr : row_before(nfc_decomposition, nfc_decomposition_count, code);
  if (row == nullptr || row[0] != code) return out.push_back({code, combining_class(code)});
  for (std::uint32_t i = 0; i < row[2]; ++i) {
    const char32_t part = nfc_decomposition_pool[row[1] + i];
    out.push_back({part, combining_class(part)});
  }
}

// Stable by combining class, within runs of characters that have one.
void put_in_order(std::vector<Character>& characters) {
  for (auto begin = characters.begin(); begin != characters.end();) {
    if (begin->combining == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, characters.end(), [](const Character& c) { return c.combining == 0; });
    std::stable_sort(begin, end, [](const Character& a, const Character& b) { return a.combining < b.combining; });
    begin = end;
  }
}

// 0 when the two do not compose.
char32_t composed(char32_t first, char32_t second) {
  if (first >= lead_first && first < lead_first + lead_count && second >= vowel_first &&
      second < vowel_first + vowel_count) {
    return syllable_first + ((first - lead_first) * vowel_count + (second - vowel_first)) * trail_count;
  }
  if (first >= syllable_first && first < syllable_first + syllable_count && second > trail_first &&
      second < trail_first + trail_count) {
    return (first - syllable_first) % trail_count == 0 ? first + (second - trail_first) : 0;
  }
  const auto key = std::uint64_t{first} << 32 | second;
  std::size_t low = 0;
  for (std::size_t high = nfc_composition_count; low < high;) {
    const std::size_t middle = (low + high) / 2;
    const std::uint32_t* row = nfc_composition + 3 * middle;
    if ((std::uint64_t{row[0]} << 32 | row[1]) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == nfc_composition_count) return 0;
  const std::uint32_t* row = nfc_composition + 3 * low;
  return row[0] == first && row[1] == second ? row[2] : 0;
}

void compose(std::vector<Character>& characters) {
  std::size_t kept = 0;
  std::size_t starter = characters.size();  // where the last starter went
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const Character c = characters[i];
    if (starter < kept) {
      const bool adjacent = starter + 1 == kept;
      const bool blocked = !adjacent && characters[kept - 1].combining >= c.combining;
      const char32_t joined = blocked ? 0 : composed(characters[starter].code, c.code);
      if (joined != 0) {
        characters[starter].code = joined;
        continue;
      }
    }
    if (c.combining == 0) starter = kept;
    characters[kept++] = c;
  }
  characters.resize(kept);
}

void append_normalized(std::vector<Character>& characters, std::string& out) {
  put_in_order(characters);
  compose(characters);
  for (const Character& c : characters) append_utf8(out, c.code);
  characters.clear();
}

}  // namespace

std::string to_nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::vector<Character> segment;  // decomposed; begins with the last character that nothing before it can change
  const char* const end = text.data() + text.size();
  const char* plain = text.data();  // where the last such character begins, while `segment` is empty
  for (const char* p = text.data(); p < end;) {
    const Utf8Character c = decode_utf8(p, end);
    if (c.status != Utf8Status::valid || !needs_care_in_nfc(c.code)) {
      if (segment.empty()) {
        out.append(plain, p);
      } else {
        append_normalized(segment, out);
      }
      plain = p;
    } else {
      if (segment.empty() && plain < p) {
        const Utf8Character before = decode_utf8(plain, p);
        if (before.status == Utf8Status::valid) {
          decompose(before.code, segment);
        } else {
          out.append(plain, p);
        }
      }
      decompose(c.code, segment);
      plain = p + c.length;
    }
    p += c.length;
  }
  if (segment.empty()) {
    out.append(plain, end);
  } else {
    append_normalized(segment, out);
  }
  return out;
}

}  // namespace jackdaw::text
