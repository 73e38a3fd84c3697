// XGBoost files of all three containers: whatever the bytes say, the reader answers or refuses.
#include <cstdint>
#include <cstdlib>

#include "jackdaw/formats/tree_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto model = formats::read_xgboost(bytes);
  if (!model) return model.error().message.empty() ? std::abort(), 1 : 0;
  // What was read is walkable without looking: every child lies behind the bounds that were promised.
  for (const auto& tree : model->trees) {
    for (std::size_t node = 0; node < tree.node_count(); ++node) {
      if (tree.left[node] >= 0 && tree.feature[node] >= model->num_feature) std::abort();
      if (tree.left[node] >= 0 && static_cast<std::size_t>(tree.right.at(node)) >= tree.node_count()) std::abort();
    }
  }
  return 0;
}
