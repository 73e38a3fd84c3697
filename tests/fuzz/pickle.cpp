// Any bytes as a pickle or joblib file; what loads is then read the ways predictors read it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/object_graph_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  auto graph = jackdaw::formats::read_object_graph({bytes, bytes + size});
  if (graph) jackdaw::formats::walk_graph(*graph);
  return 0;
}
