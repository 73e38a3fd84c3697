#include "jackdaw/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace jackdaw {
namespace {

// Optimal string alignment distance (Levenshtein plus adjacent transpositions), ASCII case-insensitive.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t longest_compared = 128;
  if (name.size() > longest_compared) return {};
  std::string_view best;
  std::size_t best_distance = name.size() / 3 + 2;
  for (const std::string_view candidate : known) {
    if (candidate.size() > longest_compared) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance && distance < std::max(name.size(), candidate.size())) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

bool is_valid_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    std::uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
      p += 8;
      continue;
    }
    const unsigned char c = *p;
    if (c < 0x80) {
      ++p;
      continue;
    }
    const int extra = c >= 0xc2 && c <= 0xdf ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : -1;
    if (extra < 0 || end - p <= extra) return false;
    for (int i = 1; i <= extra; ++i) {
      if ((p[i] & 0xc0) != 0x80) return false;
    }
    if (c == 0xe0 && p[1] < 0xa0) return false;  // overlong
    if (c == 0xed && p[1] > 0x9f) return false;  // surrogates
    if (c == 0xf0 && p[1] < 0x90) return false;  // overlong
    if (c == 0xf4 && p[1] > 0x8f) return false;  // beyond U+10FFFF
    p += extra + 1;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 0xf];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0.0) {
    out += std::signbit(value) ? "-0.0" : "0.0";
    return;
  }
  // Shortest digits and exponent from to_chars ("d.ddde-07"), laid out as orjson does: plain between 1e-5 and 1e16,
  // else with an exponent that has a sign and no padding.
  char text[32];
  char* const end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  char* begin = text;
  char laid_out[48];
  char* to = laid_out;
  if (*begin == '-') *to++ = *begin++;
  char* const e = std::find(begin, end, 'e');
  int exponent = 0;
  std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
  // The digits without their point.
  char digits[24];
  char* digits_end = digits;
  for (const char* p = begin; p != e; ++p) {
    if (*p != '.') *digits_end++ = *p;
  }
  const auto count = static_cast<int>(digits_end - digits);
  const auto copy = [&](int from, int until) { to = std::copy(digits + from, digits + until, to); };
  if (exponent >= 16 || exponent < -5) {
    to = std::copy(begin, e, to);
    *to++ = 'e';
    if (exponent > 0) *to++ = '+';
    to = std::to_chars(to, laid_out + sizeof(laid_out), exponent).ptr;
  } else if (exponent < 0) {
    to = std::fill_n(std::copy_n("0.", 2, to), -exponent - 1, '0');
    copy(0, count);
  } else if (count <= exponent + 1) {
    copy(0, count);
    to = std::copy_n(".0", 2, std::fill_n(to, exponent + 1 - count, '0'));
  } else {
    copy(0, exponent + 1);
    *to++ = '.';
    copy(exponent + 1, count);
  }
  out.append(laid_out, to);
}

std::string with_large_integers_as_reals(std::string_view json) {
  constexpr std::size_t digits_of_any_int64 = 18;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size();) {
    const std::size_t begin = i++;
    if (json[begin] == '"') {
      in_string = !in_string;
    } else if (in_string && json[begin] == '\\') {
      i = std::min(i + 1, json.size());
    } else if (!in_string && is_digit(json[begin])) {
      while (i < json.size() && is_digit(json[i])) ++i;
      const bool fraction = begin > 0 && json[begin - 1] == '.';
      const bool real = i < json.size() && (json[i] == '.' || json[i] == 'e' || json[i] == 'E');
      const bool exponent = begin > 0 && std::string_view("eE+").find(json[begin - 1]) != std::string_view::npos;
      if (i - begin > digits_of_any_int64 && !fraction && !real && !exponent) {
        out.append(json.substr(begin, i - begin)).append(".0");
        continue;
      }
    }
    out.append(json.substr(begin, i - begin));
  }
  return out;
}

std::string rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto seconds = floor<std::chrono::seconds>(time);
  const auto day = floor<days>(seconds);
  const year_month_day date{day};
  const hh_mm_ss clock{seconds - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const std::string copy(text.substr(0, 64));
  int y = 0, end = 0;
  unsigned mon = 0, d = 0, h = 0, min = 0, s = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u%n", &y, &mon, &d, &h, &min, &s, &end) != 6)
    return std::nullopt;
  const year_month_day date{year(y), month(mon), day(d)};
  const bool utc = copy.find('Z', static_cast<std::size_t>(end)) != std::string::npos;
  // Nanoseconds of 64 bits end in 2262.
  if (!utc || !date.ok() || y < 1970 || y > 2261 || h > 23 || min > 59 || s > 60) return std::nullopt;
  return WallTime(sys_days(date).time_since_epoch() + hours(h) + minutes(min) + seconds(s));
}

std::string short_age(Duration age) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const std::int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24, years = days / 365;
  const auto two = [](std::int64_t first, char unit, std::int64_t second, char small) {
    return second == 0 ? fmt::format("{}{}", first, unit) : fmt::format("{}{}{}{}", first, unit, second, small);
  };
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return fmt::format("{}m", minutes);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return fmt::format("{}h", hours);
  if (hours < 192) return two(days, 'd', hours % 24, 'h');
  if (days < 730) return fmt::format("{}d", days);
  if (years < 8) return two(years, 'y', days % 365, 'd');
  return fmt::format("{}y", years);
}

}  // namespace jackdaw
