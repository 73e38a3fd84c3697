#include "src/api/openai/generation_request.h"

#include <algorithm>
#include <utility>

#include "src/api/oip/json_document.h"
#include "src/api/openai/parameters.h"
#include "src/api/openai/reading.h"

namespace jackdaw::api::openai {
namespace {

constexpr std::uint32_t completion_tokens_default = 16;

void read_field(Reading& reading, std::string_view name, Element value, Kind kind) {
  const Parameter* parameter = find_parameter(name, kind);
  if (parameter == nullptr) {
    reading.out.ignored.emplace_back(name);
    return;
  }
  if (value.is_null() || parameter->fate == Fate::neutral) return;
  if (parameter->fate == Fate::honoured) return parameter->read(reading, value);
  if (!parameter->off(value)) reading.fail(name, "{} is not supported. {}", name, parameter->words);
}

// -------------------------------------------------------------------------------- what several fields say together

void check_lengths(Reading& r) {
  engine::GenerateInputs& inputs = r.out.inputs;
  auto max_tokens = r.max_completion_tokens ? r.max_completion_tokens : r.max_tokens;
  if (!max_tokens && r.out.kind == Kind::completions) {
    max_tokens = completion_tokens_default;
    r.out.max_tokens_is_default = true;
  }
  if (max_tokens == 0) {
    if (!r.out.echo || r.out.kind != Kind::completions)
      return r.fail("max_tokens", "max_tokens must be at least 1, got 0; 0 goes with echo only.");
    // The prompt has to be computed, and a request produces at least one token.
    r.out.prompt_only = true;
    max_tokens = 1;
  }
  if (r.out.max_tokens_is_default) max_tokens = std::max<std::int64_t>(*max_tokens, inputs.min_tokens);
  if (max_tokens) inputs.max_tokens = static_cast<std::uint32_t>(*max_tokens);
  if (max_tokens && !r.out.max_tokens_is_default && inputs.min_tokens > *max_tokens)
    r.fail("min_tokens", "min_tokens must be at most max_tokens ({}), got {}.", *max_tokens, inputs.min_tokens);
}

void check_logprobs(Reading& r) {
  if (r.out.kind == Kind::chat) {
    r.out.logprobs = r.chat_logprobs;
    if (!r.chat_logprobs && r.top_logprobs.value_or(0) > 0)
      return r.fail("top_logprobs", "When using `top_logprobs`, `logprobs` must be set to true.");
  }
  if (r.out.logprobs) r.out.inputs.top_logprobs = static_cast<std::int32_t>(r.top_logprobs.value_or(0));
  if (r.out.inputs.prompt_logprobs >= 0 && r.out.stream)
    return r.fail("prompt_logprobs", "`prompt_logprobs` are not available when `stream=True`.");
}

void check_choices(Reading& r) {
  const std::size_t prompts = r.out.kind == Kind::completions ? r.out.prompts.size() : 1;
  if (prompts * r.out.inputs.choices > choices_max)
    r.fail("n", "{} prompts times n = {} are more than the {} choices one request may ask for.", prompts,
           r.out.inputs.choices, choices_max);
  if (r.best_of && *r.best_of > 1 && static_cast<std::uint64_t>(*r.best_of) != r.out.inputs.choices)
    r.fail("best_of", "best_of is not supported unless it equals n: choices are not ranked.");
}

void check_stream(Reading& r) {
  if (r.has_stream_options && !r.out.stream)
    r.fail("stream_options", "`stream_options` can only be defined when `stream=True`.");
}

void check_chat(Reading& r) {
  engine::ChatPrompt& chat = r.out.chat;
  if (chat.continue_final_message && r.add_generation_prompt == true)
    return r.fail("continue_final_message",
                  "Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
  chat.add_generation_prompt = r.add_generation_prompt.value_or(!chat.continue_final_message);
  chat.context_json = R"({"messages":)" + r.messages_json + r.context_members + "}";
  r.out.inputs.continues_text = chat.continue_final_message;
}

void check_together(Reading& r) {
  GenerationRequest& out = r.out;
  const bool generates = out.kind == Kind::chat || out.kind == Kind::completions;
  if (out.kind == Kind::chat && r.messages_json.empty()) return r.fail("messages", "messages is missing.");
  if (out.kind == Kind::completions && out.prompts.empty()) return r.fail("prompt", "prompt is missing.");
  if (out.kind == Kind::tokenize && out.prompts.empty() && r.messages_json.empty())
    return r.fail("prompt", "prompt, messages or content is missing.");
  if (out.kind == Kind::detokenize && !out.tokenize.tokens) return r.fail("tokens", "tokens is missing.");
  out.has_messages = !r.messages_json.empty();
  if (out.has_messages) check_chat(r);
  if (out.kind == Kind::completions) out.inputs.continues_text = true;
  if (!generates) return;
  check_stream(r);
  check_lengths(r);
  check_logprobs(r);
  check_choices(r);
}

}  // namespace

std::variant<GenerationRequest, Refusal> read_generation(std::string_view body, Kind kind, const ReadOptions& options) {
  oip::JsonDocument document;
  if (const auto fault = document.parse(body))
    return refuse("", "The request body is not valid JSON: {}", clipped(fault->text(), 300));
  simdjson::dom::object fields;
  if (document.root().get(fields)) return refuse("", "The request body must be a JSON object.");
  GenerationRequest request;
  request.kind = kind;
  Reading reading(request, options);
  for (const auto& [name, value] : fields) {
    read_field(reading, name, value, kind);
    if (reading.refusal) return std::move(*reading.refusal);
  }
  check_together(reading);
  if (reading.refusal) return std::move(*reading.refusal);
  return request;
}

}  // namespace jackdaw::api::openai
