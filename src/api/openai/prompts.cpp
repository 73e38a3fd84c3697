#include "src/api/openai/prompts.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace jackdaw::api::openai {
namespace {

using engine::PromptCodec;
using engine::TokenId;
using Outcome = std::variant<PreparedPrompt, Refusal>;

std::optional<Refusal> check_vocabulary(std::string_view param, std::span<const TokenId> tokens,
                                        const PromptCodec& codec) {
  for (const TokenId token : tokens) {
    if (static_cast<std::uint32_t>(token) >= codec.vocabulary())
      return refuse(param, "{}: token id {} is out of the vocabulary of {} tokens.", param, token, codec.vocabulary());
  }
  return std::nullopt;
}

std::optional<Refusal> check_sampling(const GenerationRequest& request, const PromptCodec& codec) {
  const engine::SamplingOptions& sampling = request.inputs.sampling;
  if (auto refusal = check_vocabulary("allowed_token_ids", sampling.allowed_tokens, codec)) return refusal;
  for (const auto& bias : sampling.logit_bias) {
    if (auto refusal = check_vocabulary("logit_bias", std::span(&bias.first, 1), codec)) return refusal;
  }
  return std::nullopt;
}

Outcome render_messages(const GenerationRequest& request, const PromptCodec& codec) {
  auto text = codec.render(request.chat);
  if (!text) {
    Refusal refusal = refuse_error(text.error(), Duration{0});
    if (refusal.status < 500) refusal.status = 400;
    refusal.param = "messages";
    return refusal;
  }
  PreparedPrompt prompt;
  prompt.tokens = codec.encode(*text, request.add_special_tokens.value_or(false));
  prompt.text = std::move(*text);
  return prompt;
}

Outcome encode_prompt(const GenerationRequest& request, const Prompt& from, const PromptCodec& codec) {
  PreparedPrompt prompt;
  if (from.is_tokens) {
    if (auto refusal = check_vocabulary("prompt", from.tokens, codec)) return std::move(*refusal);
    prompt.tokens = from.tokens;
    if (request.echo) prompt.text = codec.decode(prompt.tokens, request.inputs.skip_special_tokens);
    return prompt;
  }
  prompt.tokens = codec.encode(from.text, request.add_special_tokens.value_or(true), request.tokenize.parse_special);
  prompt.text = from.text;
  return prompt;
}

// How many tokens of a prompt are kept at most.
std::int64_t kept_tokens(const GenerationRequest& request, const PromptCodec& codec) {
  if (*request.truncate_prompt_tokens >= 0) return *request.truncate_prompt_tokens;
  const std::int64_t answer = request.max_tokens_is_default ? 1 : request.inputs.max_tokens.value_or(1);
  return std::max<std::int64_t>(std::int64_t{codec.max_model_len()} - answer, 1);
}

void truncate(std::vector<TokenId>& tokens, const GenerationRequest& request, const PromptCodec& codec) {
  const auto kept = static_cast<std::size_t>(kept_tokens(request, codec));
  if (tokens.size() <= kept) return;
  if (request.truncate_right) {
    tokens.resize(kept);
  } else {
    tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(kept));
  }
}

std::optional<Refusal> check_context(const GenerationRequest& request, std::size_t prompt, const PromptCodec& codec) {
  const std::size_t context = codec.max_model_len();
  const std::string_view param = request.kind == Kind::chat ? "messages" : "prompt";
  if (prompt >= context)
    return refuse(param,
                  "This model's maximum context length is {} tokens. However, your prompt has {} tokens and leaves no "
                  "room for an answer. Please reduce the length of the {}.",
                  context, prompt, param);
  const std::size_t answer = request.max_tokens_is_default ? 1 : request.inputs.max_tokens.value_or(1);
  if (prompt + answer > context)
    return refuse("max_tokens",
                  "This model's maximum context length is {} tokens. However, you requested {} tokens ({} in the {}, "
                  "{} in the completion). Please reduce the length of the {} or completion.",
                  context, prompt + answer, prompt, param, answer, param);
  return std::nullopt;
}

std::optional<Refusal> fit(PreparedPrompt& prompt, const GenerationRequest& request, const PromptCodec& codec) {
  if (prompt.tokens.empty() && codec.bos() >= 0) prompt.tokens.push_back(codec.bos());
  if (prompt.tokens.empty()) return refuse("prompt", "The prompt is empty.");
  if (request.truncate_prompt_tokens) truncate(prompt.tokens, request, codec);
  return check_context(request, prompt.tokens.size(), codec);
}

}  // namespace

std::size_t prompt_bytes(const GenerationRequest& request) {
  std::size_t bytes = request.message_bytes;
  for (const Prompt& prompt : request.prompts) bytes += prompt.text.size();
  return bytes;
}

std::variant<std::vector<PreparedPrompt>, Refusal> prepare_prompts(GenerationRequest& request,
                                                                   const PromptCodec& codec) {
  const bool generates = request.kind == Kind::chat || request.kind == Kind::completions;
  if (auto refusal = check_sampling(request, codec)) return std::move(*refusal);
  std::vector<PreparedPrompt> prepared;
  const auto add = [&](Outcome outcome) -> std::optional<Refusal> {
    if (auto* refusal = std::get_if<Refusal>(&outcome)) return std::move(*refusal);
    auto& prompt = std::get<PreparedPrompt>(outcome);
    if (generates) {
      if (auto refusal = fit(prompt, request, codec)) return refusal;
    }
    prompt.token_count = prompt.tokens.size();
    prepared.push_back(std::move(prompt));
    return std::nullopt;
  };
  if (request.has_messages) {
    if (auto refusal = add(render_messages(request, codec))) return std::move(*refusal);
    return prepared;
  }
  for (const Prompt& prompt : request.prompts) {
    if (auto refusal = add(encode_prompt(request, prompt, codec))) return std::move(*refusal);
  }
  return prepared;
}

}  // namespace jackdaw::api::openai
