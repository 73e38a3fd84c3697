#include "src/formats/inspect_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace jackdaw::formats {

namespace {

constexpr std::size_t key_columns = 18;

std::string_view colour_code(LineStyle style) {
  switch (style) {
    case LineStyle::title:
      return "\x1b[1m";
    case LineStyle::faint:
      return "\x1b[2m";
    case LineStyle::danger:
      return "\x1b[1;31m";
    case LineStyle::caution:
      return "\x1b[33m";
    case LineStyle::good:
      return "\x1b[32m";
    case LineStyle::plain:
      break;
  }
  return {};
}

// Length of the UTF-8 sequence at `at`, 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                             : lead >= 0xe0                ? 3
                             : lead >= 0xc2                ? 2
                                                           : 0;
  if (length == 0 || lead >= 0xf5 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

std::uint32_t code_point(std::string_view sequence) {
  const auto lead = static_cast<unsigned char>(sequence[0]);
  std::uint32_t code = sequence.size() == 1 ? lead : lead & (0xffu >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) code = code << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return code;
}

bool steers_terminal(std::uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

// First `columns` code points; an ellipsis stands for what was cut.
std::string cut(std::string_view text, std::size_t columns) {
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (++count > columns) return std::string(text.substr(0, last)) + "…";
    if (count < columns) last = i + std::max<std::size_t>(1, sequence_length(text, i));
    i += std::max<std::size_t>(1, sequence_length(text, i));
  }
  return std::string(text);
}

}  // namespace

Page::Page(const InspectOptions& options) : options_(options) {
  options_.width = std::clamp(options.width, 40, 1000);
  options_.max_depth = std::clamp(options.max_depth, 1, 64);
  options_.items_max = std::clamp(options.items_max, 1, 100'000);
  options_.values_max = std::clamp(options.values_max, 0, 1000);
  options_.lines_max = options.all ? 1'000'000 : std::max(options.lines_max, 10);
}

void Page::line(int indent, std::string_view text, LineStyle style) {
  if (lines_ >= options_.lines_max) {
    full_ = true;
    return;
  }
  ++lines_;
  const std::string body = cut(std::string(static_cast<std::size_t>(indent), ' ') + std::string(text),
                               static_cast<std::size_t>(options_.width));
  const std::string_view code = options_.colour ? colour_code(style) : std::string_view{};
  out_ += code;
  out_ += body;
  if (!code.empty()) out_ += "\x1b[0m";
  out_ += '\n';
}

void Page::row(std::string_view key, std::string_view value, LineStyle style) {
  line(2, fmt::format("{:<{}}{}", key, key_columns, value), style);
}

std::string Page::take() {
  if (full_) out_ += fmt::format("... cut after {} lines\n", options_.lines_max);
  return std::move(out_);
}

std::string printable(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++used) {
    if (used >= columns) return out + "…";
    const std::size_t length = sequence_length(text, i);
    const std::string_view sequence = text.substr(i, std::max<std::size_t>(1, length));
    i += sequence.size();
    if (length == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(sequence[0]));
    } else if (const std::uint32_t code = code_point(sequence); steers_terminal(code)) {
      out += code == '\n'   ? std::string("\\n")
             : code < 0x100 ? fmt::format("\\x{:02x}", code)
                            : fmt::format("\\u{:04x}", code);
    } else {
      out += sequence;
    }
  }
  return out;
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string number_text(double value) {
  return fmt::format("{:.6g}", value);
}

}  // namespace jackdaw::formats
