#include "src/api/openai/completion_writer.h"

#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::api::openai {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

CompletionWriter::CompletionWriter(const GenerationRequest& request, AnswerHead head,
                                   std::vector<PreparedPrompt> prompts, const engine::PromptCodec& codec)
    : AnswerWriter(request, std::move(head), std::move(prompts), codec, "text_completion") {}

void CompletionWriter::append_choice_events(std::string& out, std::uint32_t index, const ChoiceNews& choice) {
  ChoiceState& state = states_[index];
  const bool last = choice.finish != engine::FinishReason::none;
  const bool first = !state.started;
  const bool shows_more = (logprobs_ && !choice.logprobs.empty()) || (return_token_ids_ && !choice.tokens.empty());
  const bool shows_prompt = first && (echo_ || return_token_ids_);
  if (prompt_only_ ? !last : !last && choice.text.empty() && !shows_more && !shows_prompt) return;
  state.started = true;
  open_event(out, index);
  append_members(out, index, choice, first, last, state.text_offset);
  close_event(out, index);
}

void CompletionWriter::append_choice(std::string& out, std::uint32_t index, const ChoiceNews& choice) const {
  std::size_t text_offset = 0;
  out += R"({"index":)" + std::to_string(index);
  append_members(out, index, choice, true, true, text_offset);
  if (shows_prompt_logprobs_) append_prompt_logprobs(out, index);
  out += '}';
}

void CompletionWriter::append_members(std::string& out, std::uint32_t index, const ChoiceNews& choice, bool first,
                                      bool last, std::size_t& text_offset) const {
  const bool with_prompt = first && echo_;
  out += R"(,"text":)";
  if (with_prompt) {
    const std::string prompt = valid_utf8(prompt_of(index).text);
    append_json_string(out, prompt_only_ ? prompt : prompt + choice.text);
  } else {
    append_json_string(out, choice.text);
  }
  out += R"(,"logprobs":)";
  append_logprobs(out, index, choice, with_prompt, text_offset);
  if (last) {
    append_finish(out, choice);
  } else {
    out += R"(,"finish_reason":null)";
  }
  if (!return_token_ids_) return;
  if (first) {
    out += R"(,"prompt_token_ids":)";
    append_ids(out, prompt_of(index).tokens);
  }
  out += R"(,"token_ids":)";
  append_ids(out, prompt_only_ ? std::span<const engine::TokenId>() : choice.tokens);
}

void CompletionWriter::append_logprobs(std::string& out, std::uint32_t index, const ChoiceNews& choice,
                                       bool with_prompt, std::size_t& text_offset) const {
  if (!logprobs_) {
    out += "null";
    return;
  }
  Columns columns;
  if (with_prompt) {
    bool is_first = true;
    for (const auto& token : prompt_logprobs_of(index)) {
      add_token(columns, token, std::exchange(is_first, false), text_offset);
    }
  }
  if (!prompt_only_) {
    for (const auto& token : choice.logprobs) add_token(columns, token, false, text_offset);
  }
  out += R"({"text_offset":[)" + columns.offsets + R"(],"token_logprobs":[)" + columns.logprobs + R"(],"tokens":[)" +
         columns.tokens + R"(],"top_logprobs":[)" + columns.top + "]}";
}

// A part of a character has no text of its own; OpenAI writes its bytes.
std::string CompletionWriter::token_name(engine::TokenId token) const {
  const std::string_view bytes = codec_.token_bytes(token);
  std::string name;
  if (tokens_as_ids_ || is_valid_utf8(bytes)) {
    append_token_name(name, token);
    return name;
  }
  std::string text = "bytes:";
  for (const char c : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  append_json_string(name, text);
  return name;
}

void CompletionWriter::add_token(Columns& to, const engine::TokenLogprobs& token, bool is_first_of_prompt,
                                 std::size_t& text_offset) const {
  const std::string_view comma = to.tokens.empty() ? "" : ",";
  const std::string name = token_name(token.token);
  to.tokens.append(comma).append(name);
  to.offsets.append(comma).append(std::to_string(text_offset));
  text_offset += characters(codec_.token_bytes(token.token));
  to.logprobs += comma;
  to.top += comma;
  // Nothing stands before the first token that could make it likely.
  if (is_first_of_prompt) {
    to.logprobs += "null";
    to.top += "null";
    return;
  }
  append_logprob(to.logprobs, token.logprob);
  to.top += '{' + name + ':';
  append_logprob(to.top, token.logprob);
  for (const engine::TopLogprob& other : token.top) {
    if (other.token == token.token) continue;
    to.top += ',' + token_name(other.token) + ':';
    append_logprob(to.top, other.logprob);
  }
  to.top += '}';
}

}  // namespace jackdaw::api::openai
