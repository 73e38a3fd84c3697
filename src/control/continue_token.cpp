#include "src/control/continue_token.h"

#include <fmt/format.h>

#include <charconv>

namespace jackdaw::control {
namespace {

constexpr std::string_view now = "now";
constexpr std::string_view not_known = "-";

// Cuts what stands before the next point off the front; nothing when there is no point.
std::optional<std::string_view> take_part(std::string_view& text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, point);
  text.remove_prefix(point + 1);
  return part;
}

// False when it is neither a number nor `otherwise`, which stands for none.
bool read_number(std::string_view text, int base, std::string_view otherwise, std::optional<std::uint64_t>& out) {
  if (text == otherwise) return true;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, base);
  out = number;
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

std::string number_or(const std::optional<std::uint64_t>& number, std::string_view otherwise) {
  return number ? std::to_string(*number) : std::string(otherwise);
}

}  // namespace

std::string ContinueToken::text() const {
  return fmt::format("{:016x}.{}.{}.{}", life, number_or(resource_version, now), number_or(remaining, not_known),
                     after);
}

std::optional<ContinueToken> ContinueToken::parse(std::string_view text) {
  const auto life = take_part(text);
  const auto version = take_part(text);
  const auto remaining = take_part(text);
  if (!life || !version || !remaining || text.empty()) return std::nullopt;
  ContinueToken out;
  std::optional<std::uint64_t> born;
  if (!read_number(*life, 16, "", born) || !born) return std::nullopt;
  if (!read_number(*version, 10, now, out.resource_version)) return std::nullopt;
  if (!read_number(*remaining, 10, not_known, out.remaining)) return std::nullopt;
  out.life = *born;
  out.after = text;
  return out;
}

}  // namespace jackdaw::control
