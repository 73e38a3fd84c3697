// The splits. Every matcher has one function: where the match that begins at `p` ends, or null. Alternatives are tried
// in the order of the regular expression, which stands beside each split's name at the end of the file.
#include <algorithm>
#include <array>
#include <iterator>

#include "pre_tokenizer.h"
#include "split_scan.h"

namespace jackdaw::text {

namespace {

using scan::peek;
using scan::Peeked;
using scan::run;
constexpr ClassMask everything = 0xFFFF;

constexpr ClassMask without(ClassMask set) {
  return static_cast<ClassMask>(everything & ~set);
}

// `\s*[\r\n]+|\s+(?!\S)|\s+`, which several end with; `\s*[\r\n]` gives the same matches.
const char* lines_and_spaces(const char* p, const char* end) {
  const scan::WhiteSpace found = scan::white_space(p, end);
  if (found.end == p) return nullptr;
  return found.line_end != nullptr ? found.line_end : scan::before_word(found, end);
}

const char* line_ends(const char* p, const char* end) {
  while (p < end && (*p == '\r' || *p == '\n')) ++p;
  return p;
}

const char* line_ends_and_slashes(const char* p, const char* end) {
  while (p < end && (*p == '\r' || *p == '\n' || *p == '/')) ++p;
  return p;
}

// ` ?[set]+`; null when it does not match.
const char* spaced_run(const char* p, const char* end, ClassMask set) {
  const char* const start = p + (*p == ' ' ? 1 : 0);
  const char* const stop = run(start, end, set);
  return stop == start ? nullptr : stop;
}

struct Gpt2 {
  static const char* match(const char* p, const char* end) {
    if (const char* stop = scan::contraction(p, end, false)) return stop;
    const char* const start = p + (*p == ' ' ? 1 : 0);
    const Peeked c = peek(start, end);
    if (c.in(classes::letter)) return run(start + c.length, end, classes::letter);
    if (c.in(classes::number)) return run(start + c.length, end, classes::number);
    if (c.in(without(classes::space))) {
      return run(start + c.length, end, without(classes::space | classes::letter | classes::number));
    }
    return scan::before_word(scan::white_space(p, end), end);
  }
};

enum class PunctuationTail : std::uint8_t { none, line_ends, line_ends_and_slashes };

const char* tail(const char* p, const char* end, PunctuationTail kind) {
  if (kind == PunctuationTail::line_ends) return line_ends(p, end);
  if (kind == PunctuationTail::line_ends_and_slashes) return line_ends_and_slashes(p, end);
  return p;
}

// What the expressions after Llama 3's differ in.
struct WordStyle {
  ClassMask letters;
  std::size_t digits_max;
  bool contractions;
  PunctuationTail tail;
};

template <WordStyle style>
struct Words {
  static const char* match(const char* p, const char* end) {
    if constexpr (style.contractions) {
      if (const char* stop = scan::contraction(p, end, true)) return stop;
    }
    const Peeked c = peek(p, end);
    if (c.in(style.letters)) return run(p + c.length, end, style.letters);
    if (c.in(classes::number)) return scan::run_up_to(p, end, classes::number, style.digits_max);
    if (!c.is_line_end()) {
      const Peeked next = peek(p + c.length, end);
      if (next.in(style.letters)) return run(p + c.length + next.length, end, style.letters);
    }
    constexpr auto marks = without(classes::space | style.letters | classes::number);
    if (const char* stop = spaced_run(p, end, marks)) return tail(stop, end, style.tail);
    return lines_and_spaces(p, end);
  }
};

constexpr WordStyle llama3_style{classes::letter, 3, true, PunctuationTail::line_ends};
constexpr WordStyle qwen2_style{classes::letter, 1, true, PunctuationTail::line_ends};
constexpr WordStyle qwen35_style{classes::letter | classes::mark, 1, true, PunctuationTail::line_ends};
constexpr WordStyle minicpm5_style{classes::letter, static_cast<std::size_t>(-1), true, PunctuationTail::line_ends};
constexpr WordStyle seed_coder_style{classes::letter, 1, true, PunctuationTail::none};
constexpr WordStyle ufakzeka_style{classes::letter, 1, false, PunctuationTail::line_ends};

// `U*L+` and, failing that, `U+L*` from `p`, where U and L are o200k's halves of a word and share the caseless letters.
const char* cased_word_lower(const char* p, const char* end) {
  const char* last_shared_end = nullptr;
  const char* q = p;
  while (q < end) {
    const Peeked c = peek(q, end);
    if (!c.in(classes::upper_like)) break;
    q += c.length;
    if (c.in(classes::lower_like)) last_shared_end = q;
  }
  const char* const stop = run(q, end, classes::lower_like);
  return stop > q ? stop : last_shared_end;  // what U* gives back is one shared letter at most
}

const char* cased_word_upper(const char* p, const char* end) {
  const char* const q = run(p, end, classes::upper_like);
  return q == p ? nullptr : run(q, end, classes::lower_like);
}

// `[^\r\n\p{L}\p{N}]?` before a word: with it first, then without.
template <typename Word>
const char* prefixed(const char* p, const char* end, const Peeked& first, Word word) {
  if (!first.is_line_end() && !first.in(classes::letter | classes::number)) {
    if (const char* stop = word(p + first.length, end)) return stop;
  }
  return word(p, end);
}

template <std::size_t digits_max, bool contractions>
struct CasedWords {
  static const char* match(const char* p, const char* end) {
    const Peeked c = peek(p, end);
    const char* stop = prefixed(p, end, c, cased_word_lower);
    if (stop == nullptr) stop = prefixed(p, end, c, cased_word_upper);
    if (stop != nullptr) {
      const char* suffix = contractions ? scan::contraction(stop, end, true) : nullptr;
      return suffix != nullptr ? suffix : stop;
    }
    if (c.in(classes::number)) return scan::run_up_to(p, end, classes::number, digits_max);
    constexpr auto marks = without(classes::space | classes::letter | classes::number);
    if (const char* after = spaced_run(p, end, marks)) return line_ends_and_slashes(after, end);
    return lines_and_spaces(p, end);
  }
};

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

struct DeepSeekV3 {
  static const char* match(const char* p, const char* end) {
    const Peeked c = peek(p, end);
    if (is_ascii_punctuation(c.code) && p + 1 < end && is_ascii_letter(p[1])) {
      const char* q = p + 2;
      while (q < end && is_ascii_letter(*q)) ++q;
      return q;
    }
    constexpr ClassMask words = classes::letter | classes::mark;
    if (!c.is_line_end() && !c.in(classes::letter | classes::punctuation | classes::symbol)) {
      const char* const start = p + c.length;
      if (const char* stop = run(start, end, words); stop != start) return stop;
    }
    if (const char* stop = run(p, end, words); stop != p) return stop;
    if (const char* stop = spaced_run(p, end, classes::punctuation | classes::symbol)) return line_ends(stop, end);
    return lines_and_spaces(p, end);
  }
};

template <ClassMask set, std::size_t count>
struct RunOf {
  static const char* match(const char* p, const char* end) {
    const char* const stop = scan::run_up_to(p, end, set, count);
    return stop == p ? nullptr : stop;
  }
};
constexpr auto unlimited = static_cast<std::size_t>(-1);

struct LineEnd {
  static const char* match(const char* p, const char*) { return *p == '\r' || *p == '\n' ? p + 1 : nullptr; }
};

// `[^\n]+|[\n]+`
struct Lines {
  static const char* match(const char* p, const char* end) {
    const bool newline = *p == '\n';
    while (p < end && (*p == '\n') == newline) ++p;
    return p;
  }
};

struct ThreeAsciiDigits {
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static const char* match(const char* p, const char* end) {
    return end - p >= 3 && digit(p[0]) && digit(p[1]) && digit(p[2]) ? p + 3 : nullptr;
  }
};

// `[\p{P}\$\+<=>\^~\|`]+`: punctuation and every ASCII symbol; llama.cpp's guess leaves the back-tick out.
template <bool back_tick>
struct Punctuation {
  static const char* match(const char* p, const char* end) {
    const char* q = p;
    while (q < end) {
      const Peeked c = peek(q, end);
      if (!c.in(classes::punctuation) && (!is_ascii_punctuation(c.code) || (!back_tick && c.code == '`'))) break;
      q += c.length;
    }
    return q == p ? nullptr : q;
  }
};

struct Range {
  char32_t first;
  char32_t last;
};

template <typename Ranges>
const char* run_of_ranges(const char* p, const char* end, const Ranges& ranges) {
  while (p < end) {
    const Peeked c = peek(p, end);
    const auto* after = std::upper_bound(std::begin(ranges), std::end(ranges), c.code,
                                         [](char32_t code, const Range& range) { return code < range.first; });
    if (after == std::begin(ranges) || c.code > (after - 1)->last) break;
    p += c.length;
  }
  return p;
}

// `\s?[set]+`: a white-space character of any kind before it.
template <typename Run>
const char* after_one_space(const char* p, const char* end, Run set_run) {
  const Peeked c = peek(p, end);
  if (c.in(classes::space)) {
    const char* const start = p + c.length;
    if (const char* stop = set_run(start, end); stop != start) return stop;
  }
  const char* const stop = set_run(p, end);
  return stop == p ? nullptr : stop;
}

template <ClassMask set>
struct SpacedRun {
  static const char* match(const char* p, const char* end) {
    return after_one_space(p, end, [](const char* q, const char* stop) { return run(q, stop, set); });
  }
};

constexpr Range deepseek_letters[] = {
#include "deepseek_letters.inc"
};
constexpr std::string_view deepseek_letters_pattern =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)";
constexpr Range deepseek_punctuation[] = {{'!', '/'},       {':', '~'},       {0x2018, 0x201F},
                                          {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
constexpr Range deepseek_cjk[] = {{0x0800, 0x9FA5}, {0xAC00, 0xD7FF}};
constexpr Range deepseek_v3_cjk[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};

template <const auto& ranges, bool spaced>
struct RunOfRanges {
  static const char* match(const char* p, const char* end) {
    const auto set_run = [](const char* q, const char* stop) { return run_of_ranges(q, stop, ranges); };
    if constexpr (spaced) return after_one_space(p, end, set_run);
    const char* const stop = set_run(p, end);
    return stop == p ? nullptr : stop;
  }
};

// `\s+$`
struct SpaceAtEnd {
  static bool find(const char* begin, const char* end, Match& match) {
    const char* start = end;
    for (const char* p = begin; p < end;) {
      const Peeked c = peek(p, end);
      if (!c.in(classes::space)) {
        start = end;
      } else if (start == end) {
        start = p;
      }
      p += c.length;
    }
    match = {start, end};
    return start != end;
  }
};

bool find_nothing(const char*, const char*, Match&) {
  return false;
}

#define JACKDAW_CONTRACTIONS R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"
#define JACKDAW_MARKS R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define JACKDAW_MARKS_SLASH R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define JACKDAW_WORD_LOWER R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
#define JACKDAW_WORD_UPPER R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"

constexpr Split splits[] = {
    {"gpt-2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", scan::find<Gpt2>},
    {"llama3", JACKDAW_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})" JACKDAW_MARKS,
     scan::find<Words<llama3_style>>},
    {"qwen2", JACKDAW_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" JACKDAW_MARKS, scan::find<Words<qwen2_style>>},
    {"qwen35",
     JACKDAW_CONTRACTIONS
     R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scan::find<Words<qwen35_style>>},
    {"minicpm5", JACKDAW_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+)" JACKDAW_MARKS,
     scan::find<Words<minicpm5_style>>},
    {"seed-coder",
     JACKDAW_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scan::find<Words<seed_coder_style>>},
    {"ufakzeka", R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" JACKDAW_MARKS, scan::find<Words<ufakzeka_style>>},
    {"gpt-4o",
     JACKDAW_WORD_LOWER JACKDAW_CONTRACTIONS "?|" JACKDAW_WORD_UPPER JACKDAW_CONTRACTIONS
                                             R"(?|\p{N}{1,3})" JACKDAW_MARKS_SLASH,
     scan::find<CasedWords<3, true>>},
    {"tekken", JACKDAW_WORD_LOWER "|" JACKDAW_WORD_UPPER R"(|\p{N})" JACKDAW_MARKS_SLASH,
     scan::find<CasedWords<1, false>>},
    {"deepseek-v3",
     R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+)"
     R"(| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     scan::find<DeepSeekV3>},
    {"number", R"(\p{N})", scan::find<RunOf<classes::number, 1>>},
    {"number-1-3", R"(\p{N}{1,3})", scan::find<RunOf<classes::number, 3>>},
    {"numbers", R"(\p{N}+)", scan::find<RunOf<classes::number, unlimited>>},
    {"three-digits", R"([0-9][0-9][0-9])", scan::find<ThreeAsciiDigits>},
    {"punctuation", R"([\p{P}\$\+<=>\^~\|`]+)", scan::find<Punctuation<true>>},
    {"default-punctuation", R"([\p{P}\$\+<=>\^~\|]+)", scan::find<Punctuation<false>>},
    {"line-end", R"([\r\n])", scan::find<LineEnd>},
    {"lines", R"([^\n]+|[\n]+)", scan::find<Lines>},
    {"spaced-letters", R"(\s?\p{L}+)", scan::find<SpacedRun<classes::letter>>},
    {"spaced-punctuation", R"(\s?\p{P}+)", scan::find<SpacedRun<classes::punctuation>>},
    {"deepseek-letters", deepseek_letters_pattern, scan::find<RunOfRanges<deepseek_letters, true>>},
    {"deepseek-punctuation", R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)", scan::find<RunOfRanges<deepseek_punctuation, true>>},
    {"deepseek-cjk", "[一-龥\u0800-一가-\uD7FF]+", scan::find<RunOfRanges<deepseek_cjk, false>>},
    {"deepseek-v3-cjk", R"([一-龥぀-ゟ゠-ヿ]+)", scan::find<RunOfRanges<deepseek_v3_cjk, false>>},
    {"space-at-end", R"(\s+$)", SpaceAtEnd::find},
    {"none", "(no split)", find_nothing},
};

}  // namespace

const Split* find_split(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(splits), std::end(splits), [&](const Split& s) { return s.name == name; });
  return found == std::end(splits) ? nullptr : found;
}

const Split* find_split_by_pattern(std::string_view pattern) {
  const auto* found =
      std::find_if(std::begin(splits), std::end(splits), [&](const Split& s) { return s.pattern == pattern; });
  return found == std::end(splits) ? nullptr : found;
}

std::string known_splits() {
  std::string names;
  for (const Split& split : splits) names += (names.empty() ? "" : ", ") + std::string(split.name);
  return names;
}

}  // namespace jackdaw::text
