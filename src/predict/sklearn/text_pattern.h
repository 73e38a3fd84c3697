// TokenPattern: the regular expressions of token_pattern, in a bounded subset of Python's, found in linear memory and
// with a step budget. Supported: literals, escapes, . [..] [^..] \w \d \s \W \D \S \b \B ^ $, (..) (?:..) |, and the
// greedy
// * + ? {m} {m,} {m,n}; flags (?u), (?i) and (?a) are refused save (?u). At most one capturing group, as scikit-learn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::predict {

class TokenPattern {
 public:
  // Errors: unsupported, naming what in the pattern is not supported.
  static Result<TokenPattern> compile(std::string_view pattern);

  // re.findall: the first group of every match (the match itself without groups), appended to `tokens` as views into
  // `text`. resource_exhausted when the pattern needs too many steps for this text.
  Result<void> find_all(std::string_view text, std::vector<std::string_view>& tokens) const;

  // One instruction of the compiled program; public for the compiler in the .cpp.
  struct Range {
    char32_t first, last;
  };
  struct CharSet {
    std::vector<Range> ranges;
    std::string classes;  // of "wdsWDS"
    bool negated = false;
    bool contains(char32_t c) const;
  };
  enum class Op : unsigned char { set, split, jump, boundary, not_boundary, begin, end, save, match };
  struct Instruction {
    Op op;
    std::uint32_t x = 0;  // set: index of the set; split: preferred target; jump: target; save: slot
    std::uint32_t y = 0;  // split: the other target
  };

 private:
  enum class Fast : unsigned char { none, words, long_words };  // \b\w+\b and \b\w\w+\b
  Fast fast_ = Fast::none;
  bool has_group_ = false;
  std::vector<CharSet> sets_;
  std::vector<Instruction> program_;

  friend class PatternCompiler;
  friend class PatternRun;
};

}  // namespace jackdaw::predict
