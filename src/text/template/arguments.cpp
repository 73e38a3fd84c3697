#include "src/text/template/arguments.h"

namespace jackdaw::text::jinja {

void bind_into(std::string_view function, const Arguments& arguments, const std::string_view* names, std::size_t count,
               std::size_t required, bool keywords, Value* out) {
  if (arguments.positional.size() > count)
    fail("{}() takes at most {} argument{} ({} given)", function, count, count == 1 ? "" : "s",
         arguments.positional.size());
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) out[i] = arguments.positional[i];
  for (const Keyword& keyword : arguments.named) {
    std::size_t at = 0;
    while (at < count && names[at] != keyword.name) ++at;
    if (!keywords || at == count) fail("{}() got an unexpected keyword argument '{}'", function, keyword.name);
    if (!out[at].is_missing()) fail("{}() got multiple values for argument '{}'", function, keyword.name);
    out[at] = keyword.value;
  }
  for (std::size_t i = 0; i < required; ++i)
    if (out[i].is_missing()) fail("{}() is missing the argument '{}'", function, names[i]);
}

void bind_nothing(std::string_view function, const Arguments& arguments) {
  if (!arguments.positional.empty() || !arguments.named.empty()) fail("{}() takes no arguments", function);
}

std::int64_t to_index(Value value, std::string_view what) {
  if (!value.is_integral()) fail("{} must be an integer, not '{}'", what, type_name(value));
  return value.as_integer();
}

std::int64_t index_or(Value value, std::int64_t fallback, std::string_view what) {
  return value.is_missing() ? fallback : to_index(value, what);
}

std::string_view text_of(Value value, std::string_view what) {
  if (!value.is_string()) fail("{} must be a string, not '{}'", what, type_name(value));
  return value.text();
}

}  // namespace jackdaw::text::jinja
