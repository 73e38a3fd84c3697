// JsonNumber: a JSON number's value taken from its text, exactly, however many digits it has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackdaw::spec {

// Whether the text is a number by JSON's grammar: no leading zeros, no plus, digits on both sides of the point.
bool is_json_number(std::string_view text);

// digits × 10^exponent, without zeros at either end of the digits; zero has no digits. Two numbers are equal when all
// three are.
struct JsonNumber {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  // `text` is a number by JSON's grammar. Exponents beyond ±10^15 all count as ±10^15.
  static JsonNumber of(std::string_view text);
  // The value when it is whole and fits.
  std::optional<std::int64_t> whole() const;

  friend bool operator==(const JsonNumber&, const JsonNumber&) = default;
};

}  // namespace jackdaw::spec
