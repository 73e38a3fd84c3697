#include "jackdaw/serving/warm_up.h"

#include <catch2/catch.hpp>

#include "tests/unit/serving/simulation.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace jackdaw::serving::testing;

TEST_CASE("AMadeUpRequestHasTheModelsShape") {
  SeededRandom random(1);
  RowEngine engine;
  const auto zeros = made_up_request(engine.metadata(), {4, WarmUpFill::zeros}, random);
  REQUIRE(zeros.inputs.size() == 1);
  CHECK(zeros.inputs[0].shape == std::vector<std::int64_t>{4, 3});
  CHECK(numbers(zeros.inputs[0]) == std::vector<double>(12, 0.0));
  const auto filled = made_up_request(engine.metadata(), {4, WarmUpFill::random}, random);
  for (const double value : numbers(filled.inputs[0])) CHECK((value >= 0.0 && value < 1.0));
}

TEST_CASE("ColumnsAndTextsAreMadeUpToo") {
  SeededRandom random(1);
  engine::ModelMetadata metadata{"x", {{"age", DType::int64, {-1}}, {"city", DType::bytes, {-1}}}, {}, {}};
  const auto request = made_up_request(metadata, {2, WarmUpFill::random}, random);
  CHECK(request.form == engine::InputForm::columns);
  CHECK(request.inputs[0].element_count() == 2);
  CHECK(request.inputs[1].strings == std::vector<std::string>{"0", "0"});
}

TEST_CASE("WarmingUpPredictsTheRowsTogetherAndOneByOne") {
  SeededRandom random(1);
  RowEngine engine;
  CHECK(warm_up(engine, {3, WarmUpFill::zeros}, random).has_value());
  CHECK(engine.calls == std::vector<std::size_t>{3, 1, 1});
}
