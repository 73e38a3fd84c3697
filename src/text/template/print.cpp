// str() and repr() of every kind of value, as Python prints them.
#include <charconv>
#include <cmath>
#include <cstdio>

#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

// The shortest digits that read back to the same double; an exponent from 1e16 and below 1e-4.
void append_float(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";
    return;
  }
  if (std::isinf(value)) {
    out += value < 0 ? "-inf" : "inf";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, mark));
  if (digits.size() > 1) digits.erase(1, 1);  // the point
  int exponent = 0;
  const std::string_view power = text.substr(mark + (text[mark + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  const auto count = static_cast<int>(digits.size());
  if (exponent < -4 || exponent >= 16) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1, std::string::npos);
    out += fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
  } else if (exponent < 0) {
    out.append("0.").append(static_cast<std::size_t>(-exponent - 1), '0').append(digits);
  } else if (count <= exponent + 1) {
    out.append(digits).append(static_cast<std::size_t>(exponent + 1 - count), '0').append(".0");
  } else {
    const auto whole = static_cast<std::size_t>(exponent + 1);
    out.append(digits, 0, whole).append(".").append(digits, whole, std::string::npos);
  }
}

std::string format_fixed(double value, int precision) {
  const int size = std::snprintf(nullptr, 0, "%.*f", precision, value);
  std::string out(static_cast<std::size_t>(size) + 1, '\0');
  std::snprintf(out.data(), out.size(), "%.*f", precision, value);
  out.pop_back();
  return out;
}

void append_string_repr(std::string& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (c == static_cast<unsigned char>(quote) || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_printable(c)) {
      out.append(text.substr(start, at - start));
    } else {
      const auto code = static_cast<std::uint32_t>(c);
      out += code < 0x100     ? fmt::format("\\x{:02x}", code)
             : code < 0x10000 ? fmt::format("\\u{:04x}", code)
                              : fmt::format("\\U{:08x}", code);
    }
  }
  out += quote;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

namespace {

void append_items(Render& render, std::string& out, std::span<const Value> items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    render.append_repr(out, items[i]);
  }
}

void append_dict(Render& render, std::string& out, const DictObject& dict) {
  out += '{';
  for (std::size_t i = 0; i < dict.size; ++i) {
    if (i > 0) out += ", ";
    render.append_repr(out, dict.entries[i].key);
    out += ": ";
    render.append_repr(out, dict.entries[i].value);
  }
  out += '}';
}

void append_view(Render& render, std::string& out, Value value) {
  out.append(type_name(value)).append("([");
  append_items(render, out, render.collect(value));
  out += "])";
}

// Python shows addresses for these; nothing can rely on them.
void append_object(Render& render, std::string& out, Value value) {
  switch (value.kind) {
    case Kind::range: {
      const RangeObject& r = *value.range;
      out += r.step == 1 ? fmt::format("range({}, {})", r.start, r.stop)
                         : fmt::format("range({}, {}, {})", r.start, r.stop, r.step);
      return;
    }
    case Kind::loop:
      out += fmt::format("<LoopContext {}/{}>", value.loop->index0 + 1, render.length(value));
      return;
    case Kind::macro:
      out.append("<Macro ");
      render.append_repr(out, render.get_attribute(value, "name"));
      out += '>';
      return;
    case Kind::name_space:
      out += "<Namespace ";
      append_dict(render, out, *value.name_space->attributes);
      out += '>';
      return;
    default:
      out += fmt::format("<{} object>", type_name(value));
  }
}

}  // namespace

void Render::append_str(std::string& out, Value value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
      return;
    case Kind::string:
      out.append(value.text());
      return;
    default:
      append_repr(out, value);
  }
}

void Render::append_repr(std::string& out, Value value) {
  step();
  if (out.size() > limits_.memory_bytes_max)
    fail_limit("the template needs more than {} bytes of memory", limits_.memory_bytes_max);
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
      out += "Undefined";
      return;
    case Kind::none:
      out += "None";
      return;
    case Kind::boolean:
      out += value.boolean ? "True" : "False";
      return;
    case Kind::integer:
      fmt::format_to(std::back_inserter(out), "{}", value.integer);
      return;
    case Kind::real:
      append_float(out, value.real);
      return;
    case Kind::big_integer:
      out.append(value.text());
      return;
    case Kind::string:
      step_bytes(value.string->size);
      if (value.markup) out += "Markup(";
      append_string_repr(out, value.text());
      if (value.markup) out += ')';
      return;
    default:
      break;
  }
  DepthGuard guard(value_depth, value_depth_max, "a value is");
  switch (value.kind) {
    case Kind::list:
      out += '[';
      append_items(*this, out, value.items());
      out += ']';
      return;
    case Kind::tuple:
      out += '(';
      append_items(*this, out, value.items());
      out += value.list->size == 1 ? ",)" : ")";
      return;
    case Kind::dict:
      append_dict(*this, out, *value.dict);
      return;
    case Kind::view:
      append_view(*this, out, value);
      return;
    default:
      append_object(*this, out, value);
  }
}

std::string_view Render::str(Value value) {
  if (value.is_string()) return value.text();
  if (value.is_undefined()) return {};
  std::string out;
  append_str(out, value);
  return heap_.copy(out);
}

std::string_view Render::repr(Value value) {
  std::string out;
  append_repr(out, value);
  return heap_.copy(out);
}

}  // namespace jackdaw::text::jinja
