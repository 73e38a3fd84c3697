#include "src/text/template/format_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

std::string digits_of(std::int64_t value, unsigned base, bool upper) {
  std::uint64_t rest = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += digits[rest % base];
    rest /= base;
  } while (rest != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string real_digits(double value, char type, int precision, bool alternate) {
  value = std::fabs(value);
  if (std::isnan(value) || std::isinf(value)) {
    std::string out = std::isnan(value) ? "nan" : "inf";
    if (type >= 'A' && type <= 'Z') out = to_upper(out);
    return out;
  }
  const char format[] = {
      '%', alternate ? '#' : '.', alternate ? '.' : '*', alternate ? '*' : type, alternate ? type : '\0', '\0'};
  // The format is one of %.*f, %#.*e and the like.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int size = std::snprintf(nullptr, 0, format, precision, value);
  std::string out(static_cast<std::size_t>(size) + 1, '\0');
  std::snprintf(out.data(), out.size(), format, precision, value);
#pragma GCC diagnostic pop
  out.pop_back();
  return out;
}

std::string pad(Render& render, std::string text, std::int64_t width, char align, std::string_view fill) {
  const auto length = static_cast<std::int64_t>(count_code_points(text));
  if (length >= width) return text;
  const auto missing = static_cast<std::size_t>(width - length);
  if (missing > render.limits().memory_bytes_max / 4)
    fail_limit("the template needs more than {} bytes of memory", render.limits().memory_bytes_max);
  render.heap().charge(missing * fill.size());
  render.step_bytes(missing);
  const std::size_t left = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  std::string out;
  out.reserve(text.size() + missing * fill.size());
  for (std::size_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (std::size_t i = left; i < missing; ++i) out += fill;
  return out;
}

std::string_view cut(std::string_view text, std::int64_t length) {
  std::size_t at = 0;
  while (at < text.size() && length-- > 0) next_code_point(text, at);
  return text.substr(0, at);
}

std::string ascii_repr(std::string_view repr) {
  std::string out;
  for (std::size_t at = 0; at < repr.size();) {
    const auto c = static_cast<std::uint32_t>(next_code_point(repr, at));
    if (c < 0x80)
      out += static_cast<char>(c);
    else
      out += c < 0x100     ? fmt::format("\\x{:02x}", c)
             : c < 0x10000 ? fmt::format("\\u{:04x}", c)
                           : fmt::format("\\U{:08x}", c);
  }
  return out;
}

}  // namespace jackdaw::text::jinja
