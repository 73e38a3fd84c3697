#include "src/spec/json_number.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace jackdaw::spec {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front away; answers them.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The value of a decimal exponent's digits, cut off where no real number comes.
std::int64_t clamped(std::string_view digits) {
  constexpr std::int64_t most = 1'000'000'000'000'000;
  std::int64_t value = 0;
  for (const char c : digits) value = std::min(most, value * 10 + (c - '0'));
  return value;
}

}  // namespace

bool is_json_number(std::string_view text) {
  take(text, "-");
  const auto whole = take_digits(text);
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0')) return false;
  if (take(text, ".") && take_digits(text).empty()) return false;
  if (take(text, "eE")) {
    take(text, "+-");
    if (take_digits(text).empty()) return false;
  }
  return text.empty();
}

JsonNumber JsonNumber::of(std::string_view text) {
  JsonNumber number;
  number.negative = take(text, "-");
  number.digits = take_digits(text);
  if (take(text, ".")) {
    const auto fraction = take_digits(text);
    number.digits += fraction;
    number.exponent -= static_cast<std::int64_t>(fraction.size());
  }
  if (take(text, "eE")) {
    const bool down = text.starts_with('-');
    take(text, "+-");
    number.exponent += down ? -clamped(text) : clamped(text);
  }
  number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
  while (number.digits.ends_with('0')) {
    number.digits.pop_back();
    ++number.exponent;
  }
  return number.digits.empty() ? JsonNumber() : number;
}

std::optional<std::int64_t> JsonNumber::whole() const {
  if (digits.empty()) return 0;
  constexpr std::size_t digits_max = 19;
  if (exponent < 0 || exponent > static_cast<std::int64_t>(digits_max) || digits.size() > digits_max) return {};
  std::string text = (negative ? "-" : "") + digits;
  text.append(static_cast<std::size_t>(exponent), '0');
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace jackdaw::spec
