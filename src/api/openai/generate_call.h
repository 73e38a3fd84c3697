// One chat or text completion on its way: read, find, tokenize, submit, then stream or collect the answer.
#pragma once

#include <string_view>

#include "src/api/call.h"
#include "src/api/openai/generation_request.h"

namespace jackdaw::api::openai {

void generate(Call call, Kind kind);

// Names of unknown fields for the x-ignored-fields header: bounded, and without anything a header may not hold.
std::string ignored_fields_header(const std::vector<std::string>& names);

}  // namespace jackdaw::api::openai
