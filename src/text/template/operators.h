// Python's arithmetic on Values.
#pragma once

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

enum class Arithmetic : std::uint8_t { add, subtract, multiply, divide, floor_divide, modulo, power };

Value apply(Render& render, Arithmetic op, Value a, Value b);
Value negate(Render& render, Value a);
Value plus(Render& render, Value a);

// "format" % values, printf style (percent_format.cpp).
Value percent_format(Render& render, Value format, Value values);
// str.format and its mini language (brace_format.cpp).
Value brace_format(Render& render, Value format, const Arguments& arguments);
std::string format_value(Render& render, Value value, std::string_view spec);

// Floats as Python prints them: repr(1e16) is "1e+16", repr(2.0) is "2.0".
void append_float(std::string& out, double value);
void append_string_repr(std::string& out, std::string_view text);
std::string format_fixed(double value, int precision);

// Markup.escape.
std::string escape_html(std::string_view text);

// json.dumps. `indent` < 0: on one line. Separators as given.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  bool pretty = false;
  std::string indent;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
Value to_json(Render& render, Value value, const JsonStyle& style);

}  // namespace jackdaw::text::jinja
