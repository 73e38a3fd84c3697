// The table of every request parameter that OpenAI, vLLM or llama.cpp know, and what becomes of it here. Read
// parameters.cpp top to bottom; docs/openai.md shows the same table.
#pragma once

#include <span>
#include <string_view>

#include "src/api/openai/reading.h"

namespace jackdaw::api::openai {

enum class Fate : unsigned char {
  honoured,  // read and acted on
  refused,   // would change the answer and is not supported: a 400 naming it, unless its value means "off"
  neutral,   // cannot change the answer: accepted whatever its value
};

struct Parameter {
  std::string_view name;
  unsigned where;  // bits of Kind
  Fate fate;
  void (*read)(Reading& reading, Element value);  // honoured; never called with null
  bool (*off)(Element value);                     // refused; never called with null, which is always off
  std::string_view words;                         // what it does, or why not and what instead
};

std::span<const Parameter> parameters();
// The parameter of that name where `kind` knows it; null otherwise.
const Parameter* find_parameter(std::string_view name, Kind kind);

}  // namespace jackdaw::api::openai
