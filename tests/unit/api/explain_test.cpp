#include <catch2/catch.hpp>

#include "src/api/oip/response.h"
#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;
using namespace jackdaw::api::oip;

namespace {

template <typename T>
engine::Tensor tensor(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  engine::Tensor out;
  out.dtype = dtype;
  out.shape = std::move(shape);
  out.data.resize(values.size() * sizeof(T));
  std::copy(values.begin(), values.end(), out.as<T>());
  return out;
}

}  // namespace

TEST_CASE("ExplanationsOfOneOutputAreFlat") {
  engine::Tensor names;
  names.name = "feature_names";
  names.dtype = DType::bytes;
  names.strings = {"age", "size"};
  const std::vector<engine::Tensor> outputs = {tensor<double>(DType::fp64, {2, 3}, {0.5, -1, 2, 0.25, 0, 2}), names,
                                               tensor<std::int64_t>(DType::int64, {2}, {1, 0})};
  CHECK(render_explanations(outputs, {"no", "yes"}) ==
        R"({"explanations":[{"values":[0.5,-1.0],"base_value":2.0,"prediction":1},)"
        R"({"values":[0.25,0.0],"base_value":2.0,"prediction":0}],"feature_names":["age","size"]})");
  CHECK(
      render_explanations({outputs[0]}, {}, JsonStyle::python) ==
      R"({"explanations": [{"values": [0.5, -1.0], "base_value": 2.0}, {"values": [0.25, 0.0], "base_value": 2.0}]})");
}

TEST_CASE("ExplanationsOfSeveralOutputsHaveAListEach") {
  const std::vector<engine::Tensor> outputs = {tensor<float>(DType::fp32, {1, 2, 3}, {1, 2, 3, -1, -2, 4}),
                                               tensor<float>(DType::fp32, {1, 2}, {0.25f, 0.75f})};
  CHECK(render_explanations(outputs, {"no", "yes"}) ==
        R"({"explanations":[{"values":[[1.0,2.0],[-1.0,-2.0]],"base_value":[3.0,4.0],"prediction":[0.25,0.75]}],)"
        R"("classes":["no","yes"]})");
}

TEST_CASE("ExplainAsksTheEngineAndIsCountedAsExplained") {
  World world;
  const auto echo = world.serve("iris");
  CHECK(world.post("/v1/models/iris:explain", R"({"instances":[[1.5,2,3]]})")->answer->body ==
        R"({"explanations":[{"values":[1.5,2.0],"base_value":3.0}]})");
  CHECK(echo->last.verb == engine::Verb::explain);
  echo->failure = make_error(Code::unsupported, "'SVC' cannot be explained here.");
  const auto refused = world.post("/v1/models/iris:explain", R"({"instances":[[1.5,2,3]]})");
  CHECK(refused->answer->status == 501);
  CHECK(refused->answer->body == R"({"error":"'SVC' cannot be explained here."})");
  CHECK(world.post("/v1/models/iris:explain", "{")->answer->status == 400);
  CHECK(world.post("/v1/models/nothing:explain", R"({"instances":[[1]]})")->answer->status == 404);
  const std::string text = world.get("/metrics")->answer->body;
  CHECK(text.find(R"(request_explain_seconds_count{model_name="iris"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(request_predict_seconds_count{model_name="iris"} 0.0)") != std::string::npos);
}
