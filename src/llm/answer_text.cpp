#include "src/llm/answer_text.h"

#include <utility>

namespace jackdaw::llm {

AnswerText::AnswerText(std::shared_ptr<const text::Tokenizer> tokenizer, const engine::GenerateInputs& inputs)
    : stops_(inputs.stop),
      detokenizer_(std::move(tokenizer), inputs.skip_special_tokens, inputs.continues_text),
      matcher_(inputs.stop, inputs.include_stop_in_output) {}

std::string AnswerText::match(std::string text) {
  if (stops_.empty()) return text;
  text::StopMatcher::Output out = matcher_.push(text);
  if (out.stop_index) {
    stopped_ = true;
    stop_text_ = stops_[*out.stop_index];
  }
  return std::move(out.text);
}

std::string AnswerText::push(engine::TokenId token, bool look_for_stops) {
  std::string text = detokenizer_.push(token);
  return look_for_stops ? match(std::move(text)) : text;
}

std::string AnswerText::finish(bool look_for_stops) {
  std::string text = detokenizer_.finish();
  if (!look_for_stops || stops_.empty()) return text;
  text = match(std::move(text));
  if (!stopped_) text += matcher_.finish();
  return text;
}

}  // namespace jackdaw::llm
