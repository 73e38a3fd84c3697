// One set of Python values (tests/data/make/formats.py) read from every protocol, joblib layout and compression.
#include <cmath>
#include <limits>

#include "src/formats/object_graph_impl.h"
#include "tests/unit/formats/pickle_support.h"

namespace jackdaw::formats {
namespace {

NodeId value(const ObjectGraph& graph, std::string_view key) {
  const NodeId node = graph.attribute(graph.root(), key);
  INFO(key);
  REQUIRE(node != no_node);
  return node;
}

NdArray array(const ObjectGraph& graph, std::string_view key) {
  auto result = to_ndarray(graph, value(graph, key));
  INFO(key << ": " << (result ? "" : result.error().text()));
  REQUIRE(result.has_value());
  return *result;
}

std::vector<double> doubles(const ObjectGraph& graph, std::string_view key) {
  auto result = to_doubles(graph, array(graph, key));
  INFO(key << ": " << (result ? "" : result.error().text()));
  REQUIRE(result.has_value());
  return *result;
}

using Shape = std::vector<std::int64_t>;
using Doubles = std::vector<double>;
using Texts = std::vector<std::string>;

void check_plain_values(const ObjectGraph& g) {
  CHECK(g.kind(value(g, "none")) == NodeKind::none);
  CHECK(g.boolean(value(g, "true")));
  CHECK_FALSE(g.boolean(value(g, "false")));
  CHECK(g.integer(value(g, "int")) == 7);
  CHECK(g.integer(value(g, "negative")) == -70000);
  CHECK(g.integer(value(g, "large")) == std::int64_t{1} << 40);
  CHECK(g.kind(value(g, "uint64")) == NodeKind::big_integer);
  CHECK(*to_number(g, value(g, "uint64")) == 0x1p64);
  CHECK(*to_number(g, value(g, "big")) == -0x1p100);
  CHECK(g.real(value(g, "real")) == -1.25);
  CHECK(std::isnan(g.real(value(g, "nan"))));
  CHECK(std::isinf(g.real(value(g, "inf"))));
  CHECK(g.text(value(g, "text")) == "na\u00efve \u4e1c \U0001f600\\\n");
  CHECK(g.text(value(g, "empty_text")).empty());
  REQUIRE(g.bytes(value(g, "bytes")).size() == 256);
  for (std::size_t i = 0; i < 256; ++i) CHECK(static_cast<std::size_t>(g.bytes(value(g, "bytes"))[i]) == i);
  CHECK(g.bytes(value(g, "empty_bytes")).empty());
  CHECK(as_text(g.bytes(value(g, "bytearray"))) == "\x01\xfe");
}

void check_containers(const ObjectGraph& g) {
  const auto list = g.items(value(g, "list"));
  REQUIRE(list.size() == 2);
  CHECK(g.integer(g.items(g.items(list[1])[1])[0]) == 3);
  const auto tuple = g.items(value(g, "tuple"));
  REQUIRE(tuple.size() == 4);
  CHECK(g.text(tuple[1]) == "a");
  CHECK(g.items(value(g, "unit")).empty());
  CHECK(g.kind(value(g, "set")) == NodeKind::set);
  CHECK(g.integer(g.items(value(g, "set"))[0]) == 1);
  CHECK(g.kind(value(g, "frozenset")) == NodeKind::frozenset);
  CHECK(g.text(g.items(value(g, "frozenset"))[0]) == "x");
  CHECK(value(g, "shared_a") == value(g, "shared_b"));
}

void check_arrays(const ObjectGraph& g) {
  const Doubles halves{0, 0.5, 1, 1.5, 2, 2.5};
  CHECK(array(g, "f8").shape == Shape{2, 3});
  CHECK(doubles(g, "f8") == halves);
  CHECK(array(g, "f8_fortran").shape == Shape{2, 3});
  CHECK(array(g, "f8_fortran").fortran_order);
  CHECK(doubles(g, "f8_fortran") == halves);
  CHECK(doubles(g, "f4") == Doubles{1.5, -2.0});
  CHECK(to_floats(g, array(g, "f4")).value() == std::vector<float>{1.5f, -2.0f});
  CHECK(doubles(g, "f2") == Doubles{1.5, -2.0, 0x1p-24, 65504.0, std::numeric_limits<double>::infinity()});
  CHECK(doubles(g, "big_endian") == Doubles{1.0, 256.0});
  CHECK(to_int64s(g, array(g, "i2_big_endian")).value() == Shape{1, -2});
  CHECK(to_int64s(g, array(g, "i8")).value() == Shape{1, -2, std::int64_t{1} << 62});
  CHECK(to_int64s(g, array(g, "u1")).value() == Shape{0, 255});
  CHECK(array(g, "bool").dtype.kind == 'b');
  CHECK(doubles(g, "bool") == Doubles{1, 0});
  CHECK(to_strings(g, array(g, "unicode")).value() == Texts{"a", "\u00e9\U0001f600", ""});
  CHECK(to_strings(g, array(g, "s")).value() == Texts{"ab", "c"});
  CHECK(array(g, "empty").shape == Shape{0, 4});
  CHECK(doubles(g, "empty").empty());
  CHECK(array(g, "zero_d").shape.empty());
  CHECK(*to_number(g, value(g, "zero_d")) == 3.5);
  CHECK(*to_number(g, value(g, "scalar")) == 2.5);
  CHECK(*to_number(g, value(g, "scalar_int")) == -3);
  CHECK(to_strings(g, array(g, "scalar_text")).value() == Texts{"hi"});
}

void check_object_and_struct_arrays(const ObjectGraph& g) {
  const Doubles objects = doubles(g, "objects");
  REQUIRE(objects.size() == 4);
  CHECK(objects[1] == 2.5);
  CHECK(std::isnan(objects[2]));
  CHECK(objects[3] == 1);
  CHECK(to_strings(g, array(g, "object_texts")).value() == Texts{"a", "b", "c", "d"});
  const NdArray structs = array(g, "struct");
  CHECK(has_field(structs, "threshold"));
  CHECK_FALSE(has_field(structs, "gain"));
  CHECK(field_int64s(structs, "left").value() == Shape{1, -1, 7});
  CHECK(field_doubles(structs, "threshold").value() == Doubles{0.5, -2.0, 1e300});
  CHECK(field_int64s(structs, "leaf").value() == Shape{0, 1, 1});
  CHECK(field_doubles(structs, "gain").error().code == Code::not_found);
}

void check_all(const ObjectGraph& graph) {
  REQUIRE(graph.kind(graph.root()) == NodeKind::dict);
  check_plain_values(graph);
  check_containers(graph);
  check_arrays(graph);
  check_object_and_struct_arrays(graph);
}

TEST_CASE("ReadsTheSameValuesFromEveryProtocol") {
  for (int protocol = 0; protocol <= 5; ++protocol) {
    INFO("protocol " << protocol);
    const ObjectGraph graph = read_file_graph(fmt::format("formats/values.protocol{}.pkl", protocol));
    check_all(graph);
    // Protocols 0 and 1 have no PROTO opcode to tell them apart.
    CHECK(graph.impl().info.protocol == (protocol < 2 ? 0 : protocol));
  }
}

TEST_CASE("ReadsArraysOfNumpy2") {
  check_all(read_file_graph("formats/values.numpy2.pkl"));
}

TEST_CASE("ReadsJoblibArraysWithPadding") {
  check_all(read_file_graph("formats/values.joblib"));
}

TEST_CASE("ReadsJoblibArraysOfVersionsBefore12WithoutPadding") {
  check_all(read_file_graph("formats/values.joblib11"));
}

TEST_CASE("ReadsEveryCompressionOfJoblib") {
  const std::pair<const char*, Compression> files[] = {{"zlib", Compression::zlib}, {"gz", Compression::gzip},
                                                       {"bz2", Compression::bzip2}, {"xz", Compression::xz},
                                                       {"lzma", Compression::lzma}, {"lz4", Compression::lz4}};
  for (const auto& [suffix, compression] : files) {
    INFO(suffix);
    const ObjectGraph graph = read_file_graph(fmt::format("formats/values.joblib.{}", suffix));
    CHECK(graph.impl().info.compression == compression);
    check_all(graph);
  }
}

TEST_CASE("ReadsGzipOfSeveralMembers") {
  check_all(read_file_graph("formats/values.two_members.gz"));
}

TEST_CASE("ReadsZfileOfOldJoblib") {
  const ObjectGraph graph = read_file_graph("formats/old.zfile");
  const auto items = graph.items(graph.attribute(graph.root(), "coef"));
  REQUIRE(items.size() == 2);
  CHECK(graph.real(items[1]) == 1.5);
}

TEST_CASE("ReadsScipySparseMatricesAsCsr") {
  const ObjectGraph graph = read_file_graph("formats/sparse.pkl");
  for (const char* key : {"csr", "csc", "csr_array"}) {
    INFO(key);
    const NodeId node = graph.attribute(graph.root(), key);
    REQUIRE(is_csr(graph, node));
    auto matrix = to_csr(graph, node);
    INFO((matrix ? "" : matrix.error().text()));
    REQUIRE(matrix.has_value());
    CHECK(matrix->rows == 2);
    CHECK(matrix->cols == 3);
    CHECK(matrix->row_begin == Shape{0, 1, 3});
    CHECK(matrix->columns == std::vector<std::int32_t>{1, 0, 2});
    CHECK(matrix->values == Doubles{1.5, 2.0, -3.0});
  }
}

}  // namespace
}  // namespace jackdaw::formats
