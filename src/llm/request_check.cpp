#include "src/llm/request_check.h"

#include <algorithm>
#include <cmath>

#include "jackdaw/ops/backend.h"

namespace jackdaw::llm {

namespace {

constexpr std::size_t strings_max = 1024;
constexpr std::size_t string_bytes_max = 64 * 1024;
constexpr std::int32_t logprobs_max = 1024;

Error wrong(std::string_view field, std::string message) {
  return Error{Code::invalid_argument, std::move(message), std::string(field)};
}

Result<void> check_token(std::string_view field, std::int64_t token, const EngineLimits& limits) {
  if (token >= 0 && token < limits.vocabulary) return {};
  return wrong(field, fmt::format("Token id {} is not in the vocabulary of {} tokens.", token, limits.vocabulary));
}

Result<void> check_range(std::string_view field, std::optional<float> value, float low, float high, bool low_itself) {
  if (!value) return {};
  if (std::isfinite(*value) && (low_itself ? *value >= low : *value > low) && *value <= high) return {};
  return wrong(field,
               fmt::format("{} must be in {}{}, {}], got {}.", field, low_itself ? '[' : '(', low, high, *value));
}

Result<void> check_strings(std::string_view field, const std::vector<std::string>& strings) {
  std::size_t bytes = 0;
  for (const std::string& text : strings) {
    if (text.empty()) return wrong(field, fmt::format("{} may not hold an empty string.", field));
    bytes += text.size();
  }
  if (strings.size() <= strings_max && bytes <= string_bytes_max) return {};
  return wrong(field, fmt::format("{} may hold {} strings of {} bytes together, got {} of {}.", field, strings_max,
                                  string_bytes_max, strings.size(), bytes));
}

Result<void> check_sampling(const engine::SamplingOptions& sampling, const EngineLimits& limits) {
  JACKDAW_TRY(check_range("temperature", sampling.temperature, 0.0f, 1e6f, true));
  JACKDAW_TRY(check_range("top_p", sampling.top_p, 0.0f, 1.0f, false));
  JACKDAW_TRY(check_range("min_p", sampling.min_p, 0.0f, 1.0f, true));
  JACKDAW_TRY(check_range("repetition_penalty", sampling.repetition_penalty, 0.0f, 1e6f, false));
  JACKDAW_TRY(check_range("presence_penalty", sampling.presence_penalty, -2.0f, 2.0f, true));
  JACKDAW_TRY(check_range("frequency_penalty", sampling.frequency_penalty, -2.0f, 2.0f, true));
  if (sampling.top_k && *sampling.top_k < -1) {
    return wrong("top_k", fmt::format("top_k must be -1 or 0 (off) or more, got {}.", *sampling.top_k));
  }
  for (const auto& [token, bias] : sampling.logit_bias) {
    JACKDAW_TRY(check_token("logit_bias", token, limits));
    JACKDAW_TRY(check_range("logit_bias", bias, -100.0f, 100.0f, true));
  }
  for (const engine::TokenId token : sampling.allowed_tokens) {
    JACKDAW_TRY(check_token("allowed_token_ids", token, limits));
  }
  return check_strings("bad_words", sampling.bad_words);
}

Result<void> check_length(const engine::GenerateInputs& inputs, const EngineLimits& limits) {
  const std::uint64_t prompt = inputs.prompt.size();
  const std::uint64_t answer = inputs.max_tokens.value_or(1);
  if (prompt + answer > limits.max_model_len) {
    if (!inputs.max_tokens || prompt > limits.max_model_len) {
      return wrong("prompt", fmt::format("This model's maximum context length is {} tokens, but the prompt has {}. "
                                         "Please shorten the prompt.",
                                         limits.max_model_len, prompt));
    }
    return wrong("max_tokens",
                 fmt::format("This model's maximum context length is {} tokens, but {} were asked for: {} in the "
                             "prompt and {} for the answer. Please shorten the prompt or lower max_tokens.",
                             limits.max_model_len, prompt + answer, prompt, answer));
  }
  const std::uint64_t cache = std::uint64_t{limits.pages} * ops::page_tokens;
  if (prompt + answer <= cache) return {};
  return wrong("prompt",
               fmt::format("The KV cache holds {} tokens, but {} are needed. Please shorten the prompt, lower "
                           "max_tokens, or give the server more memory.",
                           cache, prompt + answer));
}

}  // namespace

Result<void> check_request(const engine::GenerateInputs& inputs, const EngineLimits& limits) {
  if (inputs.prompt.empty()) return wrong("prompt", "The prompt is empty; at least one token is needed.");
  JACKDAW_TRY(check_length(inputs, limits));
  for (const engine::TokenId token : inputs.prompt) JACKDAW_TRY(check_token("prompt", token, limits));
  for (const engine::TokenId token : inputs.stop_tokens) JACKDAW_TRY(check_token("stop_token_ids", token, limits));
  if (inputs.choices == 0 || inputs.choices > limits.max_num_seqs) {
    return wrong("n", fmt::format("n must be between 1 and the server's --max-num-seqs of {}, got {}.",
                                  limits.max_num_seqs, inputs.choices));
  }
  if (inputs.max_tokens && inputs.min_tokens > *inputs.max_tokens) {
    return wrong("min_tokens",
                 fmt::format("min_tokens ({}) is larger than max_tokens ({}).", inputs.min_tokens, *inputs.max_tokens));
  }
  if (inputs.top_logprobs > logprobs_max || inputs.prompt_logprobs > logprobs_max) {
    return wrong("logprobs", fmt::format("At most {} log-probabilities per token can be given.", logprobs_max));
  }
  JACKDAW_TRY(check_strings("stop", inputs.stop));
  return check_sampling(inputs.sampling, limits);
}

std::uint32_t answer_tokens_max(const engine::GenerateInputs& inputs, const EngineLimits& limits) {
  const std::uint64_t context =
      std::min<std::uint64_t>(limits.max_model_len, std::uint64_t{limits.pages} * ops::page_tokens);
  const std::uint64_t room = context > inputs.prompt.size() ? context - inputs.prompt.size() : 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(inputs.max_tokens.value_or(0xffffffffu), room));
}

}  // namespace jackdaw::llm
