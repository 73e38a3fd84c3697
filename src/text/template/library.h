// The tables of built-ins: filters, tests, global functions, and the methods of Python's types.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

struct FilterInfo {
  std::string_view name;
  Value (*apply)(Render& render, Value value, const Arguments& arguments);
};
const FilterInfo* find_filter(std::string_view name);

struct TestInfo {
  std::string_view name;
  bool (*apply)(Render& render, Value value, const Arguments& arguments);
};
const TestInfo* find_test(std::string_view name);

enum class Function : std::uint8_t {
  range,
  dict,
  name_space,
  cycler,
  joiner,
  lipsum,
  raise_exception,
  strftime_now,
};
std::optional<Function> find_function(std::string_view name);
Value call_function(Render& render, Function function, const Arguments& arguments);

// A method of a type. `apply` is null where the sandbox or we refuse to call it.
struct MethodInfo {
  std::string_view name;
  Value (*apply)(Render& render, Value self, const Arguments& arguments);
  bool changes_self = false;  // The immutable sandbox treats it as an unsafe attribute.
};
// Null when values of the kind have no such method.
const MethodInfo* find_method(Value object, std::string_view name);

void set_namespace_attribute(Render& render, NamespaceObject& object, std::string_view name, Value value);

}  // namespace jackdaw::text::jinja
