// GenerationRequest: the body of a chat or text completion (or of tokenize), read and checked, before the model is
// known. What needs the model's vocabulary and context is checked in prompts.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jackdaw/engine/generate.h"
#include "src/api/openai/refusal.h"

namespace jackdaw::api::openai {

// Bits: a parameter may be known to several.
enum class Kind : unsigned { chat = 1, completions = 2, tokenize = 4, detokenize = 8 };

// Bounds on what one request may hold, beside net's limit on its bytes.
inline constexpr std::size_t messages_max = 8192;
inline constexpr std::size_t choices_max = 1024;  // prompts x n
inline constexpr std::size_t stop_strings_max = 32;
inline constexpr std::size_t stop_bytes_max = 1024;
inline constexpr std::size_t bad_words_max = 1024;
inline constexpr std::size_t token_list_max = 4096;  // stop_token_ids, logit_bias
inline constexpr std::int64_t logprobs_max = 20;

// One prompt of a text completion.
struct Prompt {
  std::string text;
  std::vector<engine::TokenId> tokens;
  bool is_tokens = false;  // came as token ids
};

// What tokenize and detokenize ask for beyond a prompt.
struct TokenizeFields {
  bool llama_cpp = false;  // came in llama.cpp's words: content, add_special, …
  bool parse_special = true;
  bool with_pieces = false;
  bool return_token_strs = false;
  std::optional<std::vector<engine::TokenId>> tokens;
};

struct GenerationRequest {
  Kind kind = Kind::chat;
  std::string model;  // "" = not said
  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;

  engine::GenerateInputs inputs;       // of every prompt; `prompt` itself is filled in later
  bool max_tokens_is_default = false;  // then it shrinks to what the context leaves
  bool logprobs = false;               // the answer shows them; inputs.top_logprobs says how many alternatives

  engine::ChatPrompt chat;
  std::string last_message;                            // the last message's text when it is the assistant's, for echo
  std::size_t message_bytes = 0;                       // estimate of the text to encode
  bool has_messages = false;                           // tokenize takes messages or a prompt
  std::vector<Prompt> prompts;                         // completions, tokenize
  std::optional<bool> add_special_tokens;              // none: by kind
  std::optional<std::int64_t> truncate_prompt_tokens;  // -1 = the model's context
  bool truncate_right = false;

  bool echo = false;
  bool prompt_only = false;  // echo with max_tokens 0: nothing of the model's is shown
  bool return_token_ids = false;
  bool return_tokens_as_token_ids = false;
  bool return_prompt_text = false;
  std::string request_id;
  TokenizeFields tokenize;

  std::vector<std::string> ignored;  // unknown fields, in the order they came
};

struct ReadOptions {
  bool trust_request_chat_template = false;
};

std::variant<GenerationRequest, Refusal> read_generation(std::string_view body, Kind kind,
                                                         const ReadOptions& options = {});

}  // namespace jackdaw::api::openai
