// AnswerText: what a sequence's tokens say, as far as it may be shown, and whether a stop string ended it.
// Owner: the engine thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jackdaw/engine/generate.h"
#include "jackdaw/text/detokenizer.h"

namespace jackdaw::llm {

class AnswerText {
 public:
  AnswerText(std::shared_ptr<const text::Tokenizer> tokenizer, const engine::GenerateInputs& inputs);

  // Text that may be shown now. Stop strings are looked for from the `min_tokens`th token on.
  std::string push(engine::TokenId token, bool look_for_stops);
  // What was held back, when generation ends for another reason than a stop string. May find one.
  std::string finish(bool look_for_stops);

  bool stopped() const { return stopped_; }
  const std::string& stop_text() const { return stop_text_; }

 private:
  std::string match(std::string text);

  std::vector<std::string> stops_;
  text::Detokenizer detokenizer_;
  text::StopMatcher matcher_;
  bool stopped_ = false;
  std::string stop_text_;
};

}  // namespace jackdaw::llm
