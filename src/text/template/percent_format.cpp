// printf-style formatting: "format" % values.
#include <cmath>

#include "src/text/template/format_spec.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

struct Directive {
  bool left = false, sign = false, blank = false, alternate = false, zero = false;
  std::int64_t width = -1;
  std::int64_t precision = -1;
  char type = 0;
};

class PercentFormat {
 public:
  PercentFormat(Render& render, std::string_view format, Value values, bool markup)
      : render_(render), format_(format), values_(values), markup_(markup) {
    if (values.is(Kind::tuple)) {
      arguments_ = values.items();
    } else {
      single_ = values;
      arguments_ = std::span<const Value>(&single_, 1);
    }
  }

  std::string run() {
    while (at_ < format_.size()) {
      const std::size_t mark = format_.find('%', at_);
      out_.append(format_.substr(at_, mark - at_));
      if (mark == std::string_view::npos) break;
      at_ = mark + 1;
      directive();
    }
    // Whatever can be subscripted may stay unused: it may have been meant for %(name)s.
    const bool may_stay = values_.is(Kind::dict) || values_.is(Kind::list) || values_.is(Kind::range);
    if (used_ < arguments_.size() && !may_stay) fail("not all arguments converted during string formatting");
    return std::move(out_);
  }

 private:
  char peek() const {
    if (at_ >= format_.size()) fail("incomplete format");
    return format_[at_];
  }

  void directive() {
    render_.step();
    Directive d;
    Value argument;
    if (peek() == '(') argument = named();
    for (;; ++at_) {
      const char c = peek();
      if (c == '-')
        d.left = true;
      else if (c == '+')
        d.sign = true;
      else if (c == ' ')
        d.blank = true;
      else if (c == '#')
        d.alternate = true;
      else if (c == '0')
        d.zero = true;
      else
        break;
    }
    d.width = number(d);
    if (peek() == '.') {
      ++at_;
      d.precision = std::max<std::int64_t>(number(d), 0);
    }
    if (peek() == 'h' || peek() == 'l' || peek() == 'L') ++at_;
    d.type = peek();
    ++at_;
    if (d.type == '%') {
      out_ += '%';
      return;
    }
    if (argument.is_missing()) argument = next();
    append(d, argument);
  }

  Value named() {
    if (!values_.is(Kind::dict)) fail("format requires a mapping");
    const std::size_t start = ++at_;
    for (int depth = 1; depth > 0; ++at_) {
      if (peek() == '(') ++depth;
      if (peek() == ')') --depth;
    }
    const std::string_view key = format_.substr(start, at_ - 1 - start);
    const Value* found = render_.find(*values_.dict, key);
    if (found == nullptr) fail("the format's key '{}' is missing", key);
    used_ = arguments_.size();
    return *found;
  }

  std::int64_t number(Directive& d) {
    if (peek() == '*') {
      ++at_;
      const Value v = next();
      if (!v.is_integral()) fail("* wants int");
      if (v.as_integer() < 0 && d.precision < 0) d.left = true;
      if (v.as_integer() > 1'000'000'000 || v.as_integer() < -1'000'000'000) fail("width too big");
      return std::abs(v.as_integer());
    }
    std::int64_t out = -1;
    while (peek() >= '0' && peek() <= '9') {
      out = std::max<std::int64_t>(out, 0) * 10 + (peek() - '0');
      if (out > 1'000'000'000) fail("width or precision too big");
      ++at_;
    }
    return out;
  }

  Value next() {
    if (used_ >= arguments_.size()) fail("not enough arguments for format string");
    return arguments_[used_++];
  }

  void append(const Directive& d, Value argument) {
    switch (d.type) {
      case 's':
      case 'r':
      case 'a':
        text(d, argument);
        return;
      case 'c':
        character(d, argument);
        return;
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        integer(d, argument);
        return;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        real(d, argument);
        return;
      default:
        fail("unsupported format character '{}'", d.type);
    }
  }

  void padded(const Directive& d, std::string text) {
    out_ += pad(render_, std::move(text), d.width, d.left ? '<' : '>');
  }

  void text(const Directive& d, Value argument) {
    std::string out;
    if (d.type == 's')
      render_.append_str(out, argument);
    else
      render_.append_repr(out, argument);
    if (d.type == 'a') out = ascii_repr(out);
    if (markup_ && !argument.markup) out = escape_html(out);
    if (d.precision >= 0) out = std::string(cut(out, d.precision));
    padded(d, std::move(out));
  }

  void character(const Directive& d, Value argument) {
    std::string out;
    if (argument.is_string()) {
      if (string_length(argument) != 1) fail("%c requires int or char");
      out = argument.text();
    } else {
      if (!argument.is_integral()) fail("%c requires int or char");
      const std::int64_t code = argument.as_integer();
      if (code < 0 || code >= 0x110000 || (code >= 0xD800 && code < 0xE000)) fail("%c arg not in range(0x110000)");
      append_code_point(out, static_cast<char32_t>(code));
    }
    padded(d, std::move(out));
  }

  void integer(const Directive& d, Value argument) {
    const bool decimal = d.type == 'd' || d.type == 'i' || d.type == 'u';
    if (argument.is(Kind::big_integer) && decimal) return signed_digits(d, argument.text()[0] == '-', digits(argument));
    if (argument.is_undefined()) render_.fail_undefined(argument);
    if (argument.is(Kind::real) && decimal) {
      if (!std::isfinite(argument.real)) fail("cannot convert float {} to integer", render_.str(argument));
      const double whole = std::trunc(argument.real);
      if (std::fabs(whole) >= 9.2e18) return signed_digits(d, whole < 0, format_fixed(std::fabs(whole), 0));
      argument = Value::of(static_cast<std::int64_t>(whole));
    }
    if (!argument.is_integral())
      fail("%{} format: {} is required, not {}", d.type, decimal ? "a real number" : "an integer", type_name(argument));
    const unsigned base = decimal ? 10 : d.type == 'o' ? 8 : 16;
    std::string text = digits_of(argument.as_integer(), base, d.type == 'X');
    if (d.precision > static_cast<std::int64_t>(text.size()))
      text = pad(render_, std::move(text), d.precision, '>', "0");
    const char* prefix = !d.alternate || decimal ? "" : d.type == 'o' ? "0o" : d.type == 'x' ? "0x" : "0X";
    signed_digits(d, argument.as_integer() < 0, std::move(text), prefix);
  }

  static std::string digits(Value big) {
    std::string_view text = big.text();
    if (text[0] == '-') text.remove_prefix(1);
    return std::string(text);
  }

  void real(const Directive& d, Value argument) {
    if (argument.is_undefined()) render_.fail_undefined(argument);
    if (!argument.is_number()) fail("must be real number, not {}", type_name(argument));
    const double value = argument.as_real();
    if (d.precision > 10'000) fail("precision too big");
    const int precision = d.precision < 0 ? 6 : static_cast<int>(d.precision);
    signed_digits(d, std::signbit(value) && !std::isnan(value), real_digits(value, d.type, precision, d.alternate));
  }

  void signed_digits(const Directive& d, bool negative, std::string text, std::string_view prefix = {}) {
    std::string lead = negative ? "-" : d.sign ? "+" : d.blank ? " " : "";
    lead += prefix;
    if (d.zero && !d.left) {
      text = pad(render_, std::move(text), d.width - static_cast<std::int64_t>(lead.size()), '>', "0");
      out_ += lead + text;
      return;
    }
    padded(d, lead + text);
  }

  Render& render_;
  std::string_view format_;
  Value values_;
  bool markup_;
  Value single_;
  std::span<const Value> arguments_;
  std::size_t used_ = 0;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

Value percent_format(Render& render, Value format, Value values) {
  render.step_bytes(format.string->size);
  Value out = render.string(PercentFormat(render, format.text(), values, format.markup).run());
  out.markup = format.markup;
  return out;
}

}  // namespace jackdaw::text::jinja
