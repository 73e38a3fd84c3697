// Models whose attributes contradict each other are refused with the place and the attribute, never run.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <sstream>

#include "sklearn_harness.h"

using namespace jackdaw;
using namespace jackdaw::predict;
using namespace jackdaw::predict::testing;

namespace {

const std::filesystem::path folder = std::filesystem::path(JACKDAW_SOURCE_DIR) / "tests/data/broken_models";

std::vector<std::vector<std::string>> read_expected() {
  std::ifstream in(folder / "expected.txt");
  std::vector<std::vector<std::string>> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream cells(line);
    for (auto& row = out.emplace_back(); cells.good();) std::getline(cells, row.emplace_back(), '\t');
  }
  return out;
}

}  // namespace

TEST_CASE("RefusesModelsThatContradictThemselves", "[sklearn]") {
  const auto cases = read_expected();
  REQUIRE(cases.size() > 40);
  for (const auto& row : cases) {
    INFO(row[0]);
    const auto model = load_model(folder / (row[0] + ".pkl"));
    if (row.size() == 1) {
      if (!model) FAIL_CHECK(model.error().text());
      continue;
    }
    CHECK_FALSE(model.has_value());
    for (std::size_t i = 1; !model && i < row.size(); ++i) {
      INFO(model.error().text());
      CHECK(model.error().text().find(row[i]) != std::string::npos);
    }
  }
}

TEST_CASE("RefusesRowsATreeCannotTake", "[sklearn]") {
  const auto model = load_model(folder / "forest_ok.pkl");
  REQUIRE(model.has_value());
  const auto run = [&](std::vector<double> row) {
    Matrix m = Matrix::dense(1, row.size(), DType::fp64);
    m.values = std::move(row);
    return model->estimator->run(Method::predict, Frame(std::move(m)));
  };
  CHECK(run({0.5, 1.0}).has_value());
  CHECK(run({1.0}).error().message.find("X has 1 features") != std::string::npos);
  CHECK(run({std::nan(""), 1.0}).error().message.find("Input X contains NaN") != std::string::npos);
  CHECK(run({1e300, 1.0}).error().message.find("too large for dtype('float32')") != std::string::npos);
}

// A small file may name one array thousands of times; what it unfolds to is counted.
TEST_CASE("CountsArraysThatAreSharedManyTimes", "[sklearn]") {
  const auto model = load_model(folder / "mlp_shared.pkl");
  REQUIRE(model.has_value());
  BuildContext context{*model->graph, model->graph->root(), ""};
  context.state = std::make_shared<BuildState>();
  context.state->bytes_max = 16 << 20;
  const auto refused = build_estimator(context);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::too_large);
}
