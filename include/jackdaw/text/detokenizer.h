// Detokenizer and StopMatcher: from a stream of tokens to text that may be shown, one step at a time.
//
// One of each per sequence, owned by its thread. The concatenation of all that was handed out equals the text decoded
// at once, cut before the stop string that is complete first, however the tokens were spread over calls.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/text/tokenizer.h"

namespace jackdaw::text {

class Detokenizer {
 public:
  // `continues_text`: the prompt's text goes right on (a completion), so a SentencePiece leading space is kept.
  Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special, bool continues_text);
  // Text that is complete with this token: whole UTF-8 characters only. Bytes that can never become a valid character
  // come out as U+FFFD as soon as that is certain.
  std::string push(TokenId token);
  // What was held back, at the end: an incomplete character becomes U+FFFD.
  std::string finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  bool at_start_;
  std::string pending_;  // at most 3 bytes
};

class StopMatcher {
 public:
  // `include_stop`: the matched stop string stays in the text.
  StopMatcher(std::vector<std::string> stops, bool include_stop);
  struct Output {
    std::string text;                       // safe to show: can no longer be part of a stop string
    std::optional<std::size_t> stop_index;  // set once a stop string was found; nothing comes after it
  };
  // The match that is complete first wins, as text arrives character by character; of those that end together the one
  // that begins first. Empty stop strings never match.
  Output push(std::string_view text);
  // What was held back, when generation ended for another reason.
  std::string finish();

 private:
  // One stop string and how much of it the text ends with (Knuth-Morris-Pratt).
  struct Stop {
    std::string text;
    std::vector<std::size_t> fallback;  // of each length, the longest shorter prefix the text ends with as well
    std::size_t matched = 0;
  };
  static void advance(Stop& stop, char c);

  std::vector<Stop> stops_;
  bool include_stop_;
  bool stopped_ = false;
  std::string held_;  // shorter than the longest stop string
};

}  // namespace jackdaw::text
