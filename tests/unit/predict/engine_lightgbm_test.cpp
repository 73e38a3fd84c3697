#include "tests/unit/predict/engine_requests.h"

namespace jackdaw::predict {
namespace {

using namespace oracle;
using engine::Tensor;

std::shared_ptr<engine::Engine> lightgbm(const std::string& file, bool mlserver = false) {
  return load(spec_of("lightgbm", data_path("lightgbm/" + file), mlserver));
}

}  // namespace

TEST_CASE("LightgbmEngineAnswersBoosterPredict", "[engine]") {
  std::size_t cases = 0;
  for_each_case("lightgbm/4.6/cases.json", [&](simdjson::dom::element one) {
    INFO(text(one["name"]));
    auto engine = lightgbm("4.6/" + text(one["file"]));
    const auto outputs = answer(*engine, matrix_request(case_matrix(one, DType::fp64)));
    REQUIRE(outputs.size() == 1);
    CHECK(outputs[0].name == "output-0");
    CHECK(outputs[0].dtype == DType::fp64);
    CHECK(outputs[0].shape == numbers<std::int64_t>(one["predict"]["shape"]));
    CHECK(values_of<double>(outputs[0]) == numbers<double>(one["predict"]["data"]));
    ++cases;
  });
  CHECK(cases >= 40);
}

TEST_CASE("MlserverLightgbmAlwaysAnswersPredict", "[engine]") {
  auto engine = lightgbm("4.6/binary.txt", true);
  const auto width = engine->metadata().inputs[0].shape[1];
  const Tensor rows =
      tensor_of<double>(DType::fp64, {2, width}, std::vector<double>(static_cast<std::size_t>(2 * width)));
  const auto outputs = answer(*engine, matrix_request(rows, {"nothing"}));
  REQUIRE(outputs.size() == 1);
  CHECK(outputs[0].name == "predict");
  CHECK(outputs[0].content_type == "np");
  CHECK(outputs[0].shape == std::vector<std::int64_t>{2, 1});
  engine::InferenceRequest two = matrix_request(rows);
  two.inputs.push_back(rows);
  CHECK(refusal(*engine, two).message.find("The 'np' codec only supports a single input tensor (2 were received)") !=
        std::string::npos);
}

TEST_CASE("LightgbmRefusesWrongShapesInItsWords", "[engine]") {
  auto engine = lightgbm("4.6/binary.txt");
  const auto width = engine->metadata().inputs[0].shape[1];
  const Error narrow = refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {1, 3}, {1, 2, 3})));
  CHECK(narrow.message.starts_with(
      fmt::format("The number of features in data (3) is not the same as it was in training data ({}).", width)));
  CHECK(narrow.code == Code::invalid_argument);
  CHECK(refusal(*engine, matrix_request(tensor_of<double>(DType::fp64, {3}, {1, 2, 3}))).message ==
        "Input numpy.ndarray must be 2 dimensional, got (3,)");
}

// LightGBM's Python package takes float64 as it is and everything else through float32.
TEST_CASE("IntegersReachLightgbmThroughFloat32", "[engine]") {
  const std::string model =
      "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\nobjective="
      "regression\n"
      "feature_names=Column_0\nfeature_infos=[0:1]\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold="
      "16777216.5\n"
      "decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\nend of trees\n";
  const testing::TemporaryFolder folder;
  folder.write("m.bst", model);
  auto engine = load(spec_of("lightgbm", folder.path()));
  const auto value = [&](Tensor tensor) {
    return values_of<double>(answer(*engine, matrix_request(std::move(tensor)))[0])[0];
  };
  CHECK(value(tensor_of<std::int64_t>(DType::int64, {1, 1}, {16777217})) == 1.0);
  CHECK(value(tensor_of<double>(DType::fp64, {1, 1}, {16777217.0})) == 2.0);
}

TEST_CASE("LightgbmTakesFramesByNameAndMissesAbsentColumns", "[engine]") {
  auto engine = lightgbm("4.6/named.txt");
  const auto specs = engine->metadata().inputs;
  const std::size_t width = specs.size();
  REQUIRE(width > 1);
  std::vector<double> row;
  for (std::size_t i = 0; i < width; ++i) row.push_back(0.5 + static_cast<double>(i));
  std::vector<Tensor> columns;
  for (std::size_t i = width; i-- > 0;)
    columns.push_back(column(specs[i].name, tensor_of<double>(DType::fp64, {1}, {row[i]})));
  const auto matrix = [&] {
    return matrix_request(tensor_of<double>(DType::fp64, {1, static_cast<std::int64_t>(width)}, row));
  };
  CHECK(values_of<double>(answer(*engine, frame_request(columns))[0]) ==
        values_of<double>(answer(*engine, matrix())[0]));
  columns.pop_back();
  row[0] = std::numeric_limits<double>::quiet_NaN();
  CHECK(values_of<double>(answer(*engine, frame_request(columns))[0]) ==
        values_of<double>(answer(*engine, matrix())[0]));
  columns[0] = column(columns[0].name, text_tensor({1}, {"text"}));
  CHECK(refusal(*engine, frame_request(columns)).message.starts_with("pandas dtypes must be int, float or bool."));
}

TEST_CASE("ShorterColumnsAreFilledWithMissingValues", "[engine]") {
  auto engine = lightgbm("4.6/named.txt");
  const auto specs = engine->metadata().inputs;
  std::vector<Tensor> columns;
  for (const auto& spec : specs) columns.push_back(column(spec.name, tensor_of<double>(DType::fp64, {2}, {1.0, 1.0})));
  columns[0] = column(specs[0].name, tensor_of<double>(DType::fp64, {1}, {1.0}));
  const auto got = values_of<double>(answer(*engine, frame_request(columns))[0]);
  REQUIRE(got.size() == 2);
  std::vector<double> row(specs.size(), 1.0);
  row[0] = std::numeric_limits<double>::quiet_NaN();
  const auto want =
      answer(*engine, matrix_request(tensor_of<double>(DType::fp64, {1, static_cast<std::int64_t>(row.size())}, row)));
  CHECK(got[1] == values_of<double>(want[0])[0]);
}

TEST_CASE("LightgbmFindsPandasCategoriesByName", "[engine]") {
  for (const std::string version : {"2.2", "3.3", "4.6"}) {
    auto engine = lightgbm(version + "/categories_frame.txt");
    for_each_case("lightgbm/" + version + "/cases.json", [&](simdjson::dom::element one) {
      if (text(one["name"]) != "categories_frame") return;
      std::vector<Tensor> columns;
      const simdjson::dom::array sent = one["columns"].get_array().value();
      for (simdjson::dom::element each : sent) {
        const simdjson::dom::array cells = each["data"].get_array().value();
        std::vector<std::string> texts;
        std::vector<std::uint8_t> missing;
        const bool is_text = cells.at(0).is_string();
        for (simdjson::dom::element cell : cells) {
          missing.push_back(cell.is_null());
          if (is_text) texts.push_back(cell.is_null() ? "" : text(cell));
        }
        const auto rows = static_cast<std::int64_t>(missing.size());
        Tensor tensor =
            is_text ? text_tensor({rows}, texts) : tensor_of(DType::fp64, {rows}, numbers<double>(each["data"]));
        tensor.missing = missing;
        columns.push_back(column(text(each["name"]), tensor));
      }
      CHECK(values_of<double>(answer(*engine, frame_request(columns))[0]) == numbers<double>(one["predict"]["data"]));
    });
  }
}

}  // namespace jackdaw::predict
