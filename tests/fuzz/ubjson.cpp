// The UBJSON and JSON cursors alone, and both ways of reading arrays.
#include <cstdint>

#include "formats/ubjson_cursor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw;
  if (size == 0) return 0;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const auto cursor = [&] {
    return (data[0] & 8) != 0 ? formats::json_cursor(as_text(bytes), 64) : formats::ubjson_cursor(bytes, 64);
  };
  switch (data[0] & 7) {
    case 0:
      (void)cursor()->floats();
      break;
    case 1:
      (void)cursor()->integers();
      break;
    case 2:
      (void)cursor()->doubles();
      break;
    case 3:
      (void)cursor()->texts();
      break;
    case 4:
      (void)cursor()->scalar();
      break;
    default:
      (void)cursor()->skip();
      break;
  }
  return 0;
}
