// AnswerWriter: an answer's objects as JSON, whole or as server-sent events. What all events of a stream have in common
// is written once, so that a token costs the escaping of its text and one append.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/api/openai/generation_request.h"
#include "src/api/openai/prompts.h"
#include "src/api/openai/token_bridge.h"

namespace jackdaw::api::openai {

// What every object of one answer says of itself.
struct AnswerHead {
  std::string id;  // "chatcmpl-…"
  std::int64_t created = 0;
  std::string model;
  std::string fingerprint;
};

class AnswerWriter {
 public:
  // `codec` must outlive the writer.
  static std::unique_ptr<AnswerWriter> make(const GenerationRequest& request, AnswerHead head,
                                            std::vector<PreparedPrompt> prompts, const engine::PromptCodec& codec);
  virtual ~AnswerWriter() = default;
  AnswerWriter(const AnswerWriter&) = delete;
  AnswerWriter& operator=(const AnswerWriter&) = delete;

  // Appends the events for everything fresh in `news` and clears it there.
  void append_events(std::string& out, News& news);
  // Appends the usage event, when asked for.
  void append_usage_event(std::string& out, const News& news) const;
  // The whole answer, from news that has ended.
  std::string body(const News& news) const;
  // Tokens produced, of all choices, as far as events have told.
  std::uint64_t completion_tokens() const;

 protected:
  struct ChoiceState {
    bool started = false;
    std::uint32_t tokens = 0;
    std::size_t text_offset = 0;  // characters, for the legacy logprobs
  };

  AnswerWriter(const GenerationRequest& request, AnswerHead head, std::vector<PreparedPrompt> prompts,
               const engine::PromptCodec& codec, std::string_view object);

  virtual void append_choice_events(std::string& out, std::uint32_t index, const ChoiceNews& choice) = 0;
  // One element of "choices" of a whole answer.
  virtual void append_choice(std::string& out, std::uint32_t index, const ChoiceNews& choice) const = 0;

  void open_event(std::string& out, std::uint32_t index) const;
  // `members`: further ones of the event's object, each with its comma.
  void close_event(std::string& out, std::uint32_t index, std::string_view members = {}) const;
  void append_ids(std::string& out, std::span<const engine::TokenId> ids) const;
  void append_finish(std::string& out, const ChoiceNews& choice) const;
  void append_prompt_logprobs(std::string& out, std::uint32_t prompt) const;
  // A token's name in logprobs.
  void append_token_name(std::string& out, engine::TokenId token) const;
  void append_usage(std::string& out, const News& news) const;

  const PreparedPrompt& prompt_of(std::uint32_t index) const { return prompts_[index / choices_]; }
  const std::vector<engine::TokenLogprobs>& prompt_logprobs_of(std::uint32_t index) const;

  const engine::PromptCodec& codec_;
  const AnswerHead head_;
  const std::vector<PreparedPrompt> prompts_;
  const std::uint32_t choices_;  // of each prompt
  const bool logprobs_;
  const bool echo_;
  const bool prompt_only_;
  const bool shows_prompt_logprobs_;
  const bool return_token_ids_;
  const bool tokens_as_ids_;
  const bool return_prompt_text_;
  const bool include_usage_;
  const bool continuous_usage_;
  const std::string last_message_;
  std::vector<ChoiceState> states_;
  mutable const News* news_ = nullptr;  // while a member function works on it

 private:
  std::string head_members() const;

  const std::string_view object_;
  std::string event_prefix_;  // data: {"id":…,"choices":[{"index":
  std::string event_suffix_;  // }]}\n\n
};

// Helpers for both kinds of answers.
// The text when it is UTF-8, else with U+FFFD for every byte that is not.
std::string valid_utf8(std::string_view text);
// Shortest digits; -9999.0 for minus infinity and NaN.
void append_logprob(std::string& out, float value);

}  // namespace jackdaw::api::openai
