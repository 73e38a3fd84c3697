// Generation: what a request for tokens carries, what comes back per step, and the codec between text and tokens.
// Names and defaults: OpenAI's chat and completion requests, vLLM's sampling extras.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"

namespace jackdaw::engine {

using TokenId = std::int32_t;

// nullopt: the request did not say; the model's generation_config.json decides, then OpenAI's default.
struct SamplingOptions {
  std::optional<float> temperature;         // >= 0; default 1
  std::optional<float> top_p;               // (0, 1]; default 1
  std::optional<std::int32_t> top_k;        // 0 or -1 = off
  std::optional<float> min_p;               // [0, 1]; default 0
  std::optional<float> repetition_penalty;  // > 0; default 1
  float presence_penalty = 0.0f;            // [-2, 2]
  float frequency_penalty = 0.0f;           // [-2, 2]
  std::optional<std::uint64_t> seed;        // none: a fresh one per request
  std::vector<std::pair<TokenId, float>> logit_bias;
  std::vector<TokenId> allowed_tokens;  // vLLM's allowed_token_ids
  std::vector<std::string> bad_words;   // vLLM's bad_words: never produced
};

struct GenerateInputs {
  std::vector<TokenId> prompt;
  std::uint32_t choices = 1;                // n
  std::optional<std::uint32_t> max_tokens;  // none: up to the context's end
  std::uint32_t min_tokens = 0;             // end tokens and stops are held back before
  SamplingOptions sampling;
  std::vector<std::string> stop;
  std::vector<TokenId> stop_tokens;  // stop_token_ids
  bool include_stop_in_output = false;
  bool ignore_eos = false;
  bool skip_special_tokens = true;
  bool continues_text = false;        // the answer goes on where the prompt's text ends (completions)
  std::int32_t top_logprobs = -1;     // -1 = none wanted, 0 = the chosen token's own
  std::int32_t prompt_logprobs = -1;  // the same for the prompt's tokens (echo)
  std::int32_t priority = 0;          // smaller first (vLLM)
  std::string cache_salt;             // prefixes are shared only among equal salts
};

struct TopLogprob {
  TokenId token = 0;
  float logprob = 0.0f;
};
struct TokenLogprobs {
  TokenId token = 0;
  float logprob = 0.0f;
  std::vector<TopLogprob> top;  // most likely first
};

enum class FinishReason : std::uint8_t { none, stop, length, abort };

// What one step gave one choice. Text never splits a UTF-8 character and never shows part of a stop string.
struct TokenDelta {
  std::uint32_t choice = 0;
  std::string text;
  std::vector<TokenId> tokens;          // the step's tokens, also those whose text is held back still
  std::vector<TokenLogprobs> logprobs;  // one per token, when asked for
  FinishReason finish = FinishReason::none;
  std::string stop_text;    // finish == stop: the stop string that matched
  TokenId stop_token = -1;  // finish == stop: the token that ended it, when it was one of stop_tokens
};

// Sent once, before the first TokenDelta: the prompt has been computed.
struct PromptDone {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;  // found in the prefix cache
  std::vector<TokenLogprobs>
      prompt_logprobs;  // one per prompt token when asked for; the first has logprob 0 and no top
};

struct GenerateUsage {
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;
  std::uint32_t completion_tokens = 0;  // of all choices
  std::uint32_t draft_tokens = 0;       // proposed by speculation
  std::uint32_t accepted_tokens = 0;
  Duration queue_time{0};
  Duration prefill_time{0};
  Duration decode_time{0};
};

struct ChatPrompt {
  // A JSON object with "messages" and whatever else the template may use ("tools", "documents", chat_template_kwargs'
  // members). bos_token, eos_token and add_generation_prompt are added by the codec.
  std::string context_json;
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // the last message is left open for the answer to go on
  std::string chat_template;            // "" = the model's own
};

// Text to tokens and back for one model. Thread-safe. Encoding a long text takes time: above some 16 KB keep it off the
// io threads.
class PromptCodec {
 public:
  virtual ~PromptCodec() = default;
  // unsupported when the model has no chat template.
  virtual Result<std::string> render(const ChatPrompt& prompt) const = 0;
  virtual std::vector<TokenId> encode(std::string_view text, bool add_special, bool parse_special = true) const = 0;
  virtual std::string decode(std::span<const TokenId> tokens, bool skip_special) const = 0;
  virtual std::string_view token_bytes(TokenId token) const = 0;  // may be part of a UTF-8 character
  virtual std::string_view token_piece(TokenId token) const = 0;  // as the vocabulary writes it
  virtual std::uint32_t vocabulary() const = 0;
  virtual std::uint32_t max_model_len() const = 0;  // prompt and answer together
  virtual TokenId bos() const = 0;                  // -1 = none
};

// How an LLM is to be served: vLLM's engine arguments of the same names. 0 or "" = decided from model and machine.
struct LlmOptions {
  std::uint32_t max_model_len = 0;           // --max-model-len
  std::uint32_t max_num_seqs = 0;            // --max-num-seqs
  std::uint32_t max_num_batched_tokens = 0;  // --max-num-batched-tokens
  std::string kv_cache_dtype;                // --kv-cache-dtype: auto, f16 (float16), bf16 (bfloat16), q8_0
  std::uint64_t kv_cache_bytes = 0;          // --kv-cache-memory-bytes
  std::uint64_t memory_bytes = 0;            // budget for weights, cache and workspace together
  bool enable_prefix_caching = true;         // --[no-]enable-prefix-caching
  std::string generation_config = "auto";    // --generation-config: auto (the model's file) or vllm (none)
  std::string chat_template;                 // --chat-template: the text itself
  std::uint32_t speculative_tokens = 4;      // n-gram drafts at most this long at low occupancy; 0 = off
  std::uint32_t queue_max = 0;               // requests waiting for a place before 429
  double itl_target_ms = 0;                  // inter-token latency that prefill chunks must leave room for
};

}  // namespace jackdaw::engine
