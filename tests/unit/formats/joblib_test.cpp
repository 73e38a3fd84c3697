// joblib's array wrapper and the compressions around it, hostile ones included.
#include <bzlib.h>
#include <zlib.h>

#include "src/formats/compression.h"
#include "src/formats/object_graph_impl.h"
#include "tests/unit/formats/pickle_support.h"

namespace jackdaw::formats {
namespace {

std::string text_node(std::string_view text) {
  return "X" + little_endian(text.size(), 4) + std::string(text);
}
std::string key_value(std::string_view key, std::string_view pickled) {
  return text_node(key) + std::string(pickled);
}
std::string dtype_pickle(std::string_view type) {
  return "cnumpy\ndtype\n(" + text_node(type) + "I00\nI01\ntR";
}

// A NumpyArrayWrapper up to and including BUILD.
struct Wrapper {
  std::string cls = "joblib.numpy_pickle\nNumpyArrayWrapper";
  std::string dtype = dtype_pickle("f8");
  std::string shape = "(I2\nt";
  std::string order = "C";
  std::string alignment;  // "" = attribute absent

  std::string pickle() const {
    std::string out = bytes_of(
                          "\x80\x02"
                          "c") +
                      cls + bytes_of("\n)\x81}(");
    out += key_value("subclass", "cnumpy\nndarray\n") + key_value("dtype", dtype) + key_value("shape", shape);
    out += key_value("order", text_node(order)) + key_value("allow_mmap", "I01\n");
    if (!alignment.empty()) out += key_value("numpy_array_alignment_bytes", alignment);
    return out + "ub";
  }
};

std::string doubles_raw(std::initializer_list<double> values) {
  std::string out;
  for (const double v : values) out.append(reinterpret_cast<const char*>(&v), 8);
  return out;
}

std::vector<double> root_doubles(const std::string& pickle) {
  const ObjectGraph graph = read_pickle(pickle);
  auto array = to_ndarray(graph, graph.root());
  REQUIRE(array.has_value());
  auto values = to_doubles(graph, *array);
  REQUIRE(values.has_value());
  return *values;
}

TEST_CASE("ReadsJoblibArrayWithAndWithoutAlignmentByte") {
  Wrapper wrapper;
  const std::vector<double> expected{1.5, -2.0};
  CHECK(root_doubles(wrapper.pickle() + doubles_raw({1.5, -2.0}) + ".") == expected);
  wrapper.alignment = "N";  // a writer that could not seek
  CHECK(root_doubles(wrapper.pickle() + doubles_raw({1.5, -2.0}) + ".") == expected);
  wrapper.alignment = bytes_of("K\x10");
  CHECK(root_doubles(wrapper.pickle() + bytes_of("\x03\xff\xff\xff") + doubles_raw({1.5, -2.0}) + ".") == expected);
  CHECK(root_doubles(wrapper.pickle() + bytes_of("\x00") + doubles_raw({1.5, -2.0}) + ".") == expected);
}

TEST_CASE("ReadsJoblibArrayInFortranOrder") {
  Wrapper wrapper{.shape = "(I2\nI3\nt", .order = "F"};
  CHECK(root_doubles(wrapper.pickle() + doubles_raw({0, 3, 1, 4, 2, 5}) + ".") ==
        std::vector<double>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("ReadsScalarAndEmptyJoblibArrays") {
  CHECK(root_doubles(Wrapper{.shape = ")"}.pickle() + doubles_raw({7}) + ".") == std::vector<double>{7});
  CHECK(root_doubles(Wrapper{.shape = "(I0\nI4\nt"}.pickle() + ".").empty());
}

TEST_CASE("ReadsJoblibArraysVendoredByOldScikitLearn") {
  Wrapper wrapper{.cls = "sklearn.externals.joblib.numpy_pickle\nNumpyArrayWrapper"};
  CHECK(root_doubles(wrapper.pickle() + doubles_raw({1, 2}) + ".").size() == 2);
}

// The pickle of an object ndarray as numpy writes it inside joblib's stream.
std::string object_array_pickle(const std::string& list) {
  return bytes_of("\x80\x02") + "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt" +
         dtype_pickle("O8") + "I00\n" + list + "tb.";
}

TEST_CASE("ReadsNestedObjectArrayInJoblib") {
  Wrapper wrapper{.dtype = dtype_pickle("O")};
  const std::string nested =
      object_array_pickle(bytes_of("](K\x05"
                                   "F2.5\ne"));
  // Alignment is not used for objects, and the memo of the inner pickle is its own.
  CHECK(root_doubles(wrapper.pickle() + nested + ".") == std::vector<double>{5, 2.5});
}

TEST_CASE("RefusesNestedPickleThatIsNoArrayOrHasAnotherLength") {
  Wrapper wrapper{.dtype = dtype_pickle("O")};
  CHECK(mentions(refusal(wrapper.pickle() + "N.."), "not such an array"));
  CHECK(mentions(refusal(wrapper.pickle() +
                         object_array_pickle(bytes_of("](K\x05"
                                                      "e")) +
                         "."),
                 "elements"));
}

TEST_CASE("DoesNotExpandWrappersInsideNestedPickles") {
  Wrapper outer{.dtype = dtype_pickle("O")};
  std::string bomb;
  for (int i = 0; i < 1000; ++i) bomb += outer.pickle();
  CHECK(refusal(bomb).code == Code::parse_error);
}

TEST_CASE("RefusesJoblibShapesThatLieAboutTheFile") {
  const std::string shapes[] = {
      "(I3\nt", "(L4611686018427387904L\nI4\nt", "(L9223372036854775807L\nt", "(I-1\nt", "(Nt",
      "N",      "(L18446744073709551616L\nt"};
  for (const std::string& shape : shapes) {
    const Error error = refusal(Wrapper{.shape = shape}.pickle() + doubles_raw({1, 2}) + ".");
    INFO(error.text());
    CHECK(error.code == Code::parse_error);
  }
}

TEST_CASE("RefusesJoblibArraysOfElementsWithoutBytes") {
  Wrapper wrapper{.dtype = dtype_pickle("S0"), .shape = "(L1099511627776L\nt"};
  CHECK(mentions(refusal(wrapper.pickle() + "."), "does not fit"));
}

TEST_CASE("RefusesJoblibPaddingBeyondReasonOrTheFile") {
  Wrapper wrapper{.alignment = bytes_of("K\x10")};
  CHECK(mentions(refusal(wrapper.pickle() + bytes_of("\xff") + std::string(300, '\xff')), "padding"));
  CHECK(mentions(refusal(wrapper.pickle() + bytes_of("\x10\xff")), "padding"));
  CHECK(mentions(refusal(wrapper.pickle()), "padding"));
}

TEST_CASE("RefusesSideFilesOfOldJoblibInWords") {
  for (const char* cls : {"joblib.numpy_pickle\nNDArrayWrapper", "joblib.numpy_pickle_compat\nZNDArrayWrapper",
                          "sklearn.externals.joblib.numpy_pickle\nNDArrayWrapper"}) {
    const Error error = refusal(Wrapper{.cls = cls}.pickle() + ".");
    CHECK(error.code == Code::unsupported);
    CHECK(mentions(error, "side files"));
    CHECK(mentions(error, "0.10"));
  }
}

// ---- compression ----------------------------------------------------------------------------------------------------

std::string gzip(std::string_view content, int window = 15 + 16) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, content.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST_CASE("RefusesGzipBomb") {
  // 100 MB of zeros in 100 kB: past the free 64 MiB, and a thousand times its size.
  const std::string bomb = gzip(std::string(100'000'000, '\0'));
  REQUIRE(bomb.size() < 200'000);
  const Error error = refusal(bomb);
  CHECK(error.code == Code::too_large);
  CHECK(mentions(error, "bomb"));
}

TEST_CASE("RefusesZlibStreamBeyondTheAbsoluteLimit") {
  ReadLimits limits;
  limits.stream_bytes_max = 1000;
  CHECK(refusal(gzip(std::string(1001, 'N'), 15), limits).code == Code::too_large);
  // Exactly at the limit is fine: 999 Nones and a STOP.
  auto graph = read_object_graph(to_bytes(gzip(std::string(999, 'N') + ".", 15)), limits);
  CHECK(graph.has_value());
}

TEST_CASE("RefusesBzip2Bomb") {
  const std::string zeros(200'000'000, '\0');
  std::string bomb(1 << 20, '\0');
  unsigned length = static_cast<unsigned>(bomb.size());
  REQUIRE(BZ2_bzBuffToBuffCompress(bomb.data(), &length, const_cast<char*>(zeros.data()),
                                   static_cast<unsigned>(zeros.size()), 9, 0, 0) == BZ_OK);
  bomb.resize(length);
  CHECK(refusal(bomb).code == Code::too_large);
}

TEST_CASE("RefusesLzmaThatAsksForFourGigabytesOfDictionary") {
  const Error error =
      refusal(bytes_of("\x5d\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00") + std::string(64, '\x01'));
  INFO(error.text());
  CHECK(error.code == Code::parse_error);
}

TEST_CASE("RefusesTruncatedAndDamagedCompression") {
  for (const char* suffix : {"zlib", "gz", "bz2", "xz", "lzma", "lz4"}) {
    const std::vector<std::byte> whole = read_test_file(fmt::format("formats/values.joblib.{}", suffix));
    for (std::size_t length = 2; length + 1 < whole.size(); length += 97) {
      INFO(suffix << " cut to " << length);
      auto cut = read_object_graph({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
      CHECK_FALSE(cut.has_value());
    }
    std::vector<std::byte> damaged = whole;
    damaged[damaged.size() / 2] ^= std::byte{0x55};
    auto graph = read_object_graph(std::move(damaged));
    INFO(suffix);
    // lz4 and lzma alone carry no checksum; then the damage shows in the pickle, or in one of its values.
    if (std::string_view(suffix) != "lzma" && std::string_view(suffix) != "lz4") CHECK_FALSE(graph.has_value());
  }
}

TEST_CASE("IgnoresBytesAfterTheLastGzipMemberAsPythonDoes") {
  const ObjectGraph graph = read_pickle(gzip(bytes_of("K\x05.")) + std::string(16, '\0'));
  CHECK(graph.integer(graph.root()) == 5);
}

TEST_CASE("RefusesZfileWhoseLengthLies") {
  const std::string packed = gzip(bytes_of("K\x05."), 15);
  std::string header = "ZF0x3";
  header.resize(21, ' ');
  CHECK(read_pickle(header + packed).size() == 1);
  CHECK(read_pickle(header + " " + packed).size() == 1);  // as Python 2 wrote it
  header[4] = '4';
  CHECK(mentions(refusal(header + packed), "announced"));
  CHECK(refusal("ZF0x3").code == Code::parse_error);
}

TEST_CASE("DetectsCompressionByMagic") {
  const std::pair<std::string, Compression> cases[] = {{bytes_of("\x78\x9c"), Compression::zlib},
                                                       {bytes_of("\x1f\x8b"), Compression::gzip},
                                                       {"BZh9", Compression::bzip2},
                                                       {bytes_of("\xfd"
                                                                 "7zXZ\x00"),
                                                        Compression::xz},
                                                       {bytes_of("\x5d\x00\x00"), Compression::lzma},
                                                       {bytes_of("\x04\x22\x4d\x18"), Compression::lz4},
                                                       {"ZF0x", Compression::zfile},
                                                       {bytes_of("\x80\x04"), Compression::none},
                                                       {bytes_of("]q\x00."), Compression::none},
                                                       {"", Compression::none}};
  for (const auto& [bytes, compression] : cases) CHECK(detect_compression(as_bytes(bytes)) == compression);
}

}  // namespace
}  // namespace jackdaw::formats
