#include "src/app/client/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "jackdaw/base/text.h"

namespace jackdaw::app {
namespace {

Error bad_duration(std::string_view text) {
  return make_error(Code::invalid_argument, "'{}' is no duration; write for example 30s, 5m or 1h30m", text);
}

// Takes one unit off the front; 0 when there is none.
Duration take_unit(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, Duration>, 5> units = {{{"ms", std::chrono::milliseconds(1)},
                                                                           {"s", std::chrono::seconds(1)},
                                                                           {"m", std::chrono::minutes(1)},
                                                                           {"h", std::chrono::hours(1)},
                                                                           {"d", std::chrono::hours(24)}}};
  for (const auto& [name, length] : units) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return length;
  }
  return Duration::zero();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  constexpr double seconds_max = 100.0 * 365 * 86400;
  std::string_view rest = text;
  double seconds = 0;
  while (!rest.empty()) {
    double number = 0;
    const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (fault != std::errc() || number < 0) return bad_duration(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const bool alone = rest.empty() && end - text.data() == static_cast<std::ptrdiff_t>(text.size()) && seconds == 0;
    const Duration unit = alone ? Duration(std::chrono::seconds(1)) : take_unit(rest);
    if (unit == Duration::zero()) return bad_duration(text);
    seconds += number * std::chrono::duration<double>(unit).count();
  }
  if (text.empty() || !(seconds <= seconds_max)) return bad_duration(text);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

std::string short_bytes(double bytes) {
  constexpr std::array<std::string_view, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} B", bytes)
                   : fmt::format("{:.{}f} {}", bytes, bytes < 100 ? 1 : 0, units[unit]);
}

std::string short_number(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";
  if (value < 10) return fmt::format("{:.2f}", value);
  if (value < 100) return fmt::format("{:.1f}", value);
  if (value < 10'000) return fmt::format("{:.0f}", value);
  if (value < 1e6) return fmt::format("{:.{}f}k", value / 1e3, value < 1e5 ? 1 : 0);
  return fmt::format("{:.{}f}M", value / 1e6, value < 1e7 ? 2 : 1);
}

std::string short_latency(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "-";
  if (seconds < 1e-3) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.{}f} ms", seconds * 1e3, seconds < 1e-2 ? 2 : seconds < 0.1 ? 1 : 0);
  if (seconds < 120) return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 2 : 1);
  return short_age(std::chrono::seconds(std::llround(seconds)));
}

}  // namespace jackdaw::app
