// Text from tokens, a piece at a time: whatever the borders, the whole is what decoding at once gives.
#include "jackdaw/text/detokenizer.h"

#include <catch2/catch.hpp>
#include <random>

namespace {

using namespace jackdaw::text;

// One token a byte, then some longer ones, a control token, and a piece that begins with a space.
std::shared_ptr<const Tokenizer> byte_tokenizer() {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::sentencepiece_bpe;
  for (int byte = 0; byte < 256; ++byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    spec.pieces.push_back(
        "<0x" + std::string{digits[static_cast<std::size_t>(byte / 16)], digits[static_cast<std::size_t>(byte % 16)]} +
        ">");
    spec.types.push_back(TokenType::byte);
  }
  for (const char* piece : {"▁", "▁hello", "hello", "é", "<s>", "😀"}) {
    spec.pieces.push_back(piece);
    spec.types.push_back(spec.pieces.back() == "<s>" ? TokenType::control : TokenType::normal);
  }
  spec.scores.assign(spec.pieces.size(), 0);
  return *Tokenizer::build(spec);
}

std::vector<TokenId> bytes_as_tokens(std::string_view bytes) {
  std::vector<TokenId> ids;
  for (const char c : bytes) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

std::string stream(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<TokenId>& ids,
                   bool skip_special, bool continues) {
  Detokenizer detokenizer(tokenizer, skip_special, continues);
  std::string out;
  for (const TokenId id : ids) out += detokenizer.push(id);
  return out + detokenizer.finish();
}

}  // namespace

TEST_CASE("HoldsBackAnIncompleteCharacter") {
  Detokenizer detokenizer(byte_tokenizer(), true, false);
  CHECK(detokenizer.push(0xF0).empty());
  CHECK(detokenizer.push(0x9F).empty());
  CHECK(detokenizer.push(0x98).empty());
  CHECK(detokenizer.push(0x80) == "😀");
  CHECK(detokenizer.finish().empty());
}

TEST_CASE("ReplacesWhatCanNeverBecomeACharacterAtOnce") {
  Detokenizer detokenizer(byte_tokenizer(), true, false);
  CHECK(detokenizer.push(0xC3).empty());
  CHECK(detokenizer.push('x') == "\uFFFDx");
  CHECK(detokenizer.push(0xFF) == "\uFFFD");
  CHECK(detokenizer.push(0xE2).empty());
  CHECK(detokenizer.push(0x82).empty());
  CHECK(detokenizer.finish() == "\uFFFD");
}

TEST_CASE("DropsTheSpaceThatTheModelPutBeforeTheText") {
  const auto tokenizer = byte_tokenizer();
  CHECK(stream(tokenizer, {257, 257}, true, false) == "hello hello");
  CHECK(stream(tokenizer, {260, 257}, true, false) == "hello");
  CHECK(stream(tokenizer, {257}, true, true) == " hello");
  CHECK(stream(tokenizer, {260, 257}, false, false) == "<s> hello");
}

TEST_CASE("StreamsWhatDecodingAtOnceGives") {
  const auto tokenizer = byte_tokenizer();
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i < 12; ++i) {
      const auto kind = random() % 4;
      const auto lead = static_cast<TokenId>(random() % 4 == 0 ? random() % 256 : 0x80 + random() % 0x80);
      ids.push_back(kind == 0 ? static_cast<TokenId>(256 + random() % 6) : lead);
    }
    REQUIRE(stream(tokenizer, ids, true, false) == tokenizer->decode(ids, true));
    REQUIRE(stream(tokenizer, ids, false, false) == tokenizer->decode(ids, false));
  }
}

TEST_CASE("DecodesInvalidUtf8AsPythonReplacesIt") {
  const auto tokenizer = byte_tokenizer();
  // bytes.decode("utf-8", errors="replace") of CPython 3.11.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\xC0\x80", "\uFFFD\uFFFD"},
      {"\xE0\x80\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xF0\x9F\x98z", "\uFFFDz"},
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"a\xE2\x82", "a\uFFFD"},
  };
  for (const auto& [bytes, text] : cases) CHECK(tokenizer->decode(bytes_as_tokens(bytes)) == text);
}
