// Reading: one request body on its way to a GenerationRequest; the first fault found is the one answered.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/api/openai/generation_request.h"

namespace jackdaw::api::openai {

using Element = simdjson::dom::element;

// "a number", "a list", …: what a value is, for error messages.
std::string_view kind_of(Element value);

class Reading {
 public:
  Reading(GenerationRequest& request, const ReadOptions& read_options) : out(request), options(read_options) {}

  template <typename... Args>
  void fail(std::string_view param, fmt::format_string<Args...> format, Args&&... args) {
    if (!refusal) refusal = refuse(param, format, std::forward<Args>(args)...);
  }
  void wrong_type(std::string_view param, std::string_view wanted, Element value) {
    fail(param, "{} must be {}, not {}.", param, wanted, kind_of(value));
  }

  // Each reads `value` into `to` or fails; `name` is what the client calls it.
  void boolean(std::string_view name, Element value, bool& to);
  std::optional<double> number(std::string_view name, Element value, double low, double high);
  std::optional<std::int64_t> integer(std::string_view name, Element value, std::int64_t low, std::int64_t high);
  std::optional<std::string_view> text(std::string_view name, Element value);
  // A list of token ids, each from 0 up to the largest id there can be.
  void tokens(std::string_view name, Element value, std::size_t count_max, std::vector<engine::TokenId>& to);
  // A text or a list of texts, none of them empty.
  void texts(std::string_view name, Element value, std::size_t count_max, std::size_t bytes_max, bool text_allowed,
             std::vector<std::string>& to);

  GenerationRequest& out;
  const ReadOptions& options;
  std::optional<Refusal> refusal;

  // Known only when all fields have been read.
  std::optional<std::int64_t> max_tokens;
  std::optional<std::int64_t> max_completion_tokens;
  std::optional<std::int64_t> best_of;
  std::optional<std::int64_t> top_logprobs;
  std::optional<bool> add_generation_prompt;
  bool has_stream_options = false;
  bool chat_logprobs = false;
  // Members of the chat template's context, as JSON.
  std::string messages_json;
  std::string context_members;  // ,"documents":[…]
};

// messages.cpp.
void read_messages(Reading& reading, Element value);
void read_documents(Reading& reading, Element value);
void read_chat_template_kwargs(Reading& reading, Element value);
void read_reasoning_effort(Reading& reading, Element value);

}  // namespace jackdaw::api::openai
