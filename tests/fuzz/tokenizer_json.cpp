// tokenizer.json: whatever the bytes, a tokenizer that encodes and decodes, or a refusal.
#include <cstdint>
#include <string_view>

#include "jackdaw/text/tokenizer.h"
#include "src/text/read_tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw::text;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto spec = read_tokenizer_json({bytes, bytes, bytes});
  if (!spec) return 0;
  const auto tokenizer = Tokenizer::build(std::move(*spec));
  if (!tokenizer) return 0;
  (void)(*tokenizer)->decode((*tokenizer)->encode("Hello, <s>wörld 123\n\n  x"));
  return 0;
}
