#include "src/api/openai/parameters.h"

#include <array>
#include <charconv>
#include <limits>
#include <unordered_map>

namespace jackdaw::api::openai {
namespace {

constexpr unsigned chat = static_cast<unsigned>(Kind::chat);
constexpr unsigned text = static_cast<unsigned>(Kind::completions);
constexpr unsigned tokenize = static_cast<unsigned>(Kind::tokenize);
constexpr unsigned detokenize = static_cast<unsigned>(Kind::detokenize);
constexpr unsigned both = chat | text;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

using Read = void (*)(Reading&, Element);
using Off = bool (*)(Element);

constexpr Parameter honoured(std::string_view name, unsigned where, Read read, std::string_view words) {
  return {name, where, Fate::honoured, read, nullptr, words};
}
constexpr Parameter refused(std::string_view name, unsigned where, Off off, std::string_view words) {
  return {name, where, Fate::refused, nullptr, off, words};
}
constexpr Parameter neutral(std::string_view name, unsigned where, std::string_view words) {
  return {name, where, Fate::neutral, nullptr, nullptr, words};
}

// ------------------------------------------------------------------------------------- values that mean "off"

bool never_off(Element) {
  return false;
}

bool off_empty(Element value) {
  if (value.is_array()) return value.get_array().value_unsafe().size() == 0;
  if (value.is_object()) return value.get_object().value_unsafe().size() == 0;
  if (value.is_string()) return value.get_string().value_unsafe().empty();
  return false;
}

bool off_false(Element value) {
  bool flag = true;
  return !value.get(flag) && !flag;
}

bool off_true(Element value) {
  bool flag = false;
  return !value.get(flag) && flag;
}

bool is_number(Element value, double wanted) {
  double read = 0;
  return !value.get(read) && read == wanted;
}

bool off_zero(Element value) {
  return is_number(value, 0);
}

bool off_one(Element value) {
  return is_number(value, 1);
}

// Limits for which any negative number and 0 say "none".
bool off_not_positive(Element value) {
  double read = 1;
  return !value.get(read) && read <= 0;
}

bool is_text(Element value, std::string_view wanted) {
  std::string_view read;
  return !value.get(read) && read == wanted;
}

bool off_none(Element value) {
  return is_text(value, "none");
}

bool off_text_format(Element value) {
  std::string_view type;
  return !value["type"].get(type) && type == "text";
}

// ["text"].
bool off_text_only(Element value) {
  simdjson::dom::array list;
  if (value.get(list)) return false;
  for (const Element item : list) {
    if (!is_text(item, "text")) return false;
  }
  return true;
}

bool off_no_reasoning_format(Element value) {
  return is_text(value, "none") || is_text(value, "auto");
}

// ------------------------------------------------------------------------------------------ readers with a page

void read_float(Reading& r, std::string_view name, Element value, double low, double high, float& to) {
  if (const auto read = r.number(name, value, low, high)) to = static_cast<float>(*read);
}

void read_float(Reading& r, std::string_view name, Element value, double low, double high, std::optional<float>& to) {
  if (const auto read = r.number(name, value, low, high)) to = static_cast<float>(*read);
}

void read_top_p(Reading& r, Element value) {
  const auto read = r.number("top_p", value, 0, 1);
  // OpenAI allows 0: a nucleus of the most likely token alone.
  if (read) r.out.inputs.sampling.top_p = std::max(static_cast<float>(*read), 1e-9f);
}

void read_repetition_penalty(Reading& r, Element value) {
  const auto read = r.number("repetition_penalty", value, 0, infinity);
  if (!read) return;
  if (*read == 0) return r.fail("repetition_penalty", "repetition_penalty must be greater than 0.");
  r.out.inputs.sampling.repetition_penalty = static_cast<float>(*read);
}

void read_logit_bias(Reading& r, Element value) {
  simdjson::dom::object biases;
  if (value.get(biases)) return r.wrong_type("logit_bias", "an object of token ids and biases", value);
  auto& to = r.out.inputs.sampling.logit_bias;
  to.clear();
  for (const auto& [key, bias] : biases) {
    if (to.size() >= token_list_max)
      return r.fail("logit_bias", "logit_bias holds more than {} tokens.", token_list_max);
    engine::TokenId token = -1;
    const auto end = std::from_chars(key.data(), key.data() + key.size(), token);
    if (end.ec != std::errc() || end.ptr != key.data() + key.size() || token < 0)
      return r.fail("logit_bias", "logit_bias: \"{}\" is not a token id.", clipped(key));
    const auto read = r.number("logit_bias", bias, -100, 100);
    if (!read) return;
    to.emplace_back(token, static_cast<float>(*read));
  }
}

void read_completion_logprobs(Reading& r, Element value) {
  bool flag = false;
  if (!value.get(flag)) {
    r.out.logprobs = flag;
    r.top_logprobs = 1;
    return;
  }
  const auto read = r.integer("logprobs", value, 0, logprobs_max);
  if (!read) return;
  r.out.logprobs = true;
  r.top_logprobs = read;
}

void read_stream_options(Reading& r, Element value) {
  simdjson::dom::object options;
  if (value.get(options)) return r.wrong_type("stream_options", "an object", value);
  r.has_stream_options = true;
  for (const auto& [key, option] : options) {
    if (option.is_null() || key == "include_obfuscation") continue;
    if (key == "include_usage") {
      r.boolean("stream_options.include_usage", option, r.out.include_usage);
    } else if (key == "continuous_usage_stats") {
      r.boolean("stream_options.continuous_usage_stats", option, r.out.continuous_usage);
    } else {
      r.out.ignored.push_back("stream_options." + std::string(key));
    }
  }
}

bool is_prompt_of_tokens(const simdjson::dom::array& list) {
  return list.size() > 0 && list.at(0).value_unsafe().is_int64();
}

constexpr std::size_t prompt_tokens_max = 4 << 20;

void read_prompt(Reading& r, Element value) {
  auto& prompts = r.out.prompts;
  prompts.clear();
  const auto add_tokens = [&](Element list) {
    Prompt prompt{{}, {}, true};
    r.tokens("prompt", list, prompt_tokens_max, prompt.tokens);
    if (prompt.tokens.empty()) r.fail("prompt", "prompt cannot be an empty list of tokens.");
    prompts.push_back(std::move(prompt));
  };
  std::string_view single;
  if (!value.get(single)) {
    prompts.push_back({std::string(single), {}, false});
    return;
  }
  simdjson::dom::array list;
  if (value.get(list)) return r.wrong_type("prompt", "a string, a list of strings or lists of token ids", value);
  if (list.size() == 0) return r.fail("prompt", "prompt cannot be an empty list.");
  if (is_prompt_of_tokens(list)) return add_tokens(value);
  for (const Element item : list) {
    if (prompts.size() >= choices_max) return r.fail("prompt", "prompt holds more than {} prompts.", choices_max);
    if (!item.get(single)) {
      prompts.push_back({std::string(single), {}, false});
    } else if (item.is_array()) {
      add_tokens(item);
    } else {
      return r.wrong_type("prompt", "a list of strings or of lists of token ids", item);
    }
    if (r.refusal) return;
  }
}

void read_cache_salt(Reading& r, Element value) {
  const auto salt = r.text("cache_salt", value);
  if (!salt) return;
  constexpr std::size_t salt_bytes_max = 128;
  constexpr std::string_view forbidden("@/\\\0", 4);
  if (salt->empty() || salt->size() > salt_bytes_max || salt->find_first_of(forbidden) != std::string_view::npos)
    return r.fail("cache_salt", "cache_salt must have 1 to {} characters, none of them @, /, \\ or NUL.",
                  salt_bytes_max);
  r.out.inputs.cache_salt = *salt;
}

void read_request_id(Reading& r, Element value) {
  const auto id = r.text("request_id", value);
  constexpr std::size_t id_bytes_max = 256;
  if (!id) return;
  if (id->size() > id_bytes_max) return r.fail("request_id", "request_id is longer than {} bytes.", id_bytes_max);
  r.out.request_id = *id;
}

void read_chat_template(Reading& r, Element value) {
  const auto source = r.text("chat_template", value);
  if (!source) return;
  if (!r.options.trust_request_chat_template)
    return r.fail("chat_template", "chat_template is refused: this server takes no chat templates from requests.");
  r.out.chat.chat_template = *source;
}

void read_truncation_side(Reading& r, Element value) {
  const auto side = r.text("truncation_side", value);
  if (!side) return;
  if (*side != "left" && *side != "right")
    return r.fail("truncation_side", "truncation_side must be \"left\" or \"right\", got \"{}\".", clipped(*side));
  r.out.truncate_right = *side == "right";
}

// llama.cpp's n_predict: -1 is no limit.
void read_n_predict(Reading& r, Element value) {
  const auto read = r.integer("n_predict", value, -1, int32_max);
  if (read && *read >= 0) r.max_tokens = read;
}

void read_n(Reading& r, std::string_view name, Element value) {
  if (const auto n = r.integer(name, value, 1, 128)) r.out.inputs.choices = static_cast<std::uint32_t>(*n);
}

void read_model(Reading& r, Element value) {
  if (const auto model = r.text("model", value)) r.out.model = *model;
}

void read_prompt_logprobs(Reading& r, Element value) {
  const auto read = r.integer("prompt_logprobs", value, 0, logprobs_max);
  if (read) r.out.inputs.prompt_logprobs = static_cast<std::int32_t>(*read);
}

void read_llama_content(Reading& r, Element value) {
  const auto content = r.text("content", value);
  if (!content) return;
  r.out.tokenize.llama_cpp = true;
  r.out.prompts.assign(1, {std::string(*content), {}, false});
}

void read_llama_add_special(Reading& r, Element value) {
  bool add = false;
  r.boolean("add_special", value, add);
  r.out.add_special_tokens = add;
}

// Reads a flag of the request that has no further rules.
#define FLAG(member) [](Reading& r, Element v) { r.boolean(#member, v, r.out.member); }

// ------------------------------------------------------------------------------------------------------ the table

constexpr std::array table{
    // What the request is about.
    honoured("model", both | tokenize | detokenize, read_model,
             "The model's name or an alias; may be left out when one model alone can answer."),
    honoured("messages", chat | tokenize, read_messages,
             "Passed to the chat template as they are. Content is a string or text parts, joined by line breaks."),
    honoured("prompt", text | tokenize, read_prompt,
             "A string, a list of strings, token ids, or lists of token ids; choices are numbered prompt by prompt."),
    honoured("stream", both, FLAG(stream), "Server-sent events."),
    honoured("stream_options", both, read_stream_options,
             "include_usage, continuous_usage_stats; only with stream. include_obfuscation has no effect."),
    // Sampling.
    honoured(
        "temperature", both,
        [](Reading& r, Element v) { read_float(r, "temperature", v, 0, 2, r.out.inputs.sampling.temperature); },
        "0 to 2; 0 takes the most likely token."),
    honoured("top_p", both, read_top_p, "0 to 1; 0 is the most likely token alone."),
    honoured(
        "top_k", both,
        [](Reading& r, Element v) {
          if (const auto k = r.integer("top_k", v, -1, int32_max))
            r.out.inputs.sampling.top_k = static_cast<std::int32_t>(*k);
        },
        "0 or -1 is off."),
    honoured(
        "min_p", both, [](Reading& r, Element v) { read_float(r, "min_p", v, 0, 1, r.out.inputs.sampling.min_p); },
        "0 to 1."),
    honoured("repetition_penalty", both, read_repetition_penalty, "Above 0; 1 is off."),
    honoured(
        "presence_penalty", both,
        [](Reading& r, Element v) {
          read_float(r, "presence_penalty", v, -2, 2, r.out.inputs.sampling.presence_penalty);
        },
        "-2 to 2."),
    honoured(
        "frequency_penalty", both,
        [](Reading& r, Element v) {
          read_float(r, "frequency_penalty", v, -2, 2, r.out.inputs.sampling.frequency_penalty);
        },
        "-2 to 2."),
    honoured("logit_bias", both, read_logit_bias, "Token ids and biases from -100 to 100, at most 4096 of them."),
    honoured(
        "seed", both,
        [](Reading& r, Element v) {
          if (const auto seed = r.integer("seed", v, int64_min, int64_max))
            r.out.inputs.sampling.seed = static_cast<std::uint64_t>(*seed);
        },
        "Any 64-bit integer; the same seed gives the same answer, whatever else is being served."),
    honoured(
        "allowed_token_ids", both,
        [](Reading& r, Element v) {
          r.tokens("allowed_token_ids", v, prompt_tokens_max, r.out.inputs.sampling.allowed_tokens);
          if (r.out.inputs.sampling.allowed_tokens.empty())
            r.fail("allowed_token_ids", "allowed_token_ids cannot be empty.");
        },
        "Nothing else is produced; not empty."),
    honoured(
        "bad_words", both,
        [](Reading& r, Element v) {
          r.texts("bad_words", v, bad_words_max, stop_bytes_max, false, r.out.inputs.sampling.bad_words);
        },
        "Never produced."),
    // Length and stopping.
    honoured(
        "max_tokens", both, [](Reading& r, Element v) { r.max_tokens = r.integer("max_tokens", v, 0, int32_max); },
        "Of the answer. Default: 16 for completions, the rest of the context for chat. 0 only with echo."),
    honoured(
        "max_completion_tokens", chat,
        [](Reading& r, Element v) { r.max_completion_tokens = r.integer("max_completion_tokens", v, 1, int32_max); },
        "Wins over max_tokens."),
    honoured("n_predict", both, read_n_predict, "llama.cpp's max_tokens; -1 is no limit."),
    honoured(
        "min_tokens", both,
        [](Reading& r, Element v) {
          if (const auto n = r.integer("min_tokens", v, 0, int32_max))
            r.out.inputs.min_tokens = static_cast<std::uint32_t>(*n);
        },
        "End tokens and stops are held back before; at most max_tokens."),
    honoured(
        "stop", both,
        [](Reading& r, Element v) { r.texts("stop", v, stop_strings_max, stop_bytes_max, true, r.out.inputs.stop); },
        "A string or up to 32 of them, each of at most 1024 bytes."),
    honoured(
        "stop_token_ids", both,
        [](Reading& r, Element v) { r.tokens("stop_token_ids", v, token_list_max, r.out.inputs.stop_tokens); },
        "Token ids that end the answer."),
    honoured(
        "include_stop_str_in_output", both,
        [](Reading& r, Element v) { r.boolean("include_stop_str_in_output", v, r.out.inputs.include_stop_in_output); },
        "The stop string stays in the text."),
    honoured(
        "ignore_eos", both, [](Reading& r, Element v) { r.boolean("ignore_eos", v, r.out.inputs.ignore_eos); },
        "Goes on after the end token."),
    // How many, and what is shown.
    honoured(
        "n", both, [](Reading& r, Element v) { read_n(r, "n", v); },
        "1 to 128 choices, as many as may run at once (--max-num-seqs); prompts x n at most 1024."),
    honoured(
        "n_cmpl", both, [](Reading& r, Element v) { read_n(r, "n_cmpl", v); }, "llama.cpp's n."),
    honoured(
        "best_of", text, [](Reading& r, Element v) { r.best_of = r.integer("best_of", v, 0, 128); },
        "Refused unless it equals n: choices are not ranked."),
    honoured(
        "logprobs", chat, [](Reading& r, Element v) { r.boolean("logprobs", v, r.chat_logprobs); },
        "Log probabilities of the answer's tokens."),
    honoured(
        "top_logprobs", chat,
        [](Reading& r, Element v) { r.top_logprobs = r.integer("top_logprobs", v, 0, logprobs_max); },
        "0 to 20 alternatives for each token; needs logprobs."),
    honoured("logprobs", text, read_completion_logprobs, "0 to 20 alternatives for each token."),
    honoured("prompt_logprobs", both, read_prompt_logprobs,
             "0 to 20 alternatives for each prompt token; not with stream."),
    honoured(
        "echo", both, FLAG(echo),
        "Completions: the prompt stands before the answer. Chat: the last message does, when it is the assistant's."),
    honoured(
        "skip_special_tokens", both,
        [](Reading& r, Element v) { r.boolean("skip_special_tokens", v, r.out.inputs.skip_special_tokens); },
        "Default true."),
    honoured("return_token_ids", both, FLAG(return_token_ids), "Adds token_ids and prompt_token_ids."),
    honoured("return_tokens_as_token_ids", both, FLAG(return_tokens_as_token_ids),
             "Tokens in logprobs read \"token_id:123\"."),
    honoured("return_prompt_text", chat, FLAG(return_prompt_text), "Adds prompt_text, what the chat template gave."),
    // The prompt.
    honoured(
        "add_generation_prompt", chat | tokenize,
        [](Reading& r, Element v) {
          bool add = true;
          r.boolean("add_generation_prompt", v, add);
          r.add_generation_prompt = add;
        },
        "Default true."),
    honoured(
        "continue_final_message", chat | tokenize,
        [](Reading& r, Element v) { r.boolean("continue_final_message", v, r.out.chat.continue_final_message); },
        "The answer goes on where the last message ends; not with add_generation_prompt."),
    honoured(
        "add_special_tokens", both | tokenize,
        [](Reading& r, Element v) {
          bool add = false;
          r.boolean("add_special_tokens", v, add);
          r.out.add_special_tokens = add;
        },
        "Default true for prompts, false for messages, whose template writes them."),
    honoured(
        "truncate_prompt_tokens", both,
        [](Reading& r, Element v) {
          const auto n = r.integer("truncate_prompt_tokens", v, -1, int32_max);
          if (n && *n == 0) return r.fail("truncate_prompt_tokens", "truncate_prompt_tokens must be -1 or at least 1.");
          r.out.truncate_prompt_tokens = n;
        },
        "Keeps the last tokens of a longer prompt; -1 keeps what fits beside the answer."),
    honoured("truncation_side", both, read_truncation_side,
             "Which end truncate_prompt_tokens cuts: left (default) or right."),
    honoured("documents", chat, read_documents, "For chat templates that use them."),
    honoured("chat_template_kwargs", chat | tokenize, read_chat_template_kwargs,
             "Further variables of the chat template."),
    honoured("chat_template", chat | tokenize, read_chat_template,
             "Refused unless the server trusts request templates."),
    honoured("reasoning_effort", chat, read_reasoning_effort, "A variable of the chat template."),
    // Scheduling.
    honoured(
        "priority", both,
        [](Reading& r, Element v) {
          if (const auto p = r.integer("priority", v, -int32_max - 1, int32_max))
            r.out.inputs.priority = static_cast<std::int32_t>(*p);
        },
        "Smaller first."),
    honoured("cache_salt", both, read_cache_salt, "Prefixes are shared only among equal salts; 1 to 128 characters."),
    honoured("request_id", both, read_request_id, "Part of the answer's id; the header x-request-id does the same."),
    // Tokenize and detokenize.
    honoured("content", tokenize, read_llama_content, "llama.cpp's prompt."),
    honoured("add_special", tokenize, read_llama_add_special, "llama.cpp's add_special_tokens; default false."),
    honoured(
        "parse_special", tokenize,
        [](Reading& r, Element v) { r.boolean("parse_special", v, r.out.tokenize.parse_special); },
        "Special tokens in the text are tokens; default true."),
    honoured(
        "with_pieces", tokenize, [](Reading& r, Element v) { r.boolean("with_pieces", v, r.out.tokenize.with_pieces); },
        "Each token with its text, or its bytes where they are part of a character."),
    honoured(
        "return_token_strs", tokenize,
        [](Reading& r, Element v) { r.boolean("return_token_strs", v, r.out.tokenize.return_token_strs); },
        "Adds token_strs, as the vocabulary writes them."),
    honoured(
        "tokens", detokenize,
        [](Reading& r, Element v) { r.tokens("tokens", v, prompt_tokens_max, r.out.tokenize.tokens.emplace()); },
        "Token ids."),
    // What would change the answer and is not there (yet).
    refused("tools", chat | tokenize, off_empty, "Tool calls are not supported yet."),
    refused("tool_choice", chat, off_none, "Tool calls are not supported yet."),
    refused("functions", chat, off_empty, "Function calls are not supported yet."),
    refused("function_call", chat, off_none, "Function calls are not supported yet."),
    refused("response_format", both, off_text_format,
            "Structured output is not supported yet; only {\"type\":\"text\"} is."),
    refused("structured_outputs", both, off_empty, "Structured output is not supported yet."),
    refused("guided_json", both, off_empty, "Structured output is not supported yet."),
    refused("guided_regex", both, off_empty, "Structured output is not supported yet."),
    refused("guided_choice", both, off_empty, "Structured output is not supported yet."),
    refused("guided_grammar", both, off_empty, "Structured output is not supported yet."),
    refused("guided_decoding_backend", both, off_empty, "Structured output is not supported yet."),
    refused("guided_whitespace_pattern", both, off_empty, "Structured output is not supported yet."),
    refused("grammar", both, off_empty, "Structured output is not supported yet."),
    refused("json_schema", both, off_empty, "Structured output is not supported yet."),
    refused("modalities", chat, off_text_only, "Only text is produced."),
    refused("audio", chat, never_off, "Only text is produced."),
    refused("web_search_options", chat, never_off, "This server does not search the web."),
    refused("use_beam_search", both, off_false, "Beam search is not supported."),
    refused("length_penalty", both, off_one, "It belongs to beam search, which is not supported."),
    refused("suffix", text, off_empty, "Text cannot be filled in before a suffix."),
    refused("prompt_embeds", text, off_empty, "Prompts are text or token ids."),
    refused("repetition_detection", both, never_off, "Repetitions are not detected."),
    refused("logprob_token_ids", both, off_empty,
            "Log probabilities are given of the chosen and the most likely tokens."),
    refused("include_reasoning", chat, off_true, "Reasoning is not told apart from the answer."),
    refused("thinking_token_budget", both, never_off, "Reasoning is not told apart from the answer."),
    refused("reasoning_format", both, off_no_reasoning_format, "Reasoning is not told apart from the answer."),
    refused("reasoning", chat, off_empty, "Reasoning is not told apart from the answer; use reasoning_effort."),
    refused("watermarking", both, off_false, "Answers are not watermarked."),
    refused("kv_transfer_params", both, off_empty, "Prefill and decode are not split here."),
    refused("ec_transfer_params", both, off_empty, "Encoders are not split off here."),
    refused("mm_processor_kwargs", chat, off_empty, "Messages hold text only."),
    refused("media_io_kwargs", chat, off_empty, "Messages hold text only."),
    refused("vllm_xargs", both, off_empty, "There are no extensions that take arguments."),
    refused("logits_processors", both, off_empty, "Logits processors are not supported; use logit_bias."),
    // llama.cpp's samplers.
    refused("dynatemp_range", both, off_zero, "Use temperature."),
    refused("dynatemp_exponent", both, off_one, "Use temperature."),
    refused("typical_p", both, off_one, "Use top_p or min_p."),
    refused("tfs_z", both, off_one, "Use top_p or min_p."),
    refused("top_a", both, off_zero, "Use min_p."),
    refused("top_n_sigma", both, off_not_positive, "Use min_p."),
    refused("xtc_probability", both, off_zero, "Use temperature."),
    refused(
        "xtc_threshold", both, [](Element v) { return is_number(v, 0) || is_number(v, 0.1); }, "Use temperature."),
    refused("mirostat", both, off_zero, "Use top_p or min_p."),
    refused("dry_multiplier", both, off_zero, "Use repetition_penalty."),
    refused("repeat_penalty", both, off_one, "Use repetition_penalty, which looks at the whole text."),
    refused("samplers", both, off_empty, "The order of samplers is fixed."),
    refused("min_keep", both, off_zero, "Use top_k."),
    refused("t_max_predict_ms", both, off_not_positive, "Use max_tokens."),
    refused("n_keep", both, off_not_positive, "The context is never shifted."),
    refused("n_indent", both, off_zero, "Use stop."),
    refused("n_probs", both, off_zero, "Use logprobs."),
    refused("post_sampling_probs", both, off_false, "Log probabilities are those before sampling."),
    refused("return_tokens", both, off_false, "Use return_token_ids."),
    refused("response_fields", both, off_empty, "Answers come whole."),
    refused("lora", both, off_empty, "Adapters are not supported yet."),
    refused("image_data", both, off_empty, "Prompts are text or token ids."),
    // What cannot change the answer.
    neutral("user", both, "Ignored."),
    neutral("metadata", both, "Ignored."),
    neutral("store", both, "Nothing is stored."),
    neutral("service_tier", both, "There is one tier."),
    neutral("safety_identifier", both, "Ignored."),
    neutral("prompt_cache_key", both, "Prefixes are found by what they hold."),
    neutral("prompt_cache_retention", both, "Prefixes are kept as long as there is room."),
    neutral("prompt_cache_options", both, "Prefixes are kept as long as there is room."),
    neutral("verbosity", chat, "Of OpenAI's own models."),
    neutral("prediction", chat, "Only about speed."),
    neutral("parallel_tool_calls", chat, "There are no tool calls."),
    neutral("session_id", both, "Ignored."),
    neutral("stream_interval", both, "Tokens are merged only for slow readers."),
    neutral("spaces_between_special_tokens", both, "As in fast tokenizers, there are none."),
    neutral("routed_experts_prompt_start", both, "Routed experts are not returned."),
    neutral("return_token_offsets", both, "Only of vLLM's render endpoints."),
    neutral("mm_payload", both, "Only of vLLM's render endpoints."),
    neutral("return_mm_kwargs", both, "Only of vLLM's render endpoints."),
    neutral("parse_tool_calls", chat, "There are no tool calls."),
    neutral("cache_prompt", both, "Shared prefixes never change the answer."),
    neutral("n_cache_reuse", both, "Shared prefixes never change the answer."),
    neutral("id_slot", both, "There are no slots."),
    neutral("timings_per_token", both, "Usage says the numbers."),
    neutral("return_progress", both, "Comments keep a slow stream alive."),

    neutral("repeat_last_n", both, "Only with repeat_penalty."),
    neutral("dry_base", both, "Only with dry_multiplier."),
    neutral("dry_allowed_length", both, "Only with dry_multiplier."),
    neutral("dry_penalty_last_n", both, "Only with dry_multiplier."),
    neutral("dry_sequence_breakers", both, "Only with dry_multiplier."),
    neutral("mirostat_tau", both, "Only with mirostat."),
    neutral("mirostat_eta", both, "Only with mirostat."),
    neutral("keep_alive", both, "Models stay loaded."),
};

#undef FLAG

}  // namespace

std::span<const Parameter> parameters() {
  return table;
}

const Parameter* find_parameter(std::string_view name, Kind kind) {
  static const auto by_name = [] {
    std::unordered_multimap<std::string_view, const Parameter*> map;
    for (const Parameter& parameter : table) map.emplace(parameter.name, &parameter);
    return map;
  }();
  const auto [first, last] = by_name.equal_range(name);
  for (auto at = first; at != last; ++at) {
    if ((at->second->where & static_cast<unsigned>(kind)) != 0) return at->second;
  }
  return nullptr;
}

}  // namespace jackdaw::api::openai
