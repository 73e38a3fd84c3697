// LightGBM text: whatever the bytes say, the reader answers or refuses.
#include <cstdint>
#include <cstdlib>

#include "jackdaw/formats/tree_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto model = formats::read_lightgbm(as_text(bytes));
  if (!model) return model.error().message.empty() ? std::abort(), 1 : 0;
  for (const auto& tree : model->trees) {
    if (tree.leaf_value.size() != tree.num_leaves) std::abort();
    for (std::size_t node = 0; node + 1 < tree.num_leaves; ++node) {
      if (tree.split_feature.at(node) >= model->num_feature) std::abort();
    }
  }
  return 0;
}
