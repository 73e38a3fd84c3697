// numpy arrays that lie, and dtypes beyond the plain ones.
#include <cmath>

#include "src/formats/numpy_dtype.h"
#include "tests/unit/formats/pickle_support.h"

namespace jackdaw::formats {
namespace {

// _reconstruct + BUILD with the given shape, dtype pickle, order flag and data pickle (all in text opcodes).
std::string array_pickle(std::string_view shape, std::string_view dtype, std::string_view data,
                         std::string_view order = "I00\n") {
  return fmt::format("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n{}{}{}{}tb.", shape,
                     dtype, order, data);
}
std::string dtype_pickle(std::string_view type, std::string_view state = "") {
  return fmt::format("cnumpy\ndtype\n(S'{}'\nI00\nI01\ntR{}", type, state.empty() ? "" : fmt::format("({}tb", state));
}

Result<NdArray> root_array(const ObjectGraph& graph) {
  return to_ndarray(graph, graph.root());
}

Error array_refusal(const std::string& pickle) {
  const ObjectGraph graph = read_pickle(pickle);
  auto array = root_array(graph);
  REQUIRE_FALSE(array.has_value());
  return array.error();
}

TEST_CASE("RefusesArrayWhoseDataDoNotMatchItsShape") {
  const std::string f8 = dtype_pickle("f8");
  for (const char* shape :
       {"(I2\nt", "(L4611686018427387904L\nI4\nt", "(L2305843009213693953L\nt", "(I-1\nt", "(S'a'\nt", "N"}) {
    INFO(shape);
    CHECK(array_refusal(array_pickle(shape, f8, "S'01234567'\n")).code == Code::parse_error);
  }
  const ObjectGraph good = read_pickle(array_pickle("(I1\nt", f8, "S'01234567'\n"));
  CHECK(root_array(good).has_value());
}

TEST_CASE("RefusesArraysOfManyElementsWithoutBytes") {
  CHECK(array_refusal(array_pickle("(L1099511627776L\nt", dtype_pickle("S0"), "S''\n")).code == Code::parse_error);
}

TEST_CASE("RefusesObjectArrayWithAnotherNumberOfElements") {
  CHECK(mentions(array_refusal(array_pickle("(I3\nt", dtype_pickle("O"), "(I1\nI2\nl")), "2 objects"));
  CHECK(mentions(array_refusal(array_pickle("(I3\nt", dtype_pickle("O"), "S'abc'\n")), "no list"));
}

TEST_CASE("RefusesObjectArrayThatContainsItself") {
  const ObjectGraph graph =
      read_pickle("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntRp0\n(I1\n(I1\nt" +
                  dtype_pickle("O") + "I00\n(g0\nltb.");
  auto array = root_array(graph);
  REQUIRE(array.has_value());
  CHECK_FALSE(to_doubles(graph, *array).has_value());
  CHECK_FALSE(to_strings(graph, *array).has_value());
  CHECK_FALSE(to_int64s(graph, *array).has_value());
}

TEST_CASE("ScalarThatHoldsItselfIsNoNumber") {
  const ObjectGraph graph = read_pickle("cnumpy.core.multiarray\nscalar\n(" + dtype_pickle("O") + "(I1\nltR.");
  CHECK_FALSE(to_number(graph, graph.root()).has_value());
}

TEST_CASE("RefusesDtypesThatAreNone") {
  for (const char* type : {"", "x8", "f", "f3", "i16", "f99999999999", "U1073741824", "b2", "M4", "f8extra"}) {
    INFO(type);
    CHECK(array_refusal(array_pickle("(I0\nt", dtype_pickle(type), "S''\n")).code == Code::parse_error);
  }
  CHECK(mentions(array_refusal(array_pickle("(I0\nt", "cnumpy.dtypes\nStringDType\n)R", "S''\n")), "StringDType"));
}

TEST_CASE("RefusesSubarrayDtypesInWords") {
  const std::string subarray = dtype_pickle("V16", "I3\nS'|'\n(" + dtype_pickle("f8") + "(I2\nttNNI16\nI1\nI0\n");
  const Error error = array_refusal(array_pickle("(I0\nt", subarray, "S''\n"));
  CHECK(error.code == Code::unsupported);
  CHECK(mentions(error, "subarrays"));
}

TEST_CASE("RefusesFieldsOutsideTheirElement") {
  for (const char* offset : {"I9\n", "I-1\n", "I4294967295\n", "N"}) {
    const std::string structure =
        dtype_pickle("V16", "I3\nS'|'\nN(S'a'\nt(dS'a'\n(" + dtype_pickle("f8") + offset + "tsI16\nI1\nI0\n");
    INFO(offset);
    CHECK(array_refusal(array_pickle("(I0\nt", structure, "S''\n")).code == Code::parse_error);
  }
}

TEST_CASE("RefusesDtypeThatContainsItself") {
  const std::string cyclic =
      "cnumpy\ndtype\n(S'V16'\nI00\nI01\ntRp5\n(I3\nS'|'\nN(S'a'\nt(dS'a'\n(g5\nI0\ntsI16\nI1\nI0\ntb";
  CHECK(mentions(array_refusal(array_pickle("(I0\nt", cyclic, "S''\n")), "too deep"));
}

TEST_CASE("RefusesDtypeWhoseFieldsMultiplyExponentially") {
  // Eight levels of 100 fields each that share their children: 10^16 fields if expanded.
  std::string dtype = dtype_pickle("f8") + "p100\n0";
  std::string last = "g100\n";
  for (int level = 1; level <= 6; ++level) {
    std::string names;
    std::string fields = "(d";
    for (int i = 0; i < 100; ++i) {
      names += fmt::format("S'n{}'\n", i);
      fields += fmt::format("S'n{}'\n({}I0\nts", i, last);
    }
    dtype += dtype_pickle("V8", fmt::format("I3\nS'|'\nN({}t{}I8\nI1\nI0\n", names, fields)) +
             fmt::format("p{}\n0", 100 + level);
    last = fmt::format("g{}\n", 100 + level);
  }
  const std::string pickle =
      std::string(200, 'N') + std::string(200, '0') + dtype + array_pickle("(I0\nt", last, "S''\n");
  CHECK(mentions(array_refusal(pickle), "too many fields"));
}

TEST_CASE("ReadsFieldsByNameAndOffsetNotByPosition") {
  // The dict lists b before a, and a lies behind b in the element.
  const std::string structure = dtype_pickle("V3", "I3\nS'|'\nN(S'a'\nS'b'\nt(dS'b'\n(" + dtype_pickle("i1") +
                                                       "I0\ntsS'a'\n(" + dtype_pickle("i2") + "I1\ntsI3\nI1\nI0\n");
  const ObjectGraph graph = read_pickle(array_pickle("(I2\nt", structure, "S'\\x01\\x02\\x00\\xff\\x04\\x01'\n"));
  auto array = root_array(graph);
  INFO((array ? "" : array.error().text()));
  REQUIRE(array.has_value());
  CHECK(field_int64s(*array, "a").value() == std::vector<std::int64_t>{2, 260});
  CHECK(field_int64s(*array, "b").value() == std::vector<std::int64_t>{1, -1});
  CHECK(field_doubles(*array, "a").value() == std::vector<double>{2, 260});
}

TEST_CASE("RefusesFractionsAndHugeNumbersAsIntegers") {
  const ObjectGraph half =
      read_pickle(array_pickle("(I1\nt", dtype_pickle("f8"), "S'\\x00\\x00\\x00\\x00\\x00\\x00\\xe0?'\n"));
  CHECK_FALSE(to_int64s(half, root_array(half).value()).has_value());
  const ObjectGraph huge =
      read_pickle(array_pickle("(I1\nt", dtype_pickle("u8"), "S'\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff'\n"));
  CHECK_FALSE(to_int64s(huge, root_array(huge).value()).has_value());
  CHECK(to_doubles(huge, root_array(huge).value()).value()[0] == 0x1p64);
}

TEST_CASE("RefusesTextThatIsNoUnicodeAndNumbersFromText") {
  const ObjectGraph bad = read_pickle(array_pickle("(I1\nt", dtype_pickle("U1"), "S'\\xff\\xff\\xff\\xff'\n"));
  CHECK_FALSE(to_strings(bad, root_array(bad).value()).has_value());
  CHECK_FALSE(to_doubles(bad, root_array(bad).value()).has_value());
}

TEST_CASE("ReadsThreeDimensionalFortranArraysInCOrder") {
  // Element (i, j, k) of shape (2, 3, 2) is stored at i + 2 j + 6 k.
  std::string raw;
  for (int position = 0; position < 12; ++position) raw += fmt::format("\\x{:02x}", position);
  const ObjectGraph graph =
      read_pickle(array_pickle("(I2\nI3\nI2\nt", dtype_pickle("u1"), "S'" + raw + "'\n", "I01\n"));
  CHECK(to_doubles(graph, root_array(graph).value()).value() ==
        std::vector<double>{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11});
}

TEST_CASE("WritesDtypesAndShapesForPeople") {
  CHECK(shape_text(std::vector<std::int64_t>{}) == "()");
  CHECK(shape_text(std::vector<std::int64_t>{3}) == "(3,)");
  CHECK(shape_text(std::vector<std::int64_t>{3, 4}) == "(3, 4)");
  CHECK(dtype_text({'f', 8}) == "float64");
  CHECK(dtype_text({'U', 40}) == "<U10");
}

std::string csr_pickle(std::string_view shape, std::string_view indptr, std::string_view indices,
                       std::string_view data) {
  const auto i1 = [](std::string_view bytes) {
    std::string escaped;
    for (const char c : bytes) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    std::string pickle = array_pickle(fmt::format("(I{}\nt", bytes.size()), dtype_pickle("i1"), "S'" + escaped + "'\n");
    pickle.pop_back();
    return pickle;
  };
  return bytes_of("\x80\x02") + "cscipy.sparse.csr\ncsr_matrix\n)\x81(dS'_shape'\n" + std::string(shape) +
         "sS'indptr'\n" + i1(indptr) + "sS'indices'\n" + i1(indices) + "sS'data'\n" + i1(data) + "sb.";
}

TEST_CASE("RefusesSparseMatricesThatLie") {
  const auto matrix = [](const std::string& pickle) {
    const ObjectGraph graph = read_pickle(pickle);
    REQUIRE(is_csr(graph, graph.root()));
    return to_csr(graph, graph.root());
  };
  CHECK(matrix(csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01\x02"), bytes_of("\x00\x02"), bytes_of("\x05\x06")))
            .has_value());
  const std::string bad[] = {
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01"), bytes_of("\x00\x02"), bytes_of("\x05\x06")),  // indptr too short
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01\x7f"), bytes_of("\x00\x02"),
                 bytes_of("\x05\x06")),  // beyond the data
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x02\x01"), bytes_of("\x00\x02"), bytes_of("\x05\x06")),  // descending
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01\x02"), bytes_of("\x00\x03"), bytes_of("\x05\x06")),  // column 3 of 3
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01\x02"), bytes_of("\x00\xff"), bytes_of("\x05\x06")),  // column -1
      csr_pickle("(I2\nI3\nt", bytes_of("\x00\x01\x02"), bytes_of("\x00"), bytes_of("\x05\x06")),      // lengths differ
      csr_pickle("(L9223372036854775807L\nI3\nt", bytes_of("\x00"), "", ""),
      csr_pickle("(I2\nt", bytes_of("\x00\x01\x02"), bytes_of("\x00\x02"), bytes_of("\x05\x06"))};
  for (const std::string& pickle : bad) CHECK_FALSE(matrix(pickle).has_value());
}

}  // namespace
}  // namespace jackdaw::formats
