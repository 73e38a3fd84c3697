#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "src/api/oip/json_fault.h"
#include "src/api/oip/request.h"
#include "src/api/oip/response.h"
#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;
using namespace jackdaw::api::oip;
using serving::Dialect;

namespace {

engine::InferenceRequest v1(std::string_view body) {
  auto parsed = parse_v1(body);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) FAIL(refusal->body);
  return std::move(std::get<engine::InferenceRequest>(parsed));
}

std::string v1_refusal(std::string_view body) {
  auto parsed = parse_v1(body);
  REQUIRE(std::holds_alternative<Refusal>(parsed));
  CHECK(std::get<Refusal>(parsed).status == 400);
  return std::get<Refusal>(parsed).body;
}

V2Request v2(std::string_view body, Dialect dialect = Dialect::kserve) {
  auto parsed = parse_v2(body, std::nullopt, "m", dialect);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) FAIL(refusal->body);
  return std::move(std::get<V2Request>(parsed));
}

Refusal v2_refusal(std::string_view body, std::optional<std::string_view> length = std::nullopt,
                   Dialect dialect = Dialect::kserve) {
  auto parsed = parse_v2(body, length, "m", dialect);
  REQUIRE(std::holds_alternative<Refusal>(parsed));
  return std::get<Refusal>(parsed);
}

std::string input(std::string_view shape, std::string_view datatype, std::string_view data) {
  return fmt::format(R"({{"inputs":[{{"name":"x","shape":{},"datatype":"{}","data":{}}}]}})", shape, datatype, data);
}

}  // namespace

TEST_CASE("V1InfersTypesAsNumpyDoes") {
  CHECK(v1(R"({"instances":[[1,2],[3,4]]})").inputs[0].dtype == DType::int64);
  CHECK(v1(R"({"instances":[[1,2.5]]})").inputs[0].dtype == DType::fp64);
  CHECK(v1(R"({"instances":[[true,false]]})").inputs[0].dtype == DType::boolean);
  CHECK(v1(R"({"instances":[[true,2]]})").inputs[0].dtype == DType::int64);
  CHECK(v1(R"({"instances":[[18446744073709551615,1]]})").inputs[0].dtype == DType::uint64);
  CHECK(v1(R"({"instances":[[18446744073709551615,-1]]})").inputs[0].dtype == DType::fp64);
  CHECK(v1(R"({"instances":[[123456789012345678901234567890,1]]})").inputs[0].dtype == DType::fp64);
  const auto nulls = v1(R"({"instances":[[1,null]]})").inputs[0];
  CHECK(nulls.dtype == DType::fp64);
  CHECK(std::isnan(nulls.as<double>()[1]));
  const auto words = v1(R"({"instances":[[1.5,"a",true]]})").inputs[0];
  CHECK(words.strings == std::vector<std::string>{"1.5", "a", "True"});
  CHECK(v1(R"({"instances":[]})").inputs[0].shape == std::vector<std::int64_t>{0});
  CHECK(v1(R"({"instances":[[[1],[2]]]})").inputs[0].shape == std::vector<std::int64_t>{1, 2, 1});
}

TEST_CASE("V1RefusesRaggedRowsInNumpysWords") {
  CHECK(v1_refusal(R"({"instances":[[1,2],[3]]})")
            .find("inhomogeneous shape after 1 dimensions. The detected shape was (2,)") != std::string::npos);
  CHECK(v1_refusal(R"({"instances":[1,[2]]})").find("inhomogeneous") != std::string::npos);
  CHECK(v1_refusal(R"({"instances":[[1],2]})").find("inhomogeneous") != std::string::npos);
}

TEST_CASE("V1MakesDataFramesOfKServesThreeShapes") {
  const auto columns = v1(R"({"instances":[{"a":[1,2],"b":["x",null]}]})");
  REQUIRE(columns.form == engine::InputForm::columns);
  CHECK(columns.inputs[0].dtype == DType::int64);
  CHECK(columns.inputs[1].missing == std::vector<std::uint8_t>{0, 1});
  const auto indexed = v1(R"({"instances":[{"a":{"0":1.5},"b":{"0":2}}]})");
  CHECK(indexed.inputs[0].as<double>()[0] == 1.5);
  const auto rows = v1(R"({"instances":[[{"a":1,"b":2}],[{"a":3}]]})");
  REQUIRE(rows.inputs.size() == 2);
  CHECK(std::isnan(rows.inputs[1].as<double>()[1]));
  CHECK(v1(R"({"instances":[{"a":1},{"a":2}]})").inputs[0].shape == std::vector<std::int64_t>{2});
  CHECK(v1_refusal(R"({"instances":[{"a":[1,2],"b":[1]}]})").find("same length") != std::string::npos);
  CHECK(v1_refusal(R"({"instances":[{"a":["x",1]}]})").find("mixes texts and numbers") != std::string::npos);
}

TEST_CASE("AnEmptyBodyIsRefusedAlsoWhenItsViewIsNull") {
  CHECK(v1_refusal(std::string_view()).find("zero-length, empty document") != std::string::npos);
  CHECK(v2_refusal(std::string_view()).status == 422);
}

TEST_CASE("V1BoundsTheCellsNobodySent") {
  std::string body = R"({"instances":[)";
  for (int i = 0; i < 4000; ++i) body += fmt::format(R"({}{{"c{}":1}})", i > 0 ? "," : "", i);
  CHECK(v1_refusal(body + "]}").find("rows must share their columns") != std::string::npos);
}

TEST_CASE("V1PrefersInputsTakesTheLastOfTwoKeysAndNamesWhatIsMissing") {
  CHECK(v1(R"({"instances":[[1]],"inputs":[[2]]})").inputs[0].as<std::int64_t>()[0] == 2);
  CHECK(v1(R"({"instances":[[1]],"instances":[[3]]})").inputs[0].as<std::int64_t>()[0] == 3);
  CHECK(v1_refusal("{}") == R"({"error":"'instances'"})");
  CHECK(v1_refusal(R"({"instances":1})") == R"({"error":"Expected \"instances\" to be a list"})");
}

TEST_CASE("JsonFaultsSayReasonLineAndColumn") {
  CHECK(find_json_fault("{\"a\":[1,]}").text() == "trailing comma is not allowed: line 1 column 9 (char 8)");
  CHECK(find_json_fault("{\"a\":\n NaN}").text() ==
        "unexpected character, expected a JSON value: line 2 column 2 (char 7)");
  CHECK(find_json_fault("[1] x").text() == "unexpected content after document: line 1 column 5 (char 4)");
  CHECK(find_json_fault("[01]").message == "number with leading zero is not allowed");
  CHECK(find_json_fault("[1e400]").message == "number is infinity when parsed as double");
  CHECK(find_json_fault("\"\\ud83d x\"").message == "no low surrogate in string");
  CHECK(find_json_fault("").message == "Input is a zero-length, empty document");
  CHECK(find_json_fault("\xff").message == "str is not valid UTF-8: surrogates not allowed");
  CHECK(find_json_fault(std::string(100'000, '[')).message == "Recursion limit reached");
  CHECK(find_json_fault(R"({"a":[1,-2.5e+3,"x\u00e9",true,null,{}]})").message.empty());
}

TEST_CASE("V2ReadsEveryDatatypeNestedOrFlat") {
  CHECK(v2(input("[2,2]", "FP32", "[[1,2],[3,4.5]]")).request.inputs[0].as<float>()[3] == 4.5f);
  CHECK(v2(input("[2,2]", "fp64", "[1,2,3,4]")).request.inputs[0].shape == std::vector<std::int64_t>{2, 2});
  CHECK(v2(input("[-1,2]", "INT8", "[1,2,3,-128]")).request.inputs[0].as<std::int8_t>()[3] == -128);
  CHECK(v2(input("[1]", "UINT64", "[18446744073709551615]")).request.inputs[0].as<std::uint64_t>()[0] == ~0ull);
  CHECK(v2(input("[3]", "BOOL", "[true,0,\"x\"]")).request.inputs[0].as<std::uint8_t>()[2] == 1);
  CHECK(v2(input("[2]", "BYTES", "[\"a\",\"\\u00e9\"]")).request.inputs[0].strings[1] == "\xc3\xa9");
  CHECK(v2(input("[1]", "INT32", "[6.9]")).request.inputs[0].as<std::int32_t>()[0] == 6);
  CHECK(std::isnan(v2(input("[2]", "FP32", "[NaN,1]")).request.inputs[0].as<float>()[0]));
  CHECK(std::isinf(v2(input("[2]", "FP64", "[-Infinity,1e400]")).request.inputs[0].as<double>()[1]));
  CHECK(v2(input("[1]", "FP32", "[\" 1.5 \"]")).request.inputs[0].as<float>()[0] == 1.5f);
}

TEST_CASE("V2RoundsFp16ToNearestEvenForMlserver") {
  const auto half = [](std::string_view number) {
    const auto parsed = v2(input("[1]", "FP16", fmt::format("[{}]", number)), Dialect::mlserver);
    std::uint16_t bits;
    std::memcpy(&bits, parsed.request.inputs[0].data.data(), 2);
    return bits;
  };
  CHECK(half("1") == 0x3c00);
  CHECK(half("-2") == 0xc000);
  CHECK(half("6.8") == 0x46cd);
  CHECK(half("65504") == 0x7bff);
  CHECK(half("65519") == 0x7bff);
  CHECK(half("65520") == 0x7c00);
  CHECK(half("0.00006103515625") == 0x0400);  // smallest normal
  CHECK(half("5.960464477539063e-08") == 0x0001);
  CHECK(half("0") == 0x0000);
  CHECK(half("2049") == 0x6800);  // halfway, to even
  CHECK(half("2047.9999") == 0x6800);
  CHECK(v2_refusal(input("[1]", "FP16", "[1]")).body.find("Sending FP16 data via JSON is not supported") !=
        std::string::npos);
}

TEST_CASE("V2RefusesWhatDoesNotFitInNumpysWords") {
  CHECK(v2_refusal(input("[3,4]", "FP64", "[1,2]")).body ==
        R"x({"error":"cannot reshape array of size 2 into shape (3,4)"})x");
  CHECK(v2_refusal(input("[4611686018427387904,4]", "FP64", "[1]")).status == 400);
  CHECK(v2_refusal(input("[-1,-1]", "FP64", "[1]")).body.find("one unknown dimension") != std::string::npos);
  CHECK(v2_refusal(input("[1]", "INT8", "[300]")).body == R"({"error":"Python integer 300 out of bounds for int8"})");
  CHECK(v2_refusal(input("[1]", "INT64", "[1e19]")).body.find("out of bounds") != std::string::npos);
  CHECK(v2_refusal(input("[1]", "FP32", "[\"wide\"]")).body ==
        R"({"error":"could not convert string to float: 'wide'"})");
  CHECK(v2_refusal(input("[1]", "FP128", "[1]")).body.find("FP128") != std::string::npos);
}

TEST_CASE("V2ValidationAnswersAsPydanticDoes") {
  CHECK(
      v2_refusal(R"({"id":7})").body ==
      R"({"detail":[{"type":"string_type","loc":["body","InferenceRequest","id"],"msg":"Input should be a valid string","input":7},{"type":"missing","loc":["body","InferenceRequest","inputs"],"msg":"Field required","input":{"id":7}},{"type":"bytes_type","loc":["body","bytes"],"msg":"Input should be a valid bytes","input":{"id":7}}]})");
  CHECK(
      v2_refusal(R"({"inputs":null})", std::nullopt, Dialect::mlserver).body ==
      R"({"detail":[{"type":"list_type","loc":["body","inputs"],"msg":"Input should be a valid list","input":null}]})");
  CHECK(v2_refusal("{").status == 422);
  CHECK(v2_refusal("").body == R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
  std::string many = R"({"inputs":[)";
  for (int i = 0; i < 10'000; ++i) many += i > 0 ? ",{}" : "{}";
  CHECK(v2_refusal(many + "]}").body.size() < 10'000);
}

TEST_CASE("BinaryTensorsAreCutInOrderAndLyingSizesRefused") {
  const std::string head =
      R"({"inputs":[{"name":"a","shape":[2],"datatype":"FP32","parameters":{"binary_data_size":8}},{"name":"t","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":11}}]})";
  const float numbers[2] = {1.5f, -2.0f};
  std::string body =
      head + std::string(reinterpret_cast<const char*>(numbers), 8) + std::string("\x02\0\0\0hi\x01\0\0\0!", 11);
  const std::string length = std::to_string(head.size());
  auto parsed = parse_v2(body, length, "m", Dialect::kserve);
  REQUIRE(std::holds_alternative<V2Request>(parsed));
  const auto& inputs = std::get<V2Request>(parsed).request.inputs;
  CHECK(inputs[0].as<float>()[1] == -2.0f);
  CHECK(inputs[1].strings == std::vector<std::string>{"hi", "!"});
  CHECK(v2_refusal(std::string_view(body).substr(0, body.size() - 1), length).status == 400);
  CHECK(v2_refusal(body, "99999").status == 400);
  CHECK(v2_refusal(body, "-1").status == 400);
  CHECK(v2_refusal(body, "12x").status == 400);
  body[head.size() + 8] = '\x7f';
  CHECK(v2_refusal(body, length).body.find("runs past the end") != std::string::npos);
}

TEST_CASE("V2AnswersKeepKServesKeyOrderAndExplicitNulls") {
  World world;
  world.serve("iris");
  const auto answer = world.post("/v2/models/iris/infer",
                                 R"({"id":"42","inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[6.8,1]}]})");
  CHECK(
      answer->answer->body ==
      R"({"model_name":"iris","model_version":null,"id":"42","parameters":null,"outputs":[{"name":"output-0","shape":[2],"datatype":"FP32","parameters":null,"data":[6.800000190734863,1.0]}]})");
}

TEST_CASE("V2AnswersMlserverModelsInItsShapeWithItsHeaders") {
  World world;
  world.serve("iris", Dialect::mlserver);
  const auto answer = world.post(
      "/v2/models/iris/infer",
      R"({"id":"42","inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[7]}],"outputs":[{"name":"predict"}]})");
  CHECK(
      answer->answer->body ==
      R"({"model_name":"iris","id":"42","parameters":{},"outputs":[{"name":"predict","shape":[1],"datatype":"INT64","parameters":{"content_type":"np"},"data":[7]}]})");
  CHECK(answer->header("ce-id") == "42");
  const auto injected =
      world.post("/v2/models/iris/infer",
                 R"({"id":"a\r\nx: y","inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[7]}]})");
  CHECK(injected->answer->status == 200);
  CHECK(injected->header("ce-id").empty());
  CHECK(world.get("/v2/health/live")->answer->body.empty());
}

TEST_CASE("BinaryAnswersSayTheLengthOfTheirJson") {
  World world;
  world.serve("iris");
  const auto answer = world.post(
      "/v2/models/iris/infer",
      R"({"id":"1","parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[258]}]})");
  const std::string head =
      R"({"id":"1","model_name":"iris","model_version":null,"outputs":[{"name":"output-0","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}}]})";
  CHECK(answer->header("inference-header-content-length") == std::to_string(head.size()));
  CHECK(answer->answer->body == head + std::string("\x02\x01\0\0\0\0\0\0", 8));
}

TEST_CASE("V1AnswersNestByShapeAndPrintNanAsNull") {
  engine::Tensor matrix;
  matrix.dtype = DType::fp64;
  matrix.shape = {2, 1};
  const double values[2] = {0.1, std::nan("")};
  matrix.data.resize(16);
  std::memcpy(matrix.data.data(), values, 16);
  CHECK(render_v1({matrix}) == R"({"predictions":[[0.1],[null]]})");
  CHECK(render_v1({matrix, matrix}) == R"({"predictions":[[[0.1],[null]],[[0.1],[null]]]})");
  engine::Tensor words;
  words.dtype = DType::bytes;
  words.shape = {1};
  words.strings = {"\xc3\xa9\xf0\x9f\xa6\x9c"};
  CHECK(render_v1({words}, JsonStyle::python) == R"({"predictions": ["\u00e9\ud83e\udd9c"]})");
}
