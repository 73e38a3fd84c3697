// Any bytes as a pickle or joblib file; what loads is then read the ways predictors and `jackdaw inspect` read it.
#include <cstddef>
#include <cstdint>

#include "jackdaw/formats/inspect.h"
#include "tests/fuzz/object_graph_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  auto graph = jackdaw::formats::read_object_graph({bytes, bytes + size});
  if (graph) jackdaw::formats::walk_graph(*graph);
  (void)jackdaw::formats::inspect_bytes({bytes, bytes + size}, "fuzz");
  return 0;
}
