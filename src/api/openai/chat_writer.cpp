#include "src/api/openai/chat_writer.h"

#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::api::openai {

ChatWriter::ChatWriter(const GenerationRequest& request, AnswerHead head, std::vector<PreparedPrompt> prompts,
                       const engine::PromptCodec& codec)
    : AnswerWriter(request, std::move(head), std::move(prompts), codec,
                   request.stream ? "chat.completion.chunk" : whole_object) {}

void ChatWriter::append_choice_events(std::string& out, std::uint32_t index, const ChoiceNews& choice) {
  if (!std::exchange(states_[index].started, true)) append_first_event(out, index);
  const bool shows_more = (logprobs_ && !choice.logprobs.empty()) || (return_token_ids_ && !choice.tokens.empty());
  if (!choice.text.empty() || shows_more) append_content_event(out, index, choice);
  if (choice.finish == engine::FinishReason::none) return;
  open_event(out, index);
  out += R"(,"delta":{},"logprobs":null)";
  append_finish(out, choice);
  close_event(out, index);
}

// The role, once for each choice; what goes with the prompt comes with it.
void ChatWriter::append_first_event(std::string& out, std::uint32_t index) {
  std::string members;
  if (return_token_ids_) {
    members += R"(,"prompt_token_ids":)";
    append_ids(members, prompt_of(index).tokens);
  }
  if (return_prompt_text_) {
    members += R"(,"prompt_text":)";
    append_json_string(members, valid_utf8(prompt_of(index).text));
  }
  open_event(out, index);
  out += R"(,"delta":{"role":"assistant","content":)";
  append_json_string(out, last_message_);
  out += R"(},"logprobs":null,"finish_reason":null)";
  close_event(out, index, members);
}

void ChatWriter::append_content_event(std::string& out, std::uint32_t index, const ChoiceNews& choice) {
  open_event(out, index);
  out += R"(,"delta":{"content":)";
  append_json_string(out, choice.text);
  out += R"(},"logprobs":)";
  append_logprobs(out, choice.logprobs);
  out += R"(,"finish_reason":null)";
  if (return_token_ids_) {
    out += R"(,"token_ids":)";
    append_ids(out, choice.tokens);
  }
  close_event(out, index);
}

void ChatWriter::append_choice(std::string& out, std::uint32_t index, const ChoiceNews& choice) const {
  fmt::format_to(std::back_inserter(out), R"({{"index":{},"message":{{"role":"assistant","content":)", index);
  append_json_string(out, last_message_ + choice.text);
  out += R"(,"refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning":null})";
  out += R"(,"logprobs":)";
  append_logprobs(out, choice.logprobs);
  append_finish(out, choice);
  if (return_token_ids_) {
    out += R"(,"token_ids":)";
    append_ids(out, choice.tokens);
  }
  out += '}';
}

void ChatWriter::append_logprobs(std::string& out, std::span<const engine::TokenLogprobs> tokens) const {
  if (!logprobs_) {
    out += "null";
    return;
  }
  out += R"({"content":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += ',';
    append_token(out, tokens[i].token, tokens[i].logprob);
    out += R"(,"top_logprobs":[)";
    for (std::size_t k = 0; k < tokens[i].top.size(); ++k) {
      if (k > 0) out += ',';
      append_token(out, tokens[i].top[k].token, tokens[i].top[k].logprob);
      out += '}';
    }
    out += "]}";
  }
  out += R"(],"refusal":null})";
}

// Leaves the object open.
void ChatWriter::append_token(std::string& out, engine::TokenId token, float logprob) const {
  out += R"({"token":)";
  append_token_name(out, token);
  out += R"(,"logprob":)";
  append_logprob(out, logprob);
  out += R"(,"bytes":[)";
  bool first = true;
  for (const char c : codec_.token_bytes(token)) {
    if (!std::exchange(first, false)) out += ',';
    out += std::to_string(static_cast<unsigned char>(c));
  }
  out += ']';
}

}  // namespace jackdaw::api::openai
