#include "src/control/hybrid_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace jackdaw::control {
namespace {

constexpr std::uint32_t counter_max = 0xffff;
constexpr std::size_t ms_digits = 16;
constexpr std::size_t counter_digits = 4;

template <typename T>
std::optional<T> hexadecimal(std::string_view digits) {
  T value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::string HybridClock::tick(WallTime wall) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(wall.time_since_epoch()).count();
  const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0));
  if (now > ms_) {
    ms_ = now;
    counter_ = 0;
  } else if (counter_ < counter_max) {
    ++counter_;
  } else {
    ++ms_;
    counter_ = 0;
  }
  return fmt::format("{:016x}-{:04x}-{}", ms_, counter_, node_name_);
}

void HybridClock::saw(std::string_view version) {
  if (version.size() <= ms_digits + counter_digits || version[ms_digits] != '-') return;
  const auto ms = hexadecimal<std::uint64_t>(version.substr(0, ms_digits));
  const auto counter = hexadecimal<std::uint32_t>(version.substr(ms_digits + 1, counter_digits));
  if (!ms || !counter) return;
  if (*ms < ms_ || (*ms == ms_ && *counter <= counter_)) return;
  ms_ = *ms;
  counter_ = *counter;
}

}  // namespace jackdaw::control
