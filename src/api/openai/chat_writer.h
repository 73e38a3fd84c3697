// ChatWriter: chat.completion and chat.completion.chunk objects.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/api/openai/answer_writer.h"

namespace jackdaw::api::openai {

class ChatWriter final : public AnswerWriter {
 public:
  static constexpr std::string_view whole_object = "chat.completion";

  ChatWriter(const GenerationRequest& request, AnswerHead head, std::vector<PreparedPrompt> prompts,
             const engine::PromptCodec& codec);

 private:
  void append_choice_events(std::string& out, std::uint32_t index, const ChoiceNews& choice) override;
  void append_choice(std::string& out, std::uint32_t index, const ChoiceNews& choice) const override;
  void append_first_event(std::string& out, std::uint32_t index);
  void append_content_event(std::string& out, std::uint32_t index, const ChoiceNews& choice);
  void append_logprobs(std::string& out, std::span<const engine::TokenLogprobs> tokens) const;
  void append_token(std::string& out, engine::TokenId token, float logprob) const;
};

}  // namespace jackdaw::api::openai
