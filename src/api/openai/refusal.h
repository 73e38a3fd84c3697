// Refusal: a request that will not be answered, with the status and the words OpenAI's clients get for it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"

namespace jackdaw::api::openai {

struct Refusal {
  int status = 400;
  std::string message;
  std::string param;        // the parameter at fault, "messages[1].content"; "" = none
  Duration retry_after{0};  // of 429 and 503: when to come back
};

template <typename... Args>
Refusal refuse(std::string_view param, fmt::format_string<Args...> format, Args&&... args) {
  return Refusal{400, fmt::format(format, std::forward<Args>(args)...), std::string(param), Duration{0}};
}

// What an engine's error means to the client.
Refusal refuse_error(const Error& error, Duration retry_after);

// {"message":…,"type":"BadRequestError","param":…|null,"code":400}, as vLLM writes it.
std::string error_object(const Refusal& refusal);
// {"error":<error_object>}.
std::string error_body(const Refusal& refusal);
// The same in the shape of KServe's /openai routes, where code is a text and param never null.
std::string kserve_error_body(const Refusal& refusal);

// At most `bytes` of a text a client sent, to be quoted back, without splitting a character.
std::string clipped(std::string_view text, std::size_t bytes = 100);

}  // namespace jackdaw::api::openai
