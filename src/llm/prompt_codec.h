// The codec of a loaded model: its tokenizer and its chat template behind engine::PromptCodec. Immutable, any thread.
#pragma once

#include <memory>
#include <string>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/generate.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/text/chat_template.h"
#include "jackdaw/text/tokenizer.h"

namespace jackdaw::llm {

struct CodecParts {
  std::string model_name;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<const text::ChatTemplate> chat_template;  // null: the model has none
  std::uint32_t vocabulary = 0;
  std::uint32_t max_model_len = 0;
  Clock* clock = nullptr;
};

std::shared_ptr<const engine::PromptCodec> make_prompt_codec(CodecParts parts);

// The text of a model's template: `chosen` when not empty, else GGUF's tokenizer.chat_template, else the folder's
// chat_template.jinja, else tokenizer_config.json's chat_template (of several the one named "default"). "" = none.
Result<std::string> find_chat_template(const formats::ModelFile& file, const std::string& chosen);

// `rendered` cut off where the last message of `context_json` ends, as transformers' continue_final_message does.
Result<std::string> cut_after_final_message(std::string rendered, std::string_view context_json);

}  // namespace jackdaw::llm
