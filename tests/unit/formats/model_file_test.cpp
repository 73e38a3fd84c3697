// ModelFile::open: files, shards and folders, and what is handed out of them.
#include "jackdaw/formats/model_file.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "jackdaw/base/bytes.h"
#include "tests/unit/formats/model_writer.h"

namespace jackdaw::formats {
namespace {

using W = GgufWriter;

std::shared_ptr<const ModelFile> opened(const std::filesystem::path& path) {
  auto file = ModelFile::open(path);
  INFO((file ? "" : file.error().text()));
  REQUIRE(file.has_value());
  return *file;
}

Error refused(const std::filesystem::path& path, Code code, std::string_view words) {
  const auto file = ModelFile::open(path);
  REQUIRE_FALSE(file.has_value());
  INFO(file.error().text());
  CHECK(file.error().code == code);
  CHECK(file.error().message.find(words) != std::string::npos);
  CHECK(file.error().where.find(path.parent_path().filename().string()) != std::string::npos);
  return file.error();
}

std::string small_gguf(std::string_view tensor = "a.weight") {
  return W().key("general.architecture", "llama").tensor(tensor, {2, 2}, 0, 0).file("0123456789abcdef");
}
std::string shard(std::uint32_t number, std::uint32_t count, std::string_view tensor, std::uint32_t tensors = 2) {
  W file;
  file.key("general.architecture", "llama");
  file.key("split.no", 2, W::raw(static_cast<std::uint16_t>(number)));
  file.key("split.count", 2, W::raw(static_cast<std::uint16_t>(count))).key("split.tensors.count", 5, W::raw(tensors));
  return file.tensor(tensor, {2, 2}, 0, 0).file("0123456789abcdef");
}
std::string one_tensor(std::string_view name) {
  return safetensors(fmt::format(R"({{"{}":{{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}}})", name), "abcd");
}
constexpr std::string_view config = R"({"model_type":"llama","hidden_size":2})";

TEST_CASE("ModelFileMapsGguf") {
  TemporaryFolder folder;
  const auto path = folder.write("m.gguf", small_gguf());
  const auto file = opened(path);
  CHECK(file->kind() == ModelFileKind::gguf);
  CHECK(file->metadata().text("general.architecture") == "llama");
  REQUIRE(file->tensors().size() == 1);
  const FileTensor* tensor = file->tensor("a.weight");
  REQUIRE(tensor != nullptr);
  CHECK(as_text(tensor->data) == "0123456789abcdef");
  CHECK(tensor->element_count() == 4);
  CHECK(file->tensor("b.weight") == nullptr);
  CHECK(file->data_bytes() == 16);
  CHECK(file->folder() == folder.path());
  CHECK(file->files() == std::vector<std::filesystem::path>{path});
}

TEST_CASE("ModelFileCanReadAgainWhatItLetGo") {
  TemporaryFolder folder;
  const auto file = opened(folder.write("m.gguf", small_gguf()));
  const FileTensor& tensor = file->tensors()[0];
  file->let_go(tensor);
  CHECK(as_text(tensor.data) == "0123456789abcdef");
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST_CASE("ModelFileLetGoLowersResidentMemory") {
  constexpr std::size_t size = 64 << 20;
  TemporaryFolder folder;
  const auto file =
      opened(folder.write("m.gguf", W().tensor("a.weight", {size / 4}, 0, 0).file(std::string(size, 'x'))));
  const FileTensor& tensor = file->tensors()[0];
  const std::size_t before = resident_bytes();
  std::size_t sum = 0;
  for (std::size_t i = 0; i < tensor.data.size(); i += 4096) sum += static_cast<std::size_t>(tensor.data[i]);
  REQUIRE(sum != 0);
  const std::size_t touched = resident_bytes();
  file->let_go(tensor);
  const std::size_t after = resident_bytes();
  CHECK(touched - before > size / 2);
  CHECK(touched - after > size / 2);
}

TEST_CASE("ModelFileRefusesTypesWithoutAReaderByName") {
  TemporaryFolder folder;
  const auto path = folder.write("m.gguf", W().tensor("blk.0.ffn_up.weight", {256}, 16, 0).file(std::string(66, 'x')));
  const Error error = refused(path, Code::unsupported, "\"blk.0.ffn_up.weight\" is stored as IQ2_XXS");
  CHECK(error.message.find("llama-quantize") != std::string::npos);
}

TEST_CASE("ModelFileFindsTheOtherShards") {
  TemporaryFolder folder;
  const auto first = folder.write("m-00001-of-00002.gguf", shard(0, 2, "a"));
  const auto second = folder.write("m-00002-of-00002.gguf", shard(1, 2, "b"));
  const auto file = opened(first);
  REQUIRE(file->tensors().size() == 2);
  CHECK(as_text(file->tensor("b")->data) == "0123456789abcdef");
  CHECK(file->files().size() == 2);
  CHECK(opened(folder.path())->tensors().size() == 2);
  refused(second, Code::invalid_argument, "name the first, m-00001-of-00002.gguf");
}

TEST_CASE("ModelFileRefusesShardsThatDoNotBelongTogether") {
  TemporaryFolder folder;
  const auto first = folder.write("m-00001-of-00002.gguf", shard(0, 2, "a"));
  CHECK(ModelFile::open(first).error().code == Code::not_found);
  folder.write("m-00002-of-00002.gguf", shard(1, 3, "b"));
  CHECK(ModelFile::open(first).error().message.find("not shard 2 of 2") != std::string::npos);
  folder.write("m-00002-of-00002.gguf", shard(1, 2, "a"));
  CHECK(ModelFile::open(first).error().message.find("\"a\" comes twice") != std::string::npos);
  folder.write("m-00001-of-00002.gguf", shard(0, 2, "a", 3));
  folder.write("m-00002-of-00002.gguf", shard(1, 2, "b"));
  CHECK(ModelFile::open(first).error().message.find("2 tensors together") != std::string::npos);
  refused(folder.write("odd.gguf", shard(0, 2, "a")), Code::invalid_argument, "must be called name-00001-of-00002");
  refused(folder.write("many.gguf", shard(0, 65535, "a")), Code::parse_error, "split.count is 65535");
}

TEST_CASE("ModelFileOpensAFolderWithOneGguf") {
  TemporaryFolder folder;
  refused(folder.path() / "", Code::not_found, "no language model");
  folder.write("m.gguf", small_gguf());
  folder.write("mmproj-m.gguf", "a vision projector is no model of its own");
  CHECK(opened(folder.path())->kind() == ModelFileKind::gguf);
  folder.write("n.gguf", small_gguf());
  refused(folder.path() / "", Code::invalid_argument, "several GGUF models (m.gguf, n.gguf)");
}

TEST_CASE("ModelFileOpensSafetensorsWithConfig") {
  TemporaryFolder folder;
  folder.write("model.safetensors", one_tensor("w"));
  refused(folder.path() / "", Code::not_found, "need the config.json");
  folder.write("config.json", config);
  const auto file = opened(folder.path());
  CHECK(file->kind() == ModelFileKind::safetensors);
  CHECK(file->metadata().integer("hidden_size") == 2);
  CHECK(as_text(file->tensor("w")->data) == "abcd");
  CHECK(file->folder() == folder.path());
  CHECK(opened(folder.path() / "model.safetensors")->tensors().size() == 1);
  folder.write("config.json", "{");
  CHECK(ModelFile::open(folder.path()).error().where.find("config.json") != std::string::npos);
}

TEST_CASE("ModelFileHonoursTheSafetensorsIndex") {
  TemporaryFolder folder;
  folder.write("config.json", config);
  folder.write("model-1.safetensors", one_tensor("a"));
  folder.write("model-2.safetensors", one_tensor("b"));
  folder.write("consolidated.safetensors", "never opened");
  refused(folder.path() / "", Code::invalid_argument, "no model.safetensors.index.json");
  const auto index = [&](std::string_view map) {
    folder.write("model.safetensors.index.json",
                 fmt::format(R"({{"metadata":{{"total_size":8}},"weight_map":{}}})", map));
  };
  index(R"({"a":"model-1.safetensors","b":"model-2.safetensors"})");
  CHECK(opened(folder.path())->tensors().size() == 2);
  index(R"({"a":"model-2.safetensors","b":"model-1.safetensors"})");
  refused(folder.path() / "", Code::parse_error, "is not in model-2.safetensors as the index says");
  index(R"({"a":"../model-1.safetensors"})");
  refused(folder.path() / "", Code::parse_error, "in the same folder");
  index(R"({"a":"model-3.safetensors"})");
  CHECK(ModelFile::open(folder.path()).error().code == Code::not_found);
  index("{}");
  refused(folder.path() / "", Code::parse_error, "no weight_map");
}

TEST_CASE("ModelFileRefusesTheSameTensorInTwoFiles") {
  TemporaryFolder folder;
  folder.write("config.json", config);
  folder.write("model-1.safetensors", one_tensor("a"));
  folder.write("model-2.safetensors", one_tensor("a"));
  folder.write("model.safetensors.index.json",
               R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})");
  CHECK_FALSE(ModelFile::open(folder.path()).has_value());
}

TEST_CASE("ModelFileRefusesQuantizedSafetensorsByMethod") {
  TemporaryFolder folder;
  folder.write("config.json", R"({"model_type":"llama","quantization_config":{"quant_method":"gptq","bits":4}})");
  folder.write("model.safetensors", one_tensor("w"));
  refused(folder.path() / "", Code::unsupported, "quantized with gptq");
}

TEST_CASE("ModelFileRefusesWhatIsNoModel") {
  TemporaryFolder folder;
  CHECK(ModelFile::open(folder.path() / "absent.gguf").error().code == Code::not_found);
  refused(folder.write("empty.gguf", ""), Code::parse_error, "ends inside the preamble");
  refused(folder.write("vocabulary.gguf", W().key("general.architecture", "llama").file("")), Code::parse_error,
          "no tensors");
  TemporaryFolder pickled;
  pickled.write("config.json", config);
  pickled.write("pytorch_model.bin", "PK");
  refused(pickled.path() / "", Code::unsupported, "pytorch_model.bin");
}

// Made by tests/data/make/llm_hostile.py; the list says for each file a part of the words that refuse it.
TEST_CASE("ModelFileRefusesEveryHostileFile") {
  const std::filesystem::path folder = std::string(JACKDAW_SOURCE_DIR) + "/tests/data/llm/hostile";
  std::ifstream list(folder / "expected.tsv");
  REQUIRE(list.good());
  int files = 0;
  for (std::string line; std::getline(list, line);) {
    const std::size_t tab = line.find('\t');
    REQUIRE(tab != std::string::npos);
    const auto file = ModelFile::open(folder / line.substr(0, tab));
    INFO(line << " -> " << (file ? "opened" : file.error().text()));
    REQUIRE_FALSE(file.has_value());
    CHECK(file.error().text().find(line.substr(tab + 1)) != std::string::npos);
    ++files;
  }
  CHECK(files >= 20);
}

TEST_CASE("ModelFileOpensSmolLM2") {
  const char* cache = std::getenv("JACKDAW_CACHE");
  const std::filesystem::path path =
      std::filesystem::path(cache != nullptr ? cache : std::string(std::getenv("HOME")) + "/.cache/jackdaw") /
      "peers/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: SmolLM2's GGUF is not in the cache");
    return;
  }
  const auto file = opened(path);
  CHECK(file->metadata().text("general.architecture") == "llama");
  CHECK(file->metadata().integer("llama.block_count") == 30);
  CHECK(file->metadata().texts("tokenizer.ggml.tokens")->size() == 49152);
  const FileTensor* embedding = file->tensor("token_embd.weight");
  REQUIRE(embedding != nullptr);
  CHECK(embedding->shape == std::vector<std::int64_t>{49152, 576});
}

}  // namespace
}  // namespace jackdaw::formats
