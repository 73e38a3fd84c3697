// Tokenizers against what Hugging Face tokenizers and sentencepiece give: tests/data/llm/tokenizers, made by the script
// that stands there.
#include <simdjson.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <optional>
#include <thread>

#include "jackdaw/text/detokenizer.h"
#include "jackdaw/text/tokenizer.h"
#include "src/text/read_tokenizer.h"

namespace {

using namespace jackdaw;
using namespace jackdaw::text;
using simdjson::dom::element;

struct Golden {
  std::string text;
  std::vector<TokenId> ids;
  std::optional<std::string> decoded;
};

struct GoldenFile {
  TokenizerSpec spec;
  std::vector<Golden> cases;
};

template <typename T, typename Read>
std::vector<T> list(const element& array, Read read) {
  std::vector<T> out;
  for (const element item : array.get_array()) out.push_back(read(item));
  return out;
}
std::vector<TokenId> ids(const element& array) {
  return list<TokenId>(array, [](const element& e) { return static_cast<TokenId>(e.get_int64().value()); });
}

TokenizerSpec sentencepiece_spec(const element& root) {
  TokenizerSpec spec;
  spec.kind =
      root["kind"].get_string().value() == "unigram" ? TokenizerKind::unigram : TokenizerKind::sentencepiece_bpe;
  spec.pieces = list<std::string>(root["pieces"], [](const element& e) { return std::string(e.get_string().value()); });
  spec.scores =
      list<float>(root["scores"], [](const element& e) { return static_cast<float>(e.get_double().value()); });
  for (const TokenId type : ids(root["types"])) spec.types.push_back(static_cast<TokenType>(type));
  for (const TokenId byte : ids(root["charsmap"])) spec.precompiled_charsmap.push_back(static_cast<char>(byte));
  spec.unknown = static_cast<TokenId>(root["unknown"].get_int64().value());
  spec.remove_extra_whitespaces = root["remove_extra_whitespaces"].get_bool().value();
  return spec;
}

GoldenFile load(const std::string& name) {
  simdjson::dom::parser parser;
  const std::string path = std::string(JACKDAW_SOURCE_DIR) + "/tests/data/llm/tokenizers/" + name + ".json";
  const element root = parser.load(path);
  GoldenFile file;
  element tokenizer;
  if (root["tokenizer"].get(tokenizer) == simdjson::SUCCESS) {
    auto spec = read_tokenizer_json({simdjson::minify(tokenizer), {}, {}});
    INFO(name << ": " << (spec ? "" : spec.error().text()));
    REQUIRE(spec.has_value());
    file.spec = std::move(*spec);
  } else {
    file.spec = sentencepiece_spec(root);
  }
  for (const element item : root["cases"].get_array()) {
    Golden golden{std::string(item["text"].get_string().value()), ids(item["ids"]), std::nullopt};
    if (item["decoded"].is_string()) golden.decoded = std::string(item["decoded"].get_string().value());
    file.cases.push_back(std::move(golden));
  }
  return file;
}

std::shared_ptr<const Tokenizer> build(TokenizerSpec spec) {
  auto made = Tokenizer::build(std::move(spec));
  INFO((made ? "" : made.error().text()));
  REQUIRE(made.has_value());
  return *made;
}

constexpr const char* names[] = {"gpt-2",       "llama3",         "qwen2",   "qwen35",      "gpt-4o",     "tekken",
                                 "deepseek-v3", "deepseek-coder", "spm-bpe", "spm-unigram", "llama2-json"};

}  // namespace

TEST_CASE("EncodesAndDecodesAsTheOracles") {
  for (const std::string name : names) {
    GoldenFile file = load(name);
    const auto tokenizer = build(std::move(file.spec));
    for (const Golden& golden : file.cases) {
      INFO(name << ": \"" << golden.text << "\"");
      // sentencepiece itself knows no special tokens in a text; Hugging Face always does.
      const EncodeOptions options{.add_special = false, .parse_special = golden.decoded.has_value()};
      CHECK(tokenizer->encode(golden.text, options) == golden.ids);
      if (golden.decoded) CHECK(tokenizer->decode(golden.ids, false) == *golden.decoded);
    }
  }
}

TEST_CASE("StreamsEveryGoldenAsItDecodesIt") {
  for (const std::string name : names) {
    GoldenFile file = load(name);
    const auto tokenizer = build(std::move(file.spec));
    for (const Golden& golden : file.cases) {
      Detokenizer detokenizer(tokenizer, true, false);
      std::string streamed;
      for (const TokenId id : golden.ids) streamed += detokenizer.push(id);
      REQUIRE(streamed + detokenizer.finish() == tokenizer->decode(golden.ids, true));
    }
  }
}

TEST_CASE("ThreadsShareOneTokenizer") {
  GoldenFile file = load("llama3");
  const auto tokenizer = build(std::move(file.spec));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const Golden& golden : file.cases) {
        if (tokenizer->encode(golden.text, {.add_special = false, .parse_special = true}) != golden.ids) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("LongRunsOfOneCharacterStayNearLinear") {
  for (const std::string name : names) {
    GoldenFile file = load(name);
    const auto tokenizer = build(std::move(file.spec));
    for (const char* unit : {"a", " ", "1", "\n", "\xCC\x81", "A"}) {
      std::string run;
      while (run.size() < 200'000) run += unit;
      const auto ids = tokenizer->encode(run, {.add_special = false});
      CHECK(ids.size() <= run.size() + 1);
    }
  }
}

TEST_CASE("InvalidUtf8IsEncodedAllTheSame") {
  const std::string bytes = "ok \xFF\xC3( \xE2\x82 \xF0\x9F\x98 end\xED\xA0\x80";
  for (const char* name : {"gpt-2", "llama3", "gpt-4o", "deepseek-v3", "llama2-json", "spm-bpe"}) {
    GoldenFile file = load(name);
    const auto tokenizer = build(std::move(file.spec));
    std::string back;
    for (const TokenId id : tokenizer->encode(bytes, {.add_special = false})) back += tokenizer->bytes(id);
    if (tokenizer->drops_first_space()) back.erase(0, 1);
    CHECK(back == bytes);
  }
}

TEST_CASE("SpecialTokensArePlainTextUnlessAskedFor") {
  GoldenFile file = load("gpt-2");
  const auto tokenizer = build(std::move(file.spec));
  const TokenId special = tokenizer->find("<|x|>");
  REQUIRE(special >= 0);
  CHECK(tokenizer->is_control(special));
  CHECK(tokenizer->encode("<|x|>", {.add_special = false, .parse_special = true}) == std::vector<TokenId>{special});
  const auto plain = tokenizer->encode("<|x|>", {.add_special = false, .parse_special = false});
  CHECK(std::find(plain.begin(), plain.end(), special) == plain.end());
  CHECK(tokenizer->decode(plain) == "<|x|>");
  CHECK(tokenizer->decode(std::vector<TokenId>{special}).empty());
  // User-defined tokens match all the same, and the longer of two that begin together wins.
  const TokenId user_defined = tokenizer->find("<s>x");
  CHECK(tokenizer->encode("<s>x", {.add_special = false, .parse_special = false}) ==
        std::vector<TokenId>{user_defined});
  CHECK(tokenizer->encode("a").front() == tokenizer->bos());
}

TEST_CASE("FindsWhatEndsAGenerationByItsText") {
  TokenizerSpec spec;
  spec.pre = "gpt-2";
  spec.pieces = {"<", "/", "s", ">", "</", "s>", "</s>", "<|im_end|>", "<|endoftext|>"};
  spec.merges = {"< /", "s >", "</ s>"};
  spec.eos = 8;
  const auto tokenizer = build(spec);
  // "</s>" is plain text here: merges make it, as in Qwen's vocabulary.
  CHECK(tokenizer->is_end_of_generation(7));
  CHECK(tokenizer->is_control(7));
  CHECK_FALSE(tokenizer->is_end_of_generation(6));
  CHECK_FALSE(tokenizer->is_control(6));
  CHECK(tokenizer->encode("</s>") == std::vector<TokenId>{4, 2, 3});  // the pre-tokenizer cuts it
  CHECK(std::vector<TokenId>(tokenizer->end_of_generation().begin(), tokenizer->end_of_generation().end()) ==
        std::vector<TokenId>{7, 8});
}

TEST_CASE("APieceInTheByteAlphabetWinsOverOneThatStandsForItself") {
  TokenizerSpec spec;
  spec.pre = "gpt-2";
  spec.pieces = {"\u200D", "â", "Ģ", "į", "âĢ", "âĢį"};  // U+200D as text, and as its three bytes (Command R has both)
  spec.merges = {"â Ģ", "âĢ į"};
  CHECK(build(spec)->encode("\u200D") == std::vector<TokenId>{5});
}

TEST_CASE("RefusesBrokenSpecsWithReasons") {
  const auto refusal = [](auto change) {
    TokenizerSpec spec;
    spec.kind = TokenizerKind::sentencepiece_bpe;
    spec.pieces = {"<unk>", "a", "b", "ab"};
    spec.scores = {0, -1, -2, -3};
    change(spec);
    const auto made = Tokenizer::build(std::move(spec));
    return made ? std::string("built") : made.error().text();
  };
  using Catch::Matchers::Contains;
  CHECK(refusal([](auto&) {}) == "built");
  CHECK_THAT(refusal([](auto& s) { s.pieces.clear(); }), Contains("no pieces"));
  CHECK_THAT(refusal([](auto& s) { s.scores.pop_back(); }), Contains("4 pieces but 3 scores"));
  CHECK_THAT(refusal([](auto& s) { s.types.resize(9); }), Contains("token types"));
  CHECK_THAT(refusal([](auto& s) { s.scores[1] = NAN; }), Contains("not a number"));
  CHECK_THAT(refusal([](auto& s) { s.eos = 4; }), Contains("eos token is 4"));
  CHECK_THAT(refusal([](auto& s) { s.pieces[1].assign(5000, 'x'); }), Contains("5000 bytes"));
  CHECK_THAT(refusal([](auto& s) { s.merges = {"a c"}; }), Contains("Merge 0"));
  CHECK_THAT(refusal([](auto& s) { s.merge_ids = {{1, 9}}; }), Contains("Merge 0"));
  // Trying each of a long merge's spaces as the border is quadratic: minutes for a megabyte.
  CHECK_THAT(refusal([](auto& s) { s.merges = {"a" + std::string(1u << 20, ' ')}; }), Contains("1048577 bytes long"));
  CHECK(refusal([](auto& s) { s.merges = {"a" + std::string(8000, ' ')}; }).size() < 400);
  CHECK_THAT(refusal([](auto& s) { s.precompiled_charsmap = "abc"; }), Contains("charsmap"));
  CHECK_THAT(refusal([](auto& s) {
               s.kind = TokenizerKind::byte_bpe;
               s.pre = "no-such";
             }),
             Contains("\"no-such\"") && Contains("llama-bpe"));
}

// llama.cpp and the tokenizers of such models drop them; the file's unknown token is often <|endoftext|>.
TEST_CASE("BytesThatAByteLevelGgufLacksAreDropped") {
  formats::Metadata keys;
  keys.values["tokenizer.ggml.model"] = std::string("gpt2");
  keys.values["tokenizer.ggml.pre"] = std::string("gpt-2");
  keys.values["tokenizer.ggml.tokens"] = std::vector<std::string>{"<|endoftext|>", "a", "b"};
  keys.values["tokenizer.ggml.token_type"] = std::vector<std::int64_t>{3, 1, 1};
  keys.values["tokenizer.ggml.unknown_token_id"] = std::int64_t{0};
  auto spec = read_gguf_tokenizer(keys);
  REQUIRE(spec.has_value());
  const auto tokenizer = Tokenizer::build(*std::move(spec));
  REQUIRE(tokenizer.has_value());
  CHECK((*tokenizer)->encode("aZb") == std::vector<TokenId>{1, 2});
}

TEST_CASE("TheLengthThatTransformersWritesForNoLimitIsRead") {
  const auto spec = read_tokenizer_json(
      {R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})",
       R"({"model_max_length": 1000000000000000019884624838656, "eos_token": "a"})",
       {}});
  if (!spec) FAIL(spec.error().text());
  CHECK(spec->eos == 0);
}

TEST_CASE("RefusesWhatTokenizerJsonAsksForByName") {
  const auto refusal = [](std::string_view json) {
    const auto spec = read_tokenizer_json({json, {}, {}});
    return spec ? std::string("read") : spec.error().text();
  };
  using Catch::Matchers::Contains;
  const std::string model = R"({"model":{"type":"BPE","vocab":{"a":0},"merges":[]},)";
  CHECK(refusal(model + R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false}})") == "read");
  CHECK_THAT(refusal("{"), Contains("tokenizer.json"));
  CHECK_THAT(refusal("[]"), Contains("no JSON object"));
  CHECK_THAT(refusal("{}"), Contains("no model"));
  CHECK_THAT(refusal(std::string(200, '[')), Contains("tokenizer.json"));
  CHECK_THAT(refusal(R"({"model":{"type":"WordPiece"}})"), Contains("WordPiece"));
  CHECK_THAT(refusal(R"({"model":{"vocab":{"a":-1},"merges":[]}})"), Contains("-1"));
  CHECK_THAT(refusal(R"({"model":{"vocab":{"a":4000000000},"merges":[]}})"), Contains("4000000000"));
  CHECK_THAT(refusal(R"({"model":{"vocab":{"a":0},"merges":[["a","b"]]}})"), Contains("merge 0"));
  CHECK_THAT(refusal(model + R"("normalizer":{"type":"Lowercase"}})"), Contains("Lowercase"));
  CHECK_THAT(refusal(model + R"("pre_tokenizer":{"type":"Whitespace"}})"), Contains("Whitespace"));
  CHECK_THAT(refusal(model + R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated"}})"),
             Contains("x+"));
  CHECK_THAT(refusal(model + R"("decoder":{"type":"WordPiece"}})"), Contains("WordPiece"));
  CHECK_THAT(refusal(model + "\"added_tokens\":[{\"id\":1,\"content\":\"w\",\"single_word\":true}]}"),
             Contains("single_word"));
}
