// config.json flattened into Metadata.
#include <cstdint>

#include "formats/model_listing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  (void)formats::read_config_json(as_text(bytes));
  return 0;
}
