// The scikit-learn engine over the models of tests/data/oip, against the answers recorded from both peers.
#include "tests/unit/predict/engine_requests.h"

namespace jackdaw::predict {
namespace {

using namespace oracle;
using engine::Tensor;

std::shared_ptr<engine::Engine> sklearn(const std::string& model, bool mlserver = false) {
  return load(spec_of("sklearn", data_path("oip/models/" + model), mlserver));
}

Tensor iris() {
  return tensor_of<double>(DType::fp64, {2, 4}, {6.8, 2.8, 4.8, 1.4, 6.0, 3.4, 4.5, 1.6});
}

std::vector<Tensor> passengers() {
  return {column("port", text_tensor({2}, {"C", "S"})), column("sex", text_tensor({2}, {"female", "male"})),
          column("fare", tensor_of<double>(DType::fp64, {2}, {71.3, 8.05})),
          column("age", tensor_of<double>(DType::fp64, {2, 1}, {29.5, 4.0}))};
}

}  // namespace

TEST_CASE("KserveSklearnAnswersLabelsAsOutput0", "[engine]") {
  auto engine = sklearn("iris-svc");
  const auto outputs = answer(*engine, matrix_request(iris()));
  REQUIRE(outputs.size() == 1);
  CHECK(outputs[0].name == "output-0");
  CHECK(outputs[0].dtype == DType::int64);
  CHECK(outputs[0].shape == std::vector<std::int64_t>{2});
  CHECK(values_of<std::int64_t>(outputs[0]) == std::vector<std::int64_t>{1, 1});
  CHECK(refusal(*engine, matrix_request(iris(), {"decision_function"})).message ==
        "Unexpected inference output 'decision_function' for model 'm'");
  CHECK(answer(*engine, matrix_request(iris(), {"output-0", "output-0"})).size() == 2);
}

TEST_CASE("PredictProbaSwitchesTheWholeKserveModelWhereItCan", "[engine]") {
  engine::EngineSpec spec = spec_of("sklearn", data_path("oip/models/iris-logreg"));
  spec.predict_proba = true;
  const auto outputs = answer(*load(spec), matrix_request(iris()));
  CHECK(outputs[0].name == "output-0");
  CHECK(outputs[0].dtype == DType::fp64);
  CHECK(outputs[0].shape == std::vector<std::int64_t>{2, 3});
  spec.path =
      data_path("oip/models/iris-svc");  // SVC(probability=False) has no predict_proba: predict, as KServe does.
  CHECK(answer(*load(spec), matrix_request(iris()))[0].dtype == DType::int64);
}

TEST_CASE("PredictFnChoosesAnyMethodInBothDialects", "[engine]") {
  engine::EngineSpec spec = spec_of("sklearn", data_path("oip/models/iris-svc"));
  spec.predict_fn = "decision_function";
  CHECK(answer(*load(spec), matrix_request(iris()))[0].dtype == DType::fp64);
  spec.predict_fn = "explode";
  auto engine = make_engine_factory()->load(spec);
  REQUIRE(!engine.has_value());
  CHECK(engine.error().message.find("predict_fn 'explode' is not one of") != std::string::npos);
}

TEST_CASE("MlserverSklearnAnswersEveryOutputAskedFor", "[engine]") {
  auto engine = sklearn("iris-logreg", true);
  const auto outputs = answer(*engine, matrix_request(iris(), {"predict_proba", "predict", "predict"}));
  REQUIRE(outputs.size() == 3);
  CHECK(outputs[0].name == "predict_proba");
  CHECK(outputs[0].shape == std::vector<std::int64_t>{2, 3});
  CHECK(outputs[1].name == "predict");
  CHECK(outputs[1].shape == std::vector<std::int64_t>{2, 1});
  CHECK(outputs[1].content_type == "np");
  CHECK(answer(*engine, matrix_request(iris()))[0].name == "predict");
}

TEST_CASE("MlserverSklearnRefusesInItsWords", "[engine]") {
  auto svc = sklearn("iris-svc", true);
  CHECK(refusal(*svc, matrix_request(iris(), {"nothing"})).message ==
        "SKLearnModel only supports 'predict', 'predict_proba' and 'transform' as outputs (nothing was received)");
  CHECK(refusal(*svc, matrix_request(iris(), {"predict_proba"})).message ==
        "<class 'sklearn.svm._classes.SVC'> models do not support 'predict_proba");
  CHECK(refusal(*svc, matrix_request(iris(), {"transform"})).code == Code::invalid_argument);
}

TEST_CASE("TransformersTransformUnderMlserver", "[engine]") {
  auto engine = sklearn("iris-pca", true);
  const auto outputs = answer(*engine, matrix_request(iris(), {"transform"}));
  REQUIRE(outputs.size() == 1);
  CHECK(outputs[0].name == "transform");
  CHECK(outputs[0].dtype == DType::fp64);
  CHECK(outputs[0].shape.size() == 2);
  CHECK(refusal(*sklearn("iris-pca"), matrix_request(iris())).message == "This 'Pipeline' has no attribute 'predict'");
}

TEST_CASE("TextPipelinesTakeAFlatListOfTexts", "[engine]") {
  auto engine = sklearn("spam");
  const auto outputs = answer(*engine, matrix_request(text_tensor({2}, {"free prize now", "meeting at noon"})));
  CHECK(outputs[0].dtype == DType::bytes);
  CHECK(outputs[0].strings == std::vector<std::string>{"spam", "ham"});
  CHECK(refusal(*engine, matrix_request(text_tensor({2, 1}, {"free prize now", "meeting at noon"})))
            .message.starts_with("'numpy.ndarray' object has no attribute 'lower'"));
  CHECK(answer(*sklearn("spam", true), matrix_request(text_tensor({1}, {"free prize now"})))[0].shape ==
        std::vector<std::int64_t>{1, 1});
}

TEST_CASE("FramesReachPipelinesByColumnName", "[engine]") {
  auto engine = sklearn("passengers");
  CHECK(values_of<std::int64_t>(answer(*engine, frame_request(passengers()))[0]) == std::vector<std::int64_t>{1, 0});
  std::vector<Tensor> without = passengers();
  without.erase(without.begin());
  CHECK(refusal(*engine, frame_request(without)).message.find("port") != std::string::npos);
}

TEST_CASE("SklearnRefusesWrongDimensionsInItsWords", "[engine]") {
  auto engine = sklearn("iris-svc");
  const Error flat = refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {4}, {6.8, 2.8, 4.8, 1.4})));
  CHECK(flat.code == Code::invalid_argument);
  CHECK(flat.message.starts_with(
      "Expected 2D array, got 1D array instead:\narray=[6.8 2.8 4.8 1.4].\nReshape your data"));
  CHECK(refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {1, 1, 4}, {6.8, 2.8, 4.8, 1.4}))).message ==
        "Found array with dim 3. SVC expected <= 2.");
  CHECK(refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {1, 3}, {6.8, 2.8, 4.8})))
            .message.find("X has 3 features, but SVC is expecting 4 features as input") != std::string::npos);
}

TEST_CASE("SklearnDescribesItself", "[engine]") {
  auto engine = sklearn("iris-svc", true);
  CHECK(engine->metadata().platform == "sklearn");
  CHECK(engine->metadata().inputs[0].shape == std::vector<std::int64_t>{-1, 4});
  REQUIRE(engine->metadata().outputs.size() == 1);
  CHECK(engine->metadata().outputs[0].name == "predict");
  CHECK(engine->metadata().outputs[0].dtype == DType::int64);
  CHECK(engine->metadata().classes == std::vector<std::string>{"0", "1", "2"});
}

}  // namespace jackdaw::predict
