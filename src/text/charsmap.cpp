#include "charsmap.h"

#include "jackdaw/base/bytes.h"
#include "utf8.h"

namespace jackdaw::text {

namespace {

bool has_leaf(std::uint32_t unit) {
  return (unit >> 8 & 1u) != 0;
}
std::uint32_t value(std::uint32_t unit) {
  return unit & 0x7FFFFFFFu;
}
std::uint32_t label(std::uint32_t unit) {
  return unit & 0x800000FFu;
}
std::uint32_t offset(std::uint32_t unit) {
  return unit >> 10 << ((unit & 0x200u) >> 6);
}

}  // namespace

Result<Charsmap> Charsmap::read(std::string blob) {
  constexpr std::size_t bytes_max = 64 << 20;
  ByteReader reader(as_bytes(blob));
  std::uint32_t size = 0;
  if (blob.size() > bytes_max) return make_error(Code::too_large, "The normalizer's charsmap is over 64 MiB.");
  if (!reader.read_le(size) || size % 4 != 0 || size == 0 || size > reader.remaining()) {
    return make_error(Code::parse_error, "The normalizer's charsmap of {} bytes says its trie has {}.", blob.size(),
                      size)
        .at("offset 0");
  }
  Charsmap made;
  made.units_.resize(size / 4);
  for (std::uint32_t& unit : made.units_) {
    if (!reader.read_le(unit)) return make_error(Code::parse_error, "The charsmap ends within its trie.");
  }
  made.replacements_ = std::string(as_text(reader.rest()));
  made.replacements_.push_back('\0');
  return made;
}

std::size_t Charsmap::longest(std::string_view text, std::size_t& replacement) const {
  std::size_t length = 0;
  std::size_t at = offset(units_[0]);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || label(units_[at]) != byte) break;
    const std::uint32_t unit = units_[at];
    at ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (at >= units_.size() || value(units_[at]) >= replacements_.size()) break;
    length = i + 1;
    replacement = value(units_[at]);
  }
  return length;
}

std::string Charsmap::apply(std::string_view text) const {
  constexpr std::size_t look_ahead = 256;  // longer keys do not exist; keeps hostile tries linear
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t replacement = 0;
    std::size_t length = longest(text.substr(0, look_ahead), replacement);
    if (length > 0) {
      out += std::string_view(replacements_.data() + replacement).substr(0, look_ahead);
    } else {
      length = decode_utf8(text.data(), text.data() + text.size()).length;
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace jackdaw::text
