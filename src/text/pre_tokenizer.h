// PreTokenizer: cuts text into the words that byte-level BPE merges within.
//
// Each vocabulary was trained behind regular expressions. A *split* is one of them, coded by hand: a matcher that says
// where the match at a place ends. A pre-tokenizer is a list of splits: the first cuts the text, the next cuts each
// piece, and so on; what no match covers is a piece of its own ("Isolated"). Look-ahead ends with the piece. Every
// split takes time linear in the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::text {

struct Match {
  const char* begin;
  const char* end;
};
// The first match within [begin, end); false when there is none. Matches are never empty.
using FindMatch = bool (*)(const char* begin, const char* end, Match& match);

struct Split {
  std::string_view name;     // as in the tables of pre_tokenizer_names.cpp
  std::string_view pattern;  // the regular expression, as tokenizer.json files write it
  FindMatch find;
};
const Split* find_split(std::string_view name);
const Split* find_split_by_pattern(std::string_view pattern);

class PreTokenizer {
 public:
  // By splits' names. unsupported lists the names there are.
  static Result<PreTokenizer> from_splits(const std::vector<std::string>& names);
  // By tokenizer.ggml.pre. unsupported lists the names there are.
  static Result<PreTokenizer> from_name(std::string_view pre);

  // Calls word(std::string_view) for each piece in order; together they are the text.
  template <typename Word>
  void split(std::string_view text, Word&& word) const {
    split_from(0, text.data(), text.data() + text.size(), word);
  }

 private:
  template <typename Word>
  void split_from(std::size_t stage, const char* begin, const char* end, Word& word) const {
    if (begin == end) return;
    if (stage == stages_.size()) return word(std::string_view(begin, static_cast<std::size_t>(end - begin)));
    Match match{};
    while (begin < end && stages_[stage](begin, end, match)) {
      split_from(stage + 1, begin, match.begin, word);
      split_from(stage + 1, match.begin, match.end, word);
      begin = match.end;
    }
    split_from(stage + 1, begin, end, word);
  }

  std::vector<FindMatch> stages_;  // a handful: the recursion is as deep
};

// What a value of tokenizer.ggml.pre stands for.
struct PreTokenizerName {
  std::string_view name;
  std::vector<std::string_view> splits;
  bool ignore_merges = false;
  bool add_bos = false;
  bool raw_text = false;  // pieces are text with ▁ for spaces, not GPT-2's byte alphabet
};
// Null when unknown. "" and "default" are llama.cpp's guess for files that do not say.
const PreTokenizerName* find_pre_tokenizer(std::string_view name);
std::string known_pre_tokenizers();  // "a, b, c"

}  // namespace jackdaw::text
