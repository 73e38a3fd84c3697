#include "jackdaw/base/bytes.h"

namespace jackdaw {

bool ByteReader::take_until(char end, std::string_view& out) {
  const std::string_view rest_text = as_text(rest());
  const std::size_t at = rest_text.find(end);
  if (at == std::string_view::npos) return false;
  out = rest_text.substr(0, at);
  offset_ += at + 1;
  return true;
}

bool element_count(std::span<const std::int64_t> shape, std::int64_t& out) {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 || !checked_mul(count, dimension, count)) return false;
  }
  out = count;
  return true;
}

}  // namespace jackdaw
