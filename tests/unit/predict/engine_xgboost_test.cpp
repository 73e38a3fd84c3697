#include "tests/unit/predict/engine_requests.h"

namespace jackdaw::predict {
namespace {

using namespace oracle;
using engine::Tensor;

std::shared_ptr<engine::Engine> xgboost(const std::string& file, bool mlserver = false) {
  return load(spec_of("xgboost", data_path("xgboost/" + file), mlserver));
}

// The same model as XGBClassifier.save_model would have left it.
std::string as_classifier(const std::string& json) {
  const std::string key = "\"attributes\":{";
  const std::size_t at = json.find(key);
  REQUIRE(at != std::string::npos);
  const bool more = json[at + key.size()] != '}';
  std::string out = json;
  return out.insert(at + key.size(),
                    std::string(R"("scikit_learn":"{\"_estimator_type\": \"classifier\"}")") + (more ? "," : ""));
}

void check_values(const Tensor& got, simdjson::dom::element want) {
  const std::string dtype = text(want["dtype"]);
  CHECK(numbers<std::int64_t>(want["shape"])[0] == got.shape[0]);
  if (dtype == "float32") {
    REQUIRE(got.dtype == DType::fp32);
    const auto expected = numbers<float>(want["data"]);
    const auto values = values_of<float>(got);
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(expected[i]).epsilon(3e-7).margin(0.0));
  } else if (dtype == "int64") {
    REQUIRE(got.dtype == DType::int64);
    CHECK(values_of<std::int64_t>(got) == numbers<std::int64_t>(want["data"]));
  } else if (dtype == "int32") {
    REQUIRE(got.dtype == DType::int32);
    CHECK(values_of<std::int32_t>(got) == numbers<std::int32_t>(want["data"]));
  } else {
    REQUIRE(dtype == "float64");
    REQUIRE(got.dtype == DType::fp64);
    CHECK(values_of<double>(got) == numbers<double>(want["data"]));
  }
}

void check_wrappers(simdjson::dom::element one, const std::string& folder) {
  simdjson::dom::array wrappers;
  if (one["wrapper"].get(wrappers) != simdjson::SUCCESS) return;
  const simdjson::dom::array files = one["files"].get_array().value();
  const std::string json = read_file(data_path(folder + text(files.at(0).value())));
  const Tensor matrix = case_matrix(one, DType::fp32);
  for (simdjson::dom::element wrapper : wrappers) {
    const testing::TemporaryFolder models;
    const bool classifier = text(wrapper["kind"]) == "classifier";
    const bool marked = json.find("scikit_learn") != std::string::npos;
    models.write("model.json", classifier && !marked ? as_classifier(json) : json);
    auto engine = load(spec_of("xgboost", models.path(), true));
    for (const std::string method : {"predict", "predict_proba"}) {
      simdjson::dom::element want;
      if (wrapper[method].get(want) != simdjson::SUCCESS || want["error"].error() == simdjson::SUCCESS) continue;
      INFO(text(one["name"]) << " " << text(wrapper["kind"]) << "." << method);
      const auto outputs = answer(*engine, matrix_request(matrix, {method}));
      REQUIRE(outputs.size() == 1);
      CHECK(outputs[0].name == method);
      CHECK(outputs[0].content_type == "np");
      CHECK(outputs[0].shape.size() == 2);
      check_values(outputs[0], want);
    }
  }
}

}  // namespace

TEST_CASE("KserveXgboostAnswersBoosterPredictAsOutput0", "[engine]") {
  std::size_t cases = 0;
  for_each_case("xgboost/2.1/cases.json", [&](simdjson::dom::element one) {
    INFO(text(one["name"]));
    const simdjson::dom::array files = one["files"].get_array().value();
    auto engine = xgboost("2.1/" + text(files.at(0).value()));
    const auto outputs = answer(*engine, matrix_request(case_matrix(one, DType::fp32)));
    REQUIRE(outputs.size() == 1);
    CHECK(outputs[0].name == "output-0");
    CHECK(outputs[0].content_type.empty());
    CHECK(outputs[0].shape == numbers<std::int64_t>(one["predict"]["shape"]));
    const auto want = numbers<float>(one["predict"]["data"]);
    const auto got = values_of<float>(outputs[0]);
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], want[i]));
    ++cases;
  });
  CHECK(cases >= 50);
}

// Of 2.1, the line that MLServer 1.7 pins; 1.7's classifier has a bug with multi:softmax that later ones do not.
TEST_CASE("MlserverXgboostAnswersWhatTheScikitLearnWrappersDo", "[engine]") {
  std::size_t cases = 0;
  for_each_case("xgboost/2.1/cases.json", [&](simdjson::dom::element one) {
    check_wrappers(one, "xgboost/2.1/");
    ++cases;
  });
  CHECK(cases >= 50);
}

TEST_CASE("MlserverXgboostRefusesOtherOutputsInItsWords", "[engine]") {
  auto engine = xgboost("2.1/logistic.json", true);
  const Tensor rows = tensor_of<float>(DType::fp32, {1, 6}, {0, 0, 0, 0, 0, 0});
  CHECK(refusal(*engine, matrix_request(rows, {"transform"})).message ==
        "XGBoostModel only supports 'predict' and 'predict_proba' as outputs (transform was received)");
  CHECK(refusal(*engine, matrix_request(rows, {"predict_proba"})).message ==
        "XGBRegressor models do not support 'predict_proba");
  const auto twice = answer(*engine, matrix_request(rows, {"predict", "predict"}));
  CHECK(twice.size() == 2);
  CHECK(twice[0].shape == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("KserveXgboostKnowsOutput0Only", "[engine]") {
  auto engine = xgboost("2.1/logistic.json");
  const Tensor rows = tensor_of<float>(DType::fp32, {1, 6}, {0, 0, 0, 0, 0, 0});
  CHECK(refusal(*engine, matrix_request(rows, {"predict_proba"})).message ==
        "Unexpected inference output 'predict_proba' for model 'm'");
  CHECK(answer(*engine, matrix_request(rows, {"output-0", "output-0"})).size() == 2);
}

TEST_CASE("XgboostTakesEveryNumericDatatype", "[engine]") {
  auto engine = xgboost("2.1/squared.json");
  const auto want =
      values_of<float>(answer(*engine, matrix_request(tensor_of<float>(DType::fp32, {1, 6}, {1, 0, 1, 1, 0, 1})))[0]);
  const auto same = [&](Tensor tensor) {
    return values_of<float>(answer(*engine, matrix_request(std::move(tensor)))[0]) == want;
  };
  CHECK(same(tensor_of<double>(DType::fp64, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::int64_t>(DType::int64, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::int32_t>(DType::int32, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::int16_t>(DType::int16, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::int8_t>(DType::int8, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint64_t>(DType::uint64, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint32_t>(DType::uint32, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint16_t>(DType::uint16, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint8_t>(DType::uint8, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint8_t>(DType::boolean, {1, 6}, {1, 0, 1, 1, 0, 1})));
  CHECK(same(tensor_of<std::uint16_t>(DType::fp16, {1, 6}, {0x3c00, 0, 0x3c00, 0x3c00, 0, 0x3c00})));
  CHECK(same(tensor_of<std::uint16_t>(DType::bf16, {1, 6}, {0x3f80, 0, 0x3f80, 0x3f80, 0, 0x3f80})));
  CHECK(same(text_tensor({1, 6}, {"1", "0", "1.0", " 1", "0", "1e0"})));
  CHECK(refusal(*engine, matrix_request(text_tensor({1, 6}, {"1", "0", "wide", "1", "0", "1"}))).message ==
        "could not convert string to float: 'wide'");
}

TEST_CASE("NullsAreMissingValuesToXgboost", "[engine]") {
  auto engine = xgboost("2.1/squared.json");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto want = values_of<float>(
      answer(*engine, matrix_request(tensor_of<float>(DType::fp32, {1, 6}, {nan, 1, nan, 1, 1, 1})))[0]);
  Tensor with_nulls = tensor_of<double>(DType::fp64, {1, 6}, {0, 1, 0, 1, 1, 1});
  with_nulls.missing = {1, 0, 1, 0, 0, 0};
  CHECK(values_of<float>(answer(*engine, matrix_request(with_nulls))[0]) == want);
}

TEST_CASE("KserveXgboostFillsShortRowsAndMlserverRefusesThem", "[engine]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor two_columns = tensor_of<float>(DType::fp32, {2, 2}, {1, 2, 3, 4});
  auto kserve = xgboost("2.1/squared.json");
  const auto want = answer(*kserve, matrix_request(tensor_of<float>(
                                        DType::fp32, {2, 6}, {1, 2, nan, nan, nan, nan, 3, 4, nan, nan, nan, nan})));
  CHECK(values_of<float>(answer(*kserve, matrix_request(two_columns))[0]) == values_of<float>(want[0]));
  auto mlserver = xgboost("2.1/squared.json", true);
  CHECK(refusal(*mlserver, matrix_request(two_columns)).message == "Feature shape mismatch, expected: 6, got 2");
  const Tensor wide = tensor_of<float>(DType::fp32, {1, 7}, std::vector<float>(7));
  CHECK(refusal(*kserve, matrix_request(wide)).code == Code::invalid_argument);
}

TEST_CASE("XgboostRefusesWrongShapesAndInfinities", "[engine]") {
  auto engine = xgboost("2.1/squared.json");
  CHECK(refusal(*engine, matrix_request(tensor_of<float>(DType::fp32, {6}, std::vector<float>(6)))).message ==
        "Expecting 2 dimensional numpy.ndarray, got:  (6,)");
  CHECK(refusal(*engine, matrix_request(tensor_of<float>(DType::fp32, {1, 1, 6}, std::vector<float>(6)))).code ==
        Code::invalid_argument);
  CHECK(refusal(*engine, matrix_request(tensor_of<float>(DType::fp32, {3, 6}, std::vector<float>(6)))).message ==
        "cannot reshape array of size 6 into shape (3,6)");
  CHECK(refusal(*engine, matrix_request(tensor_of<float>(DType::fp32, {-1, 6}, std::vector<float>(6)))).code ==
        Code::invalid_argument);
  CHECK(refusal(*engine, engine::InferenceRequest{}).code == Code::invalid_argument);
  CHECK(refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {1, 6}, {1e39, 0, 0, 0, 0, 0})))
            .message.find("contains `inf`") != std::string::npos);
  CHECK(answer(*engine, matrix_request(tensor_of<float>(DType::fp32, {0, 6}, {})))[0].shape ==
        std::vector<std::int64_t>{0});
}

TEST_CASE("XgboostTakesFramesByNameAndByOrder", "[engine]") {
  auto engine = xgboost("2.1/named.json");
  const auto names = engine->metadata().inputs;
  REQUIRE(names.size() == 6);
  const auto want = values_of<float>(
      answer(*engine, matrix_request(tensor_of<float>(DType::fp32, {1, 6}, {1, -1, 2, -2, 0.5f, 3})))[0]);
  const std::vector<double> values{1, -1, 2, -2, 0.5, 3};
  std::vector<Tensor> columns;
  for (std::size_t i = 6; i-- > 0;)
    columns.push_back(column(names[i].name, tensor_of<double>(DType::fp64, {1}, {values[i]})));
  columns.push_back(column("not of the model", text_tensor({1}, {"ignored"})));
  CHECK(values_of<float>(answer(*engine, frame_request(columns))[0]) == want);
  std::vector<Tensor> ordered;
  for (std::size_t i = 0; i < 6; ++i)
    ordered.push_back(column(std::to_string(i), tensor_of<double>(DType::fp64, {1, 1}, {values[i]})));
  CHECK(values_of<float>(answer(*engine, frame_request(ordered))[0]) == want);
  ordered.pop_back();
  CHECK(refusal(*engine, frame_request(ordered)).message == "Feature shape mismatch, expected: 6, got 5");
  columns.erase(columns.begin());
  CHECK(refusal(*engine, frame_request(columns)).message.find("expected " + names[5].name + " in input data") !=
        std::string::npos);
  columns[0].name = columns[1].name;
  CHECK(refusal(*engine, frame_request(columns)).message.find("Two columns are called") != std::string::npos);
}

TEST_CASE("XgboostFindsCategoriesByName", "[engine]") {
  auto engine = xgboost("3.2/categories_frame.json");
  for_each_case("xgboost/3.2/cases.json", [&](simdjson::dom::element one) {
    if (text(one["name"]) != "categories_frame") return;
    // Rows 0 to 2 of the case: codes 0, 1, 2 are bath, ely, york and 3, 5, 9.
    const auto want = numbers<float>(one["predict"]["data"]);
    std::vector<Tensor> columns{column("town", text_tensor({3}, {"bath", "ely", "york"})),
                                column("level", tensor_of<std::int64_t>(DType::int64, {3}, {3, 5, 9})),
                                column("size", tensor_of<double>(DType::fp64, {3}, {0.5, -0.25, 0.0}))};
    const auto got = values_of<float>(answer(*engine, frame_request(columns))[0]);
    CHECK(got == std::vector<float>{want[0], want[1], want[2]});
    columns[0].strings[1] = "rome";
    CHECK(refusal(*engine, frame_request(columns)).message ==
          "Found a category not in the training set for the `0`th (0-based) column: `rome`");
    columns[2] = column("size", text_tensor({3}, {"a", "b", "c"}));
    columns[0].strings[1] = "ely";
    CHECK(refusal(*engine, frame_request(columns)).message.find("size: object") != std::string::npos);
  });
}

TEST_CASE("XgboostDescribesItself", "[engine]") {
  auto engine = xgboost("2.1/softprob.ubj");
  const auto& plain = engine->metadata();
  CHECK(plain.platform == "xgboost");
  REQUIRE(plain.inputs.size() == 1);
  CHECK(plain.inputs[0].shape == std::vector<std::int64_t>{-1, 6});
  CHECK(plain.outputs[0].name == "output-0");
  CHECK(plain.outputs[0].shape == std::vector<std::int64_t>{-1, 3});
  auto classifier = xgboost("2.1/sklearn_classifier.json", true);
  REQUIRE(classifier->metadata().outputs.size() == 2);
  CHECK(classifier->metadata().outputs[0].dtype == DType::int64);
  CHECK(classifier->metadata().outputs[1].name == "predict_proba");
  CHECK(classifier->metadata().classes == std::vector<std::string>{"0", "1", "2"});
}

TEST_CASE("LoadErrorsNameTheFileAndTheReason", "[engine]") {
  const testing::TemporaryFolder folder;
  folder.write("model.json", "{\"learner\":{}}");
  auto engine = make_engine_factory()->load(spec_of("xgboost", folder.path()));
  REQUIRE(!engine.has_value());
  CHECK(engine.error().where.find("model.json") != std::string::npos);
  CHECK(engine.error().message.find("Unknown XGBoost objective") != std::string::npos);
}

}  // namespace jackdaw::predict
