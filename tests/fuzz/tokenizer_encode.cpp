// Encoding any bytes: with all bytes in the vocabulary nothing is lost, whatever the pre-tokenizer; the charsmap's
// bytes are the input's own. Streaming equals decoding at once, and stop strings equal a search.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jackdaw/text/detokenizer.h"
#include "src/text/nfc.h"
#include "src/text/utf8.h"

namespace {

using namespace jackdaw::text;

std::shared_ptr<const Tokenizer> byte_level(const char* pre) {
  TokenizerSpec spec;
  spec.pre = pre;
  char32_t other = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool prints = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    std::string piece;
    append_utf8(piece, prints ? byte : other++);
    spec.pieces.push_back(piece);
  }
  for (const char* merged : {"aa", "aaaa", "ĠĠ", "in", "ing", "Ċ"}) {
    if (std::string_view(merged) != "Ċ") spec.pieces.emplace_back(merged);
  }
  spec.merges = {"a a", "aa aa", "Ġ Ġ", "i n", "in g"};
  auto made = Tokenizer::build(std::move(spec));
  if (!made) std::abort();
  return *made;
}

void unigram_with(std::string_view charsmap, std::string_view text) {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::unigram;
  spec.pieces = {"<unk>", "▁", "a", "b", "ab"};
  spec.scores = {0, -1, -2, -2, -3};
  spec.types = {TokenType::unknown, TokenType::normal, TokenType::normal, TokenType::normal, TokenType::normal};
  spec.unknown = 0;
  spec.precompiled_charsmap = charsmap;
  if (const auto made = Tokenizer::build(std::move(spec))) (void)(*made)->decode((*made)->encode(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::shared_ptr<const Tokenizer> tokenizers[] = {
      byte_level("gpt-2"),  byte_level("llama-bpe"),      byte_level("qwen35"),      byte_level("gpt-4o"),
      byte_level("tekken"), byte_level("deepseek-llm"),   byte_level("deepseek-v3"), byte_level("falcon"),
      byte_level("smollm"), byte_level("deepseek-coder"), byte_level("laguna")};
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto& tokenizer = tokenizers[data[0] % std::size(tokenizers)];
  const std::vector<TokenId> ids = tokenizer->encode(text);
  std::string bytes;
  std::string streamed;
  Detokenizer detokenizer(tokenizer, false, false);
  for (const TokenId id : ids) {
    bytes += tokenizer->bytes(id);
    streamed += detokenizer.push(id);
  }
  if (bytes != text || streamed + detokenizer.finish() != tokenizer->decode(ids, false)) std::abort();
  const std::string once = to_nfc(text);
  if (to_nfc(once) != once) std::abort();
  StopMatcher stops({std::string(text.substr(0, 3)), std::string(text.substr(text.size() / 2, 2))}, true);
  for (const char c : text) {
    if (stops.push(std::string_view(&c, 1)).stop_index) break;
  }
  unigram_with(text, text);
  return 0;
}
