// CompletionWriter: text_completion objects.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/api/openai/answer_writer.h"

namespace jackdaw::api::openai {

class CompletionWriter final : public AnswerWriter {
 public:
  CompletionWriter(const GenerationRequest& request, AnswerHead head, std::vector<PreparedPrompt> prompts,
                   const engine::PromptCodec& codec);

 private:
  // The four parallel lists of the legacy logprobs, each without its brackets.
  struct Columns {
    std::string tokens, logprobs, top, offsets;
  };

  void append_choice_events(std::string& out, std::uint32_t index, const ChoiceNews& choice) override;
  void append_choice(std::string& out, std::uint32_t index, const ChoiceNews& choice) const override;
  // Everything of a choice after its index.
  void append_members(std::string& out, std::uint32_t index, const ChoiceNews& choice, bool first, bool last,
                      std::size_t& text_offset) const;
  void append_logprobs(std::string& out, std::uint32_t index, const ChoiceNews& choice, bool with_prompt,
                       std::size_t& text_offset) const;
  void add_token(Columns& to, const engine::TokenLogprobs& token, bool is_first_of_prompt,
                 std::size_t& text_offset) const;
  std::string token_name(engine::TokenId token) const;
};

}  // namespace jackdaw::api::openai
