// The parts of tokenizer.json around the model: normalizer, pre_tokenizer, decoder, post_processor. For .cpp files
// only.
#pragma once

#include "jackdaw/text/tokenizer.h"
#include "json_value.h"

namespace jackdaw::text::json {

// What the parts said, gathered before it is known what kind of tokenizer they make.
struct Pipeline {
  TokenizerSpec& spec;
  bool byte_level = false;     // ByteLevel in pre_tokenizer or decoder
  bool spaces_marked = false;  // " " becomes ▁
  bool prefixed = false;       // and the text begins with one
  std::string_view first;      // TemplateProcessing: the special token before the text, and the one behind it
  std::string_view last;
};

// Each takes its whole element. unsupported names the component.
Result<void> read_normalizer(const Element& normalizer, Pipeline& pipeline);
Result<void> read_pre_tokenizer(const Element& pre_tokenizer, Pipeline& pipeline);
Result<void> read_decoder(const Element& decoder, Pipeline& pipeline);
Result<void> read_post_processor(const Element& post_processor, Pipeline& pipeline);

}  // namespace jackdaw::text::json
