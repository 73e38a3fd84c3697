// safetensors headers. What was accepted must lie inside the file.
#include <cstdint>
#include <cstdlib>

#include "formats/model_listing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto listing = formats::list_safetensors(formats::MemorySource(bytes));
  if (!listing) return 0;
  for (const formats::ListedTensor& tensor : listing->tensors) {
    if (tensor.begin > size || tensor.bytes > size - tensor.begin) std::abort();
  }
  return 0;
}
