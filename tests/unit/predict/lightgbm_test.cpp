#include "src/predict/lightgbm.h"

#include <catch2/catch.hpp>

#include "tests/unit/predict/engine_oracle.h"

namespace jackdaw::predict {
namespace {

std::size_t differing(const std::vector<double>& got, const std::vector<double>& want) {
  REQUIRE(got.size() == want.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (oracle::same_bits(got[i], want[i])) continue;
    if (count++ < 5) UNSCOPED_INFO("value " << i << ": " << got[i] << ", LightGBM says " << want[i]);
  }
  return count;
}

void check_case(const std::string& folder, simdjson::dom::element one) {
  const std::string path = folder + "/" + oracle::text(one["file"]);
  INFO(path);
  auto model = formats::read_lightgbm(oracle::read_file(oracle::data_path(path)));
  if (!model) FAIL(model.error().text());
  const std::string model_version = model->version;
  CHECK(model_version == oracle::text(one["format"]));
  auto scorer = LightgbmScorer::build(std::move(*model));
  if (!scorer) FAIL(scorer.error().text());
  auto data = oracle::numbers<double>(one["data"]);
  const auto rows = static_cast<std::size_t>(one["rows"].get_uint64().value());
  REQUIRE(one["cols"].get_uint64().value() == scorer->n_features());
  for (std::size_t row = 0; row < rows; ++row) scorer->prepare_row(data.data() + row * scorer->n_features());
  std::vector<double> scores(rows * scorer->n_outputs());
  scorer->raw_scores(data.data(), rows, scores.data());
  CHECK(differing(scores, oracle::numbers<double>(one["raw_score"]["data"])) == 0);
  scorer->convert(scores.data(), rows);
  const auto want = oracle::numbers<double>(one["predict"]["data"]);
  if (model_version == "v2" && oracle::text(one["name"]) == "cross_entropy_lambda") {
    // LightGBM 2 computed log(1 + exp(x)); since 3 it is log1p(exp(x)), which is what a v2 file gets today.
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(scores[i] == Approx(want[i]).epsilon(1e-15));
    return;
  }
  CHECK(differing(scores, want) == 0);
}

}  // namespace

TEST_CASE("LightgbmAnswersDifferByNothingFromTheLibrarys", "[lightgbm]") {
  for (const std::string version : {"2.2", "3.3", "4.6"}) {
    std::size_t cases = 0;
    oracle::for_each_case("lightgbm/" + version + "/cases.json", [&](simdjson::dom::element one) {
      check_case("lightgbm/" + version, one);
      ++cases;
    });
    CHECK(cases >= 40);
  }
}

// Whatever is read after a character has changed can be built and scored, or is refused.
TEST_CASE("DamagedTextModelsAreRefusedOrScored", "[lightgbm]") {
  for (const std::string name : {"4.6/linear.txt", "4.6/categories_multiclass.txt", "2.2/missing_zero.txt"}) {
    const std::string whole = oracle::read_file(oracle::data_path("lightgbm/" + name));
    std::size_t scored = 0;
    for (std::size_t at = 5; at < whole.size(); at += 1 + whole.size() / 400) {
      std::string text = whole;
      text[at] = "0123456789 -="[at % 13];
      auto model = formats::read_lightgbm(text);
      if (!model) continue;
      auto scorer = LightgbmScorer::build(std::move(*model));
      if (!scorer || scorer->n_features() > 1000) continue;
      std::vector<double> row(scorer->n_features(), 3.0);
      scorer->prepare_row(row.data());
      std::vector<double> scores(scorer->n_outputs());
      scorer->raw_scores(row.data(), 1, scores.data());
      scorer->convert(scores.data(), 1);
      ++scored;
    }
    INFO(name);
    CHECK(scored > 10);
  }
}

// LightGBM's predictor drops |x| <= 1e-35 from a row and truncates categories toward zero.
TEST_CASE("PreparesRowsAsLightgbmsPredictorSeesThem", "[lightgbm]") {
  auto model = formats::read_lightgbm(oracle::read_file(oracle::data_path("lightgbm/4.6/categories.txt")));
  REQUIRE(model.has_value());
  auto scorer = LightgbmScorer::build(std::move(*model));
  REQUIRE(scorer.has_value());
  REQUIRE(!scorer->categorical_features().empty());
  const std::uint32_t category = scorer->categorical_features()[0];
  std::vector<double> row(scorer->n_features(), 1e-36);
  row[category] = -0.75;
  scorer->prepare_row(row.data());
  for (const double x : row) CHECK(x == 0.0);
}

}  // namespace jackdaw::predict
