// TextAnalyzer: from a document to its tokens, as scikit-learn's vectorizers do it: lower case, accents, tokens, stop
// words, n-grams of words or characters.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "src/predict/sklearn/estimator.h"
#include "src/predict/sklearn/text_pattern.h"

namespace jackdaw::predict {

class TextAnalyzer {
 public:
  // Reads lowercase, strip_accents, token_pattern, stop_words, ngram_range and analyzer. A tokenizer, preprocessor or
  // analyzer that is Python code is refused.
  static Result<TextAnalyzer> read(const BuildContext& context);

  // Calls `sink` with every token in order; the view is good for that call.
  using Sink = std::function<void(std::string_view)>;
  Result<void> analyze(std::string_view document, const Sink& sink) const;

 private:
  enum class Unit : unsigned char { word, character, character_in_words };
  enum class Accents : unsigned char { keep, ascii, unicode };

  std::string prepare(std::string_view document) const;
  bool is_stop_word(std::string_view token) const;
  Result<void> words(std::string_view text, const Sink& sink) const;
  void characters(std::string_view text, const Sink& sink) const;
  void characters_in_words(std::string_view text, const Sink& sink) const;

  Unit unit_ = Unit::word;
  bool lowercase_ = true;
  Accents accents_ = Accents::keep;
  bool english_ = false;
  std::unordered_set<std::string> stop_words_;
  TokenPattern pattern_;
  std::size_t least_ = 1;
  std::size_t most_ = 1;
};

}  // namespace jackdaw::predict
