// Numbers in the presentations that both printf-style and brace formatting know.
#pragma once

#include <string>
#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

// The digits of |value| in base 2, 8, 10 or 16.
std::string digits_of(std::int64_t value, unsigned base, bool upper);
// The C presentation of |value| for e, E, f, F, g, G; `alternate` is '#'.
std::string real_digits(double value, char type, int precision, bool alternate);
// Grows text to `width` code points; refuses what would not fit into the limits.
std::string pad(Render& render, std::string text, std::int64_t width, char align, std::string_view fill = " ");
// Drops code points beyond `length`.
std::string_view cut(std::string_view text, std::int64_t length);
std::string ascii_repr(std::string_view repr);  // ascii(): what is not ASCII becomes an escape

}  // namespace jackdaw::text::jinja
