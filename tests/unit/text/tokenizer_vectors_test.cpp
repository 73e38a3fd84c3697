// Tokenizers against llama.cpp's own vectors (models/ggml-vocab-*.gguf with .inp and .out) and against SmolLM2, where
// they are in the cache; they are too large, and not ours, to be committed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "jackdaw/text/tokenizer.h"
#include "src/formats/model_listing.h"
#include "src/text/read_tokenizer.h"

namespace {

namespace fs = std::filesystem;
using namespace jackdaw;
using text::TokenId;

fs::path cache() {
  if (const char* set = std::getenv("JACKDAW_CACHE")) return set;
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / ".cache" / "jackdaw";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> cases_of(const std::string& text) {
  const std::string border = "\n__ggml_vocab_test__\n";
  std::vector<std::string> cases;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(border, begin)) != text.npos; begin = at + border.size()) {
    cases.push_back(text.substr(begin, at - begin));
  }
  if (begin < text.size()) cases.push_back(text.substr(begin));  // some files end without a border
  return cases;
}

std::vector<std::vector<TokenId>> ids_of(const std::string& text) {
  std::vector<std::vector<TokenId>> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream numbers(line);
    lines.emplace_back(std::istream_iterator<TokenId>(numbers), std::istream_iterator<TokenId>());
  }
  return lines;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c >= ' ' && c <= '~' ? std::string(1, c) : "\\x" + std::to_string(static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

TEST_CASE("EncodesLlamaCppsVectors") {
  const fs::path folder = cache() / "peers" / "llama.cpp" / "models";
  for (const std::string name :
       {"gpt-2", "llama-bpe", "llama-spm", "qwen2", "qwen35", "phi-3", "falcon", "deepseek-coder", "deepseek-llm",
        "command-r", "refact", "starcoder", "mpt", "gemma-4"}) {
    const fs::path path = folder / ("ggml-vocab-" + name + ".gguf");
    if (!fs::exists(path) || !fs::exists(path.string() + ".inp")) {
      WARN("skipped " << name << ": " << path << " is not there (scripts of tests/peers fetch llama.cpp)");
      continue;
    }
    // ModelFile::open refuses files without tensors, which these are.
    const auto listing = formats::list_model(path);
    INFO(name << ": " << (listing ? "" : listing.error().text()));
    REQUIRE(listing.has_value());
    auto spec = text::read_gguf_tokenizer(listing->metadata);
    INFO(name << ": " << (spec ? "" : spec.error().text()));
    REQUIRE(spec.has_value());
    const auto tokenizer = text::Tokenizer::build(std::move(*spec));
    INFO(name << ": " << (tokenizer ? "" : tokenizer.error().text()));
    REQUIRE(tokenizer.has_value());
    const auto cases = cases_of(read(path.string() + ".inp"));
    const auto expected = ids_of(read(path.string() + ".out"));
    REQUIRE(cases.size() == expected.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      INFO(name << " case " << i << ": " << escaped(cases[i]));
      const auto ids = (*tokenizer)->encode(cases[i], {.add_special = false, .parse_special = false});
      CHECK(ids == expected[i]);
      // SentencePiece with a byte fallback and byte-level BPE lose nothing.
      CHECK((*tokenizer)->decode(ids, false) == cases[i]);
    }
  }
}
