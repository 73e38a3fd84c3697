// str.format: replacement fields and the format mini language.
#include <cmath>

#include "src/text/template/format_spec.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

struct Spec {
  std::string fill = " ";
  char align = 0;
  char sign = '-';
  bool alternate = false;
  std::int64_t width = 0;
  char grouping = 0;
  std::int64_t precision = -1;
  char type = 0;
};

bool is_align(char32_t c) {
  return c == '<' || c == '>' || c == '=' || c == '^';
}

std::int64_t read_number(std::string_view spec, std::size_t& at) {
  std::int64_t out = -1;
  while (at < spec.size() && spec[at] >= '0' && spec[at] <= '9') {
    out = std::max<std::int64_t>(out, 0) * 10 + (spec[at++] - '0');
    if (out > 1'000'000'000) fail("too many decimal digits in format string");
  }
  return out;
}

Spec parse_spec(std::string_view text) {
  Spec spec;
  std::size_t at = 0;
  bool has_fill = false;
  const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
  if (!text.empty()) {
    std::size_t after = 0;
    next_code_point(text, after);
    if (after < text.size() && is_align(static_cast<unsigned char>(text[after]))) {
      spec.fill = std::string(text.substr(0, after));
      has_fill = true;
      spec.align = text[after];
      at = after + 1;
    } else if (is_align(static_cast<unsigned char>(text[0]))) {
      spec.align = text[at++];
    }
  }
  if (peek() == '+' || peek() == '-' || peek() == ' ') spec.sign = text[at++];
  if (peek() == '#') {
    spec.alternate = true;
    ++at;
  }
  if (peek() == '0') {
    ++at;
    if (!has_fill) spec.fill = "0";
    if (spec.align == 0) spec.align = '=';
  }
  spec.width = std::max<std::int64_t>(read_number(text, at), 0);
  if (peek() == ',' || peek() == '_') spec.grouping = text[at++];
  if (peek() == '.') {
    ++at;
    spec.precision = read_number(text, at);
    if (spec.precision < 0) fail("format specifier missing precision");
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) fail("invalid format specifier '{}'", text);
  return spec;
}

[[noreturn]] void fail_type(const Spec& spec, Value value) {
  fail("unknown format code '{}' for object of type '{}'", spec.type, type_name(value));
}

std::string grouped(std::string digits, char separator, std::size_t size = 3) {
  if (separator == 0) return digits;
  std::size_t whole = 0;
  while (whole < digits.size() && std::isxdigit(static_cast<unsigned char>(digits[whole])) != 0) ++whole;
  for (std::size_t at = whole; at > size; at -= size) digits.insert(at - size, 1, separator);
  return digits;
}

std::string finish_number(Render& render, const Spec& spec, bool negative, std::string prefix, std::string digits) {
  std::string lead = negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  lead += prefix;
  const char align = spec.align == 0 ? '>' : spec.align;
  if (align == '=') {
    const auto used = static_cast<std::int64_t>(lead.size());
    if (spec.grouping != 0 && spec.fill == "0") {  // Zeros take part in the grouping.
      while (static_cast<std::int64_t>(grouped(digits, spec.grouping).size()) + used < spec.width) {
        if (digits.size() > 10'000) fail("width too big");
        digits.insert(0, 1, '0');
      }
      return lead + grouped(std::move(digits), spec.grouping);
    }
    return lead + pad(render, grouped(std::move(digits), spec.grouping), spec.width - used, '>', spec.fill);
  }
  return pad(render, lead + grouped(std::move(digits), spec.grouping), spec.width, align, spec.fill);
}

std::string format_text(Render& render, const Spec& spec, Value value) {
  if (spec.type != 0 && spec.type != 's') fail_type(spec, value);
  if (spec.align == '=' && spec.fill != "0") fail("'=' alignment not allowed in string format specifier");
  if (spec.sign != '-') fail("sign not allowed in string format specifier");
  std::string text(spec.precision >= 0 ? cut(value.text(), spec.precision) : value.text());
  const char align = spec.align == 0 || spec.align == '=' ? '<' : spec.align;
  return pad(render, std::move(text), spec.width, align, spec.fill);
}

std::string format_real(Render& render, const Spec& spec, Value value, double number) {
  const bool negative = std::signbit(number) && !std::isnan(number);
  if (spec.precision > 10'000) fail("precision too big");
  int precision = spec.precision < 0 ? 6 : static_cast<int>(spec.precision);
  std::string digits;
  switch (spec.type) {
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
      digits = real_digits(number, spec.type, precision, spec.alternate);
      break;
    case 'n':
      digits = real_digits(number, 'g', precision, spec.alternate);
      break;
    case '%':
      digits = real_digits(number * 100, 'f', precision, spec.alternate) + "%";
      break;
    case 0:
      if (spec.precision < 0) {
        append_float(digits, std::fabs(number));
      } else {  // Like g, but with a digit behind the point.
        digits = real_digits(number, 'g', std::max(precision, 1), spec.alternate);
        if (digits.find_first_of(".en") == std::string::npos) digits += ".0";
      }
      break;
    default:
      fail_type(spec, value);
  }
  return finish_number(render, spec, negative, "", std::move(digits));
}

std::string format_integer(Render& render, const Spec& spec, Value value) {
  const std::int64_t number = value.as_integer();
  switch (spec.type) {
    case 0:
    case 'd':
    case 'n':
    case 'b':
    case 'o':
    case 'x':
    case 'X':
      break;
    case 'c': {
      if (number < 0 || number >= 0x110000 || (number >= 0xD800 && number < 0xE000))
        fail("%c arg not in range(0x110000)");
      std::string text;
      append_code_point(text, static_cast<char32_t>(number));
      return pad(render, std::move(text), spec.width, spec.align == 0 || spec.align == '=' ? '<' : spec.align,
                 spec.fill);
    }
    case 's':
      fail_type(spec, value);
    default:
      return format_real(render, spec, value, static_cast<double>(number));
  }
  if (spec.precision >= 0) fail("precision not allowed in integer format specifier");
  const unsigned base = spec.type == 'b' ? 2 : spec.type == 'o' ? 8 : spec.type == 'x' || spec.type == 'X' ? 16 : 10;
  std::string prefix = spec.alternate && base != 10 ? std::string("0") + spec.type : "";
  std::string digits = digits_of(number, base, spec.type == 'X');
  if (base != 10 && spec.grouping != 0) {
    if (spec.grouping == ',') fail("cannot specify ',' with '{}'", spec.type);
    Spec plain = spec;
    plain.grouping = 0;
    return finish_number(render, plain, number < 0, std::move(prefix), grouped(std::move(digits), '_', 4));
  }
  return finish_number(render, spec, number < 0, std::move(prefix), std::move(digits));
}

class BraceFormat {
 public:
  BraceFormat(Render& render, const Arguments& arguments) : render_(render), arguments_(arguments) {}

  std::string run(std::string_view format, int depth = 2) {
    if (depth < 0) fail("max string recursion exceeded");
    std::string out;
    std::size_t at = 0;
    while (at < format.size()) {
      const char c = format[at++];
      const bool doubled = at < format.size() && format[at] == c;
      if (c != '{' && c != '}') {
        out += c;
      } else if (doubled) {
        out += c;
        ++at;
      } else if (c == '}') {
        fail("single '}}' encountered in format string");
      } else {
        out += field(format, at, depth);
      }
    }
    return out;
  }

 private:
  std::string field(std::string_view format, std::size_t& at, int depth) {
    render_.step();
    std::size_t end = at;
    for (int open = 1;; ++end) {
      if (end >= format.size()) fail("expected '}}' before end of string");
      if (format[end] == '{') ++open;
      if (format[end] == '}' && --open == 0) break;
    }
    std::string_view body = format.substr(at, end - at);
    at = end + 1;
    std::size_t split = 0;
    for (int open = 0; split < body.size(); ++split) {  // '!' and ':' inside [...] belong to the name
      if (body[split] == '[') open = 1;
      if (body[split] == ']') open = 0;
      if (open == 0 && (body[split] == '!' || body[split] == ':')) break;
    }
    Value value = look_up(body.substr(0, split));
    std::string_view rest = body.substr(split);
    if (!rest.empty() && rest[0] == '!') {
      if (rest.size() < 2 || (rest.size() > 2 && rest[2] != ':')) fail("expected ':' after conversion specifier");
      value = convert(value, rest[1]);
      rest.remove_prefix(2);
    }
    const std::string spec = rest.empty() ? "" : run(rest.substr(1), depth - 1);
    return format_value(render_, value, spec);
  }

  Value convert(Value value, char how) {
    if (how == 's') return render_.view(render_.str(value));
    if (how == 'r') return render_.view(render_.repr(value));
    if (how == 'a') return render_.string(ascii_repr(render_.repr(value)));
    fail("unknown conversion specifier {}", how);
  }

  Value look_up(std::string_view name) {
    const std::size_t end = std::min(name.find('.'), name.find('['));
    Value value = first(name.substr(0, end));
    std::size_t at = std::min(end, name.size());
    while (at < name.size()) {
      if (name[at] == '.') {
        const std::size_t stop = std::min({name.find('.', at + 1), name.find('[', at + 1), name.size()});
        if (stop == at + 1) fail("empty attribute in format string");
        value = render_.get_attribute(value, name.substr(at + 1, stop - at - 1));
        at = stop;
      } else if (name[at] == '[') {
        const std::size_t stop = name.find(']', at);
        if (stop == std::string_view::npos || stop == at + 1) fail("missing ']' in format string");
        const std::string_view key = name.substr(at + 1, stop - at - 1);
        std::int64_t index = 0;
        value = render_.get_item(value, is_number(key, index) ? Value::of(index) : render_.view(key));
        at = stop + 1;
      } else {
        fail("only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  static bool is_number(std::string_view text, std::int64_t& out) {
    std::size_t at = 0;
    out = read_number(text, at);
    return !text.empty() && at == text.size();
  }

  Value first(std::string_view name) {
    std::int64_t index = 0;
    if (name.empty()) {
      if (manual_) fail("cannot switch from manual field specification to automatic field numbering");
      automatic_ = true;
      index = next_++;
    } else if (is_number(name, index)) {
      if (automatic_) fail("cannot switch from automatic field numbering to manual field specification");
      manual_ = true;
    } else {
      for (const Keyword& keyword : arguments_.named)
        if (keyword.name == name) return keyword.value;
      fail("the format's key '{}' is missing", name);
    }
    if (static_cast<std::size_t>(index) >= arguments_.positional.size())
      fail("replacement index {} out of range for positional args tuple", index);
    return arguments_.positional[static_cast<std::size_t>(index)];
  }

  Render& render_;
  const Arguments& arguments_;
  bool automatic_ = false;
  bool manual_ = false;
  std::int64_t next_ = 0;
};

}  // namespace

std::string format_value(Render& render, Value value, std::string_view text) {
  if (text.empty()) return std::string(render.str(value));
  const Spec spec = parse_spec(text);
  if (value.is_string()) return format_text(render, spec, value);
  if (value.is_integral()) return format_integer(render, spec, value);
  if (value.is(Kind::real)) return format_real(render, spec, value, value.real);
  fail("unsupported format string passed to {}.__format__", type_name(value));
}

Value brace_format(Render& render, Value format, const Arguments& arguments) {
  render.step_bytes(format.string->size);
  return render.string(BraceFormat(render, arguments).run(format.text()));
}

}  // namespace jackdaw::text::jinja
