// Compressed joblib files with small limits, so that the fuzzer meets bombs quickly; and the decoders by themselves.
#include <cstddef>
#include <cstdint>

#include "src/formats/compression.h"
#include "tests/fuzz/object_graph_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw::formats;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  ReadLimits limits;
  limits.stream_bytes_max = 4u << 20;
  auto graph = read_object_graph({bytes, bytes + size}, limits);
  if (graph) walk_graph(*graph);
  const jackdaw::Bytes file{bytes, size};
  const DecompressLimits caps{.bytes_max = 1u << 20, .expansion_max = 10, .expansion_floor = 64u << 10};
  auto plain = decompress(file, detect_compression(file), caps);
  if (plain && plain->size() > std::max<std::size_t>(1u << 20, size)) __builtin_trap();
  return 0;
}
