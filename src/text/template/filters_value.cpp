#include <charconv>
#include <cmath>
#include <cstdlib>

#include "src/text/template/arguments.h"
#include "src/text/template/filters.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

// Drops underscores between digits; false if one stands elsewhere.
bool without_underscores(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const auto is_digit = [&](std::size_t at) {
      return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
    };
    if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) return false;
  }
  return true;
}

// int(text, base); false where Python raises ValueError.
bool parse_integer(std::string_view given, std::int64_t base, std::int64_t& out) {
  std::string text;
  if (!without_underscores(strip_left(strip_right(given)), text)) return false;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    const std::int64_t marked = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (marked != 0 && (base == marked || base == 0)) {
      text.erase(0, 2);
      base = marked;
    } else if (base == 0 && text.find_first_not_of('0') != std::string::npos) {
      return false;
    }
  }
  if (base == 0) base = 10;
  std::uint64_t magnitude = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), magnitude, static_cast<int>(base));
  if (text.empty() || read.ptr != text.data() + text.size()) return false;
  const std::uint64_t most = static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
  if (read.ec == std::errc::result_out_of_range || magnitude > most)
    fail("integers beyond 64 bits are not supported in templates");
  out = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

// float(text); false where Python raises ValueError.
bool parse_float(std::string_view given, double& out) {
  std::string text;
  if (!without_underscores(strip_left(strip_right(given)), text)) return false;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text.empty() || text[0] == '-' || text[0] == '+') return false;
  const std::string lower = to_lower(text);
  if (lower == "inf" || lower == "infinity" || lower == "nan") {
    out = lower == "nan" ? NAN : INFINITY;
  } else {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ptr != text.data() + text.size()) return false;
    if (read.ec == std::errc::result_out_of_range) out = std::strtod(text.c_str(), nullptr);
  }
  if (negative) out = -out;
  return true;
}

Value truncated(double value) {
  const double whole = std::trunc(value);
  if (std::fabs(whole) >= 9.2e18) fail("integers beyond 64 bits are not supported in templates");
  return Value::of(static_cast<std::int64_t>(whole));
}

Value or_else(Value fallback, Value otherwise) {
  return fallback.is_missing() ? otherwise : fallback;
}

// Half to even at a power of ten.
Value round_integer(std::int64_t value, std::int64_t precision) {
  if (precision >= 0) return Value::of(value);
  if (precision < -18) return Value::of(std::int64_t{0});
  std::int64_t unit = 1;
  for (std::int64_t i = precision; i < 0; ++i) unit *= 10;
  const std::int64_t rest = ((value % unit) + unit) % unit;
  std::int64_t down = 0;
  if (__builtin_sub_overflow(value, rest, &down)) fail("integers beyond 64 bits are not supported in templates");
  const bool up = rest > unit - rest || (rest == unit - rest && (down / unit) % 2 != 0);
  std::int64_t out = down;
  if (up && __builtin_add_overflow(down, unit, &out)) fail("integers beyond 64 bits are not supported in templates");
  return Value::of(out);
}

double round_real(double value, std::int64_t precision) {
  if (!std::isfinite(value) || precision > 323) return value;
  if (precision < -308) return std::copysign(0.0, value);
  if (precision >= 0) return std::strtod(format_fixed(value, static_cast<int>(precision)).c_str(), nullptr);
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(value / unit) * unit;
}

std::string indent_of(Render& render, Value indent) {
  if (indent.is_string()) return std::string(indent.text());
  const std::int64_t width = to_index(indent, "indent");
  if (width > 1 << 20) fail_limit("tojson's indent of {} is too large", width);
  render.heap().charge(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)));
  return std::string(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
}

}  // namespace

Value filter_abs(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("abs", arguments);
  if (!value.is_number()) fail("bad operand type for abs(): '{}'", type_name(value));
  if (value.is(Kind::real)) return Value::of(std::fabs(value.real));
  return value.as_integer() < 0 ? negate(render, value) : Value::of(value.as_integer());
}

// obj.name, but never obj["name"].
Value filter_attr(Render& render, Value value, const Arguments& arguments) {
  const auto [name] = bind("attr", arguments, {"name"}, 1);
  const std::string_view attribute = text_of(name, "attribute name");
  if (value.is_undefined()) render.fail_undefined(value);
  if (!value.is(Kind::dict)) return render.get_attribute(value, attribute);
  const Value empty = Value::of(static_cast<const DictObject*>(render.new_dict(0)));
  const bool has = !render.get_attribute(empty, attribute).is_undefined() || find_method(value, attribute) != nullptr;
  return has ? render.get_attribute(value, attribute) : render.undefined_element(value, name);
}

Value filter_default_value(Render& render, Value value, const Arguments& arguments) {
  const auto [fallback, boolean] = bind("default", arguments, {"default_value", "boolean"});
  const bool replace = value.is_undefined() || (!boolean.is_missing() && render.truth(boolean) && !render.truth(value));
  return replace ? or_else(fallback, render.view("")) : value;
}

Value filter_length(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("length", arguments);
  return Value::of(static_cast<std::int64_t>(render.length(value)));
}

Value filter_to_int(Render& render, Value value, const Arguments& arguments) {
  const auto [fallback, base] = bind("int", arguments, {"default", "base"});
  const Value otherwise = or_else(fallback, Value::of(std::int64_t{0}));
  if (value.is_undefined()) render.fail_undefined(value);
  if (value.is_integral()) return Value::of(value.as_integer());
  if (value.is(Kind::big_integer)) return value;
  double real = 0;
  if (value.is(Kind::real)) {
    if (std::isinf(value.real)) fail("cannot convert float infinity to integer");
    return std::isnan(value.real) ? otherwise : truncated(value.real);
  }
  if (!value.is_string()) return otherwise;
  const std::int64_t radix = index_or(base, 10, "base");
  std::int64_t integer = 0;
  const bool valid_base = radix == 0 || (radix >= 2 && radix <= 36);
  if (valid_base && parse_integer(value.text(), radix, integer)) return Value::of(integer);
  if (!parse_float(value.text(), real) || !std::isfinite(real)) return otherwise;
  return truncated(real);
}

Value filter_to_float(Render& render, Value value, const Arguments& arguments) {
  const auto [fallback] = bind("float", arguments, {"default"});
  if (value.is_undefined()) render.fail_undefined(value);
  if (value.is_number()) return Value::of(value.as_real());
  double real = 0;
  if ((value.is_string() || value.is(Kind::big_integer)) && parse_float(value.text(), real)) return Value::of(real);
  return or_else(fallback, Value::of(0.0));
}

Value filter_round(Render& render, Value value, const Arguments& arguments) {
  const auto [precision_arg, method_arg] = bind("round", arguments, {"precision", "method"});
  const std::string_view method = method_arg.is_missing() ? "common" : text_of(method_arg, "method");
  if (method != "common" && method != "ceil" && method != "floor") fail("method must be common, ceil or floor");
  if (value.is_undefined()) render.fail_undefined(value);
  if (!value.is_number()) fail("type {} doesn't define __round__ method", type_name(value));
  if (method == "common" && precision_arg.is_none())
    return value.is_integral() ? value : truncated(std::nearbyint(value.real));
  const std::int64_t precision = index_or(precision_arg, 0, "precision");
  if (method == "common")
    return value.is_integral() ? round_integer(value.as_integer(), precision)
                               : Value::of(round_real(value.real, precision));
  const Value unit = apply(render, Arithmetic::power, Value::of(std::int64_t{10}), Value::of(precision));
  const Value scaled = apply(render, Arithmetic::multiply, value, unit);
  if (scaled.is(Kind::real) && !std::isfinite(scaled.real)) fail("cannot convert float infinity to integer");
  const Value whole =
      scaled.is_integral() ? scaled : truncated(method == "ceil" ? std::ceil(scaled.real) : std::floor(scaled.real));
  return apply(render, Arithmetic::divide, whole, unit);
}

Value filter_filesizeformat(Render& render, Value value, const Arguments& arguments) {
  const auto [binary_arg] = bind("filesizeformat", arguments, {"binary"});
  const bool binary = !binary_arg.is_missing() && render.truth(binary_arg);
  double bytes = 0;
  if (value.is_number())
    bytes = value.as_real();
  else if (!value.is_string() || !parse_float(value.text(), bytes))
    fail("filesizeformat needs a number, not '{}'", type_name(value));
  const double base = binary ? 1024 : 1000;
  if (bytes == 1) return render.view("1 Byte");
  if (bytes < base) return render.string(fmt::format("{} Bytes", truncated(bytes).integer));
  constexpr std::string_view names[] = {"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  constexpr std::string_view binary_names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"};
  double unit = base;
  std::size_t i = 0;
  for (; i < 8; ++i) {
    unit *= base;
    if (bytes < unit) break;
  }
  i = std::min<std::size_t>(i, 7);
  return render.string(format_fixed(base * bytes / unit, 1) + " " + std::string(binary ? binary_names[i] : names[i]));
}

Value filter_tojson(Render& render, Value value, const Arguments& arguments) {
  const auto [ascii, indent, separators, sort_keys] =
      bind("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = !ascii.is_missing() && render.truth(ascii);
  style.sort_keys = !sort_keys.is_missing() && render.truth(sort_keys);
  style.pretty = !indent.is_missing() && !indent.is_none();
  if (style.pretty) {
    style.indent = indent_of(render, indent);
    style.item_separator = ",";
  }
  if (!separators.is_missing() && !separators.is_none()) {
    const std::span<const Value> pair = render.collect(separators);
    if (pair.size() != 2) fail("tojson's separators are two strings");
    style.item_separator = text_of(pair[0], "a separator");
    style.key_separator = text_of(pair[1], "a separator");
  }
  return to_json(render, value, style);
}

Value filter_refused(Render&, Value, const Arguments&) {
  fail("this filter is not supported in chat templates (pprint, random, urlize and wordwrap are not)");
}

}  // namespace jackdaw::text::jinja
