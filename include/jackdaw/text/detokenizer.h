// Detokenizer and StopMatcher: from a stream of tokens to text that may be shown, one step at a time.
//
// One of each per sequence, owned by its thread. The concatenation of all that was handed out equals the text decoded
// at once, cut before the first stop string, however the tokens were spread over calls.
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
  // The earliest match wins; among stop strings that match at the same place, the first of the list.
  Output push(std::string_view text);
  // What was held back, when generation ended for another reason.
  std::string finish();

 private:
  std::vector<std::string> stops_;
  bool include_stop_;
  bool stopped_ = false;
  std::string held_;
};

}  // namespace jackdaw::text
