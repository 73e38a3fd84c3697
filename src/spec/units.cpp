#include "src/spec/units.h"

#include <array>
#include <charconv>
#include <cmath>

namespace jackdaw::spec {
namespace {

struct Unit {
  std::string_view name;
  double scale;
};

// Longer names first where one begins another.
constexpr std::array<Unit, 7> duration_units = {
    {{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}, {"\xc2\xb5s", 1e3}}};  // "µs"
constexpr std::array<Unit, 10> size_units = {{{"Ki", 1024.0},
                                              {"Mi", 1048576.0},
                                              {"Gi", 1073741824.0},
                                              {"Ti", 1099511627776.0},
                                              {"k", 1e3},
                                              {"K", 1e3},
                                              {"M", 1e6},
                                              {"G", 1e9},
                                              {"T", 1e12},
                                              {"", 1.0}}};

// Takes "12" or "1.5" off the front; false when there is none.
bool take_number(std::string_view& text, double& value) {
  const std::size_t length = std::min(text.find_first_not_of("0123456789."), text.size());
  if (length == 0) return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (fault != std::errc() || end != text.data() + length) return false;
  text.remove_prefix(length);
  return true;
}

bool take_duration_unit(std::string_view& text, double& scale) {
  for (const Unit& unit : duration_units) {
    if (text.substr(0, unit.name.size()) != unit.name) continue;
    text.remove_prefix(unit.name.size());
    scale = unit.scale;
    return true;
  }
  return false;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr double year_ns = 366.0 * 24 * 3600e9;
  const auto refuse = [&] {
    return make_error(Code::invalid_argument,
                      "'{}' is not a duration; write a number with a unit, such as 10s, 500ms or 1m30s", text);
  };
  if (text == "0") return Duration(0);
  double total = 0;
  std::string_view rest = text;
  if (rest.empty()) return refuse();
  while (!rest.empty()) {
    double value = 0, scale = 0;
    if (!take_number(rest, value) || !take_duration_unit(rest, scale)) return refuse();
    total += value * scale;
    if (!(total <= year_ns)) return make_error(Code::invalid_argument, "'{}' is longer than a year", text);
  }
  return Duration(static_cast<std::int64_t>(std::llround(total)));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto refuse = [&] {
    return make_error(Code::invalid_argument,
                      "'{}' is not a size; write bytes with or without a unit, such as 64Mi, 1Gi or 500k", text);
  };
  std::string_view rest = text;
  double value = 0;
  if (!take_number(rest, value)) return refuse();
  for (const Unit& unit : size_units) {
    if (rest != unit.name) continue;
    const double bytes = std::floor(value * unit.scale);
    if (!(bytes < 9.2e18)) return make_error(Code::invalid_argument, "'{}' is too large a size", text);
    return static_cast<std::uint64_t>(bytes);
  }
  return refuse();
}

}  // namespace jackdaw::spec
