// Binding a call's arguments to the parameters of a built-in, with Python's refusals.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

void bind_into(std::string_view function, const Arguments& arguments, const std::string_view* names, std::size_t count,
               std::size_t required, bool keywords, Value* out);

// One Value per name, missing where none was given. `required` of them must be there.
template <std::size_t N>
std::array<Value, N> bind(std::string_view function, const Arguments& arguments, const std::string_view (&names)[N],
                          std::size_t required = 0, bool keywords = true) {
  std::array<Value, N> out{};
  bind_into(function, arguments, names, N, required, keywords, out.data());
  return out;
}
void bind_nothing(std::string_view function, const Arguments& arguments);

// Conversions of bound arguments; `what` names the parameter.
std::int64_t to_index(Value value, std::string_view what);
std::int64_t index_or(Value value, std::int64_t fallback, std::string_view what);
std::string_view text_of(Value value, std::string_view what);  // strings only

}  // namespace jackdaw::text::jinja
