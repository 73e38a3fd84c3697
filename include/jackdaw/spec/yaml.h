// Json as YAML text, the way kubectl prints objects: block style, lists at the indentation of their key, long texts as
// literals, quotes wherever a reader of YAML 1.1 or 1.2 would take a plain word for something else than text.
#pragma once

#include <string>

#include "jackdaw/spec/json.h"

namespace jackdaw::spec {

// One document without "---", ending in a newline. Members keep their order. parse_yaml() reads the same value back, as
// long as it keeps to its limits and holds no zero character.
std::string to_yaml(const Json& value);

}  // namespace jackdaw::spec
