// Lines of token files: whatever they hold is refused with a line number or becomes hashes, and is never quoted.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "jackdaw/api/access.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto hashes = jackdaw::api::read_token_lines(text);
  const bool is_line = hashes.has_value() || hashes.error().code != jackdaw::Code::parse_error ||
                       hashes.error().where.substr(0, 5) == "line ";
  if (!is_line) std::abort();
  // The same bytes as a glob and as what it is held against: the whole matches itself when it holds no star.
  const std::string_view half = text.substr(0, size / 2);
  jackdaw::api::matches_glob(half, text.substr(size / 2));
  if (!jackdaw::api::matches_glob(half, half)) std::abort();
  return 0;
}
