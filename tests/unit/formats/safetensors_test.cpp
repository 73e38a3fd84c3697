// safetensors headers and config.json: what is read, and what is refused.
#include <catch2/catch.hpp>
#include <cmath>

#include "src/formats/model_listing.h"
#include "tests/unit/formats/model_writer.h"

namespace jackdaw::formats {
namespace {

Result<ModelListing> listed(const std::string& file) {
  const std::vector<std::byte> bytes(as_bytes(file).begin(), as_bytes(file).end());
  return list_safetensors(MemorySource(bytes));
}

ModelListing good(const std::string& file) {
  auto listing = listed(file);
  INFO((listing ? "" : listing.error().text()));
  REQUIRE(listing.has_value());
  return std::move(*listing);
}

void refused(const std::string& file, Code code, std::string_view words) {
  const auto listing = listed(file);
  REQUIRE_FALSE(listing.has_value());
  INFO(listing.error().text());
  CHECK(listing.error().code == code);
  CHECK(listing.error().message.find(words) != std::string::npos);
  CHECK(listing.error().where.find("offset ") != std::string::npos);
}

void refused_json(std::string_view json, std::string_view words, std::size_t data_bytes = 8) {
  refused(safetensors(json, std::string(data_bytes, 'x')), Code::parse_error, words);
}

TEST_CASE("SafetensorsListsTensorsInFileOrder") {
  const ModelListing listing = good(safetensors(
      R"({"b":{"dtype":"BF16","shape":[2,1],"data_offsets":[8,12]},"__metadata__":{"format":"pt"},)"
      R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"c":{"dtype":"F16","shape":[],"data_offsets":[12,14]},)"
      R"("e":{"dtype":"F16","shape":[0,4],"data_offsets":[14,14]}})",
      "01234567890123"));
  REQUIRE(listing.tensors.size() == 4);
  CHECK(listing.tensors[0].name == "a");
  CHECK(listing.tensors[1].name == "b");
  CHECK(listing.tensors[1].encoding == Encoding::bf16);
  CHECK(listing.tensors[1].shape == std::vector<std::int64_t>{2, 1});
  CHECK(listing.tensors[2].elements == 1);
  CHECK(listing.tensors[3].elements == 0);
  CHECK(listing.metadata.text("__metadata__.format") == "pt");
}

TEST_CASE("SafetensorsIgnoresIntegerBuffersButNotPackedWeights") {
  const auto use_of = [](std::string_view name, std::string_view dtype, std::size_t bytes) {
    const std::string json =
        fmt::format(R"({{"{}":{{"dtype":"{}","shape":[1],"data_offsets":[0,{}]}}}})", name, dtype, bytes);
    return good(safetensors(json, std::string(bytes, 'x'))).tensors[0].use;
  };
  CHECK(use_of("model.embeddings.position_ids", "I64", 8) == TensorUse::ignored);
  CHECK(use_of("attn.masked_bias", "BOOL", 1) == TensorUse::ignored);
  CHECK(use_of("model.layers.0.mlp.up_proj.qweight", "I32", 4) == TensorUse::unreadable);
  CHECK(use_of("mlp.experts.gate_up_proj_blocks", "U8", 1) == TensorUse::unreadable);
  CHECK(use_of("model.norm.weight", "F64", 8) == TensorUse::unreadable);
  CHECK(use_of("model.norm.weight", "F8_E4M3", 1) == TensorUse::unreadable);
  CHECK(use_of("model.norm.weight", "F4", 1) == TensorUse::unreadable);
  CHECK(use_of("model.norm.weight", "F16", 2) == TensorUse::weight);
}

TEST_CASE("SafetensorsRefusesBadHeaders") {
  refused("", Code::parse_error, "ends inside the header's length");
  refused(std::string(8, '\xff'), Code::parse_error, "no safetensors file");
  refused(GgufWriter::raw<std::uint64_t>(100) + "{}", Code::parse_error, "ends inside its header");
  refused_json("[]", "Expected an object");
  refused_json(R"({"a":)", "");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x)", "More bytes follow");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{}})", "comes twice");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", "unknown member");
  refused_json(R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "name has 0 bytes");
  refused_json("{\"a\xff\":{}}", "UTF-8");
}

TEST_CASE("SafetensorsRejectsTensorPastEndOfFile") {
  refused_json(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", "ends at 12 of the data");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}})", "of the data");
}

TEST_CASE("SafetensorsRefusesOffsetsAndShapesThatDisagree") {
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "begin <= end");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", "begin <= end");
  refused_json(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", "begin <= end");
  refused_json(R"({"a":{"dtype":"F32","shape":[2]}})", "begin <= end");
  refused_json(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "has 3 elements of F32, but 8 bytes");
  refused_json(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "negative dimension");
  refused_json(R"({"a":{"dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,8]}})", "can be counted");
  refused_json(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}})", "but 8 bytes");
  refused_json(R"({"a":{"dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8]}})", "5 dimensions");
}

TEST_CASE("SafetensorsRefusesHolesOverlapsAndRests") {
  refused_json(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "begins at 4");
  refused_json(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "4 bytes behind the last tensor");
  refused_json(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      "neither overlap nor leave holes");
}

TEST_CASE("SafetensorsRefusesUnalignedWeights") {
  const std::string json = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string file = GgufWriter::raw<std::uint64_t>(json.size()) + json + "1234";
  REQUIRE(json.size() % 4 != 0);
  refused(file, Code::unsupported, "not aligned");
}

TEST_CASE("SafetensorsRefusesEveryTruncation") {
  const std::string whole = safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  good(whole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(listed(whole.substr(0, size)).has_value());
  }
}

TEST_CASE("ConfigJsonIsFlattenedWithDots") {
  const auto config = read_config_json(R"({"architectures":["LlamaForCausalLM"],"hidden_size":576,"rope_theta":1e5,
    "rope_scaling":{"factor":8.0,"type":"linear"},"eos":[1,2],"short_factor":[1,1.5],"tie":true,"null":null,
    "mixed":[1,"a"],"objects":[{"a":1}],"empty":[],"flags":[true,false],"limit":Infinity,"big":9223372036854775808})");
  REQUIRE(config.has_value());
  CHECK(*config->texts("architectures") == std::vector<std::string>{"LlamaForCausalLM"});
  CHECK(config->integer("hidden_size") == 576);
  CHECK(config->integer("rope_theta") == 100000);
  CHECK(config->number("rope_scaling.factor") == 8.0);
  CHECK(config->text("rope_scaling.type") == "linear");
  CHECK(*config->integers("eos") == std::vector<std::int64_t>{1, 2});
  CHECK(*config->numbers("short_factor") == std::vector<double>{1.0, 1.5});
  CHECK(config->boolean("tie") == true);
  REQUIRE(config->find("null") != nullptr);
  CHECK(std::holds_alternative<std::monostate>(*config->find("null")));
  CHECK(config->find("mixed") == nullptr);
  CHECK(config->find("objects") == nullptr);
  CHECK(config->integers("empty")->empty());
  CHECK(*config->booleans("flags") == std::vector<bool>{true, false});
  CHECK(std::isinf(*config->number("limit")));
  CHECK(config->number("big") == 0x1p63);
  CHECK_FALSE(config->integer("big").has_value());
}

TEST_CASE("ConfigJsonRefusesDepthDuplicatesAndGarbage") {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += R"({"a":)";
  CHECK_FALSE(read_config_json(deep).has_value());
  std::string lists = R"({"a":)" + std::string(1000, '[');
  CHECK_FALSE(read_config_json(lists).has_value());
  CHECK_FALSE(read_config_json(R"({"a":1,"a":2})").has_value());
  CHECK_FALSE(read_config_json(R"({"a.b":1,"a":{"b":2}})").has_value());
  CHECK_FALSE(read_config_json("").has_value());
  CHECK_FALSE(read_config_json("[]").has_value());
  CHECK_FALSE(read_config_json("{} {}").has_value());
}

}  // namespace
}  // namespace jackdaw::formats
