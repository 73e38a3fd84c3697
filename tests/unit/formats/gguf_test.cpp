// GGUF headers: what is read, and that everything wrong with one is refused with its place.
#include <catch2/catch.hpp>

#include "src/formats/model_listing.h"
#include "tests/unit/formats/model_writer.h"

namespace jackdaw::formats {
namespace {

Result<ModelListing> listed(const std::string& file) {
  // A copy of its exact size, so that the address sanitizer sees a read past the end.
  const std::vector<std::byte> bytes(as_bytes(file).begin(), as_bytes(file).end());
  return list_gguf(MemorySource(bytes));
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

using W = GgufWriter;

TEST_CASE("GgufReadsEveryValueType") {
  W file;
  file.key("u8", 0, W::raw<std::uint8_t>(255)).key("i8", 1, W::raw<std::int8_t>(-1));
  file.key("u16", 2, W::raw<std::uint16_t>(65535)).key("i16", 3, W::raw<std::int16_t>(-2));
  file.key("u32", 4, W::raw<std::uint32_t>(4294967295u)).key("i32", 5, W::raw<std::int32_t>(-3));
  file.key("f32", 6, W::raw(0.5f)).key("bool", 7, W::raw<std::uint8_t>(1)).key("text", "smol");
  file.key("u64", 10, W::raw<std::uint64_t>(1ull << 40)).key("i64", 11, W::raw<std::int64_t>(-4));
  file.key("f64", 12, W::raw(0.1));
  file.array("texts", 8, 2, W::text("a") + W::text("")).array("reals", 6, 2, W::raw(1.0f) + W::raw(2.5f));
  file.array("wholes", 5, 2, W::raw<std::int32_t>(7) + W::raw<std::int32_t>(-7))
      .array("flags", 7, 2, "\x01" + std::string(1, '\0'));
  const Metadata metadata = good(file.file("")).metadata;
  CHECK(metadata.integer("u8") == 255);
  CHECK(metadata.integer("i8") == -1);
  CHECK(metadata.integer("u16") == 65535);
  CHECK(metadata.integer("i16") == -2);
  CHECK(metadata.integer("u32") == 4294967295);
  CHECK(metadata.integer("i32") == -3);
  CHECK(metadata.number("f32") == 0.5);
  CHECK(metadata.boolean("bool") == true);
  CHECK(metadata.text("text") == "smol");
  CHECK(metadata.integer("u64") == 1ll << 40);
  CHECK(metadata.integer("i64") == -4);
  CHECK(metadata.number("f64") == 0.1);
  REQUIRE(metadata.texts("texts") != nullptr);
  CHECK(*metadata.texts("texts") == std::vector<std::string>{"a", ""});
  REQUIRE(metadata.numbers("reals") != nullptr);
  CHECK(*metadata.numbers("reals") == std::vector<double>{1.0, 2.5});
  CHECK(metadata.integer_list("wholes") == std::vector<std::int64_t>{7, -7});
  CHECK(metadata.integer_list("u8") == std::vector<std::int64_t>{255});
  CHECK(metadata.integer_list("text").empty());
  REQUIRE(metadata.booleans("flags") != nullptr);
  CHECK(*metadata.booleans("flags") == std::vector<bool>{true, false});
  CHECK(metadata.find("absent") == nullptr);
  CHECK_FALSE(metadata.integer("text").has_value());
}

TEST_CASE("GgufTurnsShapesRowMajorAndPlacesTensors") {
  W file;
  file.key("general.architecture", "llama").tensor("a.weight", {64, 3}, 2, 0).tensor("b.weight", {2}, 0, 128);
  const std::string bytes = file.file(std::string(128 + 8, 'x'));
  const ModelListing listing = good(bytes);
  REQUIRE(listing.tensors.size() == 2);
  const ListedTensor& a = listing.tensors[0];
  CHECK(a.shape == std::vector<std::int64_t>{3, 64});
  CHECK(a.encoding == Encoding::q4_0);
  CHECK(a.type == "Q4_0");
  CHECK(a.bytes == 3 * 2 * 18);
  CHECK(a.begin % 32 == 0);
  CHECK(listing.tensors[1].begin == bytes.size() - 8);
  CHECK(listing.tensors[1].elements == 2);
}

TEST_CASE("GgufReadsVersion2AndOtherAlignments") {
  W file(2);
  file.key("general.alignment", std::uint32_t{64}).tensor("a", {4}, 0, 0).tensor("b", {4}, 0, 64);
  const ModelListing listing = good(file.file(std::string(80, 'x'), 64));
  CHECK(listing.version == 2);
  CHECK(listing.tensors[0].begin % 64 == 0);
}

TEST_CASE("GgufListsTypesThatHaveNoReader") {
  W file;
  file.tensor("a", {256}, 16, 0).tensor("b", {4}, 99, 96);
  const ModelListing listing = good(file.file(std::string(96, 'x')));
  CHECK(listing.tensors[0].use == TensorUse::unreadable);
  CHECK(listing.tensors[0].type == "IQ2_XXS");
  CHECK(listing.tensors[0].bytes == 66);
  CHECK(listing.tensors[1].type == "type 99");
  CHECK(listing.tensors[1].bytes == 0);
}

TEST_CASE("GgufLeavesNestedArraysOut") {
  W file;
  const std::string inner = W::raw<std::uint32_t>(0) + W::raw<std::uint64_t>(2) + "xy";
  file.array("nested", 9, 2, inner + inner).key("after", "read");
  const Metadata metadata = good(file.file("")).metadata;
  CHECK(metadata.text("after") == "read");
  CHECK(metadata.find("nested") == nullptr);
}

TEST_CASE("GgufRefusesArraysNestedTooDeep") {
  std::string value = W::raw<std::uint32_t>(0) + W::raw<std::uint64_t>(0);
  for (int i = 0; i < 100; ++i) value = W::raw<std::uint32_t>(9) + W::raw<std::uint64_t>(1) + value;
  refused(W().key("deep", 9, value).file(""), Code::parse_error, "nested deeper than 4");
}

TEST_CASE("GgufRefusesOtherVersions") {
  refused(W(1).file(""), Code::unsupported, "version 1");
  refused(W(4).file(""), Code::unsupported, "version 4");
  refused(W(0x03000000).file(""), Code::unsupported, "big-endian");
  refused("GGML" + W().header().substr(4), Code::parse_error, "no GGUF file");
}

TEST_CASE("GgufRefusesCountsBeyondTheFile") {
  refused(W().counts(1ull << 60, 0).file(""), Code::parse_error, "tensors, which cannot be");
  refused(W().counts(0, 1ull << 63).file(""), Code::parse_error, "keys, which cannot be");
  refused(W().key("k", 8, W::raw<std::uint64_t>(~0ull)).file(std::string(64, 'x')), Code::parse_error,
          "bytes; at most");
  refused(W().key("k", 8, W::raw<std::uint64_t>(1000)).file(""), Code::parse_error, "ends inside a text");
  refused(W().array("k", 8, 1ull << 61, "").file(std::string(64, 'x')), Code::parse_error, "more than the file has");
  refused(W().array("k", 0, ~0ull, "").file(std::string(64, 'x')), Code::parse_error, "more than the file has");
}

TEST_CASE("GgufRefusesOddKeys") {
  refused(W().key("k", "1").key("k", "2").file(""), Code::parse_error, "comes twice");
  refused(W().key("", "1").file(""), Code::parse_error, "a key is empty");
  refused(W().key("k", 13, "xxxxxxxx").file(""), Code::parse_error, "value type 13");
  refused(W().key("k", 10, W::raw(~0ull)).file(""), Code::parse_error, "above 2^63-1");
  refused(W().key("general.alignment", std::uint32_t{0}).file(""), Code::parse_error, "power of two");
  refused(W().key("general.alignment", std::uint32_t{48}).file(""), Code::parse_error, "power of two");
  refused(W().key("general.alignment", "32").file(""), Code::parse_error, "power of two");
}

TEST_CASE("GgufRefusesShapesThatCannotBe") {
  const std::string data(64, 'x');
  refused(W().tensor("a", {1, 1, 1, 1, 1}, 0, 0).file(data), Code::parse_error, "5 dimensions");
  refused(W().tensor("a", {0}, 0, 0).file(data), Code::parse_error, "a dimension of 0");
  refused(W().tensor("a", {1ull << 40, 1ull << 40}, 0, 0).file(data), Code::parse_error, "more elements");
  refused(W().tensor("a", {1ull << 61, 3}, 0, 0).file(data), Code::parse_error, "more bytes");
  refused(W().tensor("a", {33}, 2, 0).file(data), Code::parse_error, "no whole number of Q4_0 blocks of 32");
  refused(W().tensor("", {1}, 0, 0).file(data), Code::parse_error, "no name");
  refused(W().tensor(std::string(300, 'n'), {1}, 0, 0).file(data), Code::parse_error, "at most 256");
}

TEST_CASE("GgufRejectsTensorPastEndOfFile") {
  const std::string data(64, 'x');
  refused(W().tensor("a", {32}, 0, 0).file(data), Code::parse_error, "needs 128 bytes at 0 of the data");
  refused(W().tensor("a", {16}, 0, 32).file(data), Code::parse_error, "it seems incomplete");
  refused(W().tensor("a", {1}, 0, ~0ull - 31).file(data), Code::parse_error, "it seems incomplete");
  refused(W().tensor("a", {1}, 99, 96).file(data), Code::parse_error, "it seems incomplete");
}

TEST_CASE("GgufRefusesUnalignedAndOverlappingTensors") {
  const std::string data(128, 'x');
  refused(W().tensor("a", {1}, 0, 4).file(data), Code::parse_error, "no multiple of the alignment 32");
  refused(W().tensor("a", {16}, 0, 0).tensor("b", {4}, 0, 32).file(data), Code::parse_error, "share bytes");
}

TEST_CASE("GgufRefusesEveryTruncation") {
  W file;
  file.key("general.architecture", "llama").array("texts", 8, 2, W::text("a") + W::text("bc"));
  file.key("n", std::uint32_t{3}).tensor("a.weight", {64, 3}, 2, 0);
  const std::string whole = file.file(std::string(108, 'x'));
  good(whole);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(listed(whole.substr(0, size)).has_value());
  }
}

}  // namespace
}  // namespace jackdaw::formats
