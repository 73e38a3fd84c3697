// The readers behind read_tokenizer, one a format.
#pragma once

#include <filesystem>
#include <string_view>

#include "jackdaw/text/tokenizer.h"

namespace jackdaw::text {

Result<TokenizerSpec> read_gguf_tokenizer(const formats::Metadata& keys);

// The JSON files beside safetensors; "" = there is none.
struct TokenizerFiles {
  std::string_view tokenizer;           // tokenizer.json
  std::string_view tokenizer_config;    // tokenizer_config.json
  std::string_view special_tokens_map;  // special_tokens_map.json
};
Result<TokenizerSpec> read_tokenizer_json(const TokenizerFiles& files);

}  // namespace jackdaw::text
