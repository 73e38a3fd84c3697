#include "src/predict/xgboost.h"

#include <catch2/catch.hpp>

#include "tests/unit/predict/engine_oracle.h"

namespace jackdaw::predict {
namespace {

using formats::XgboostModel;

std::size_t differing(const std::vector<float>& got, const std::vector<float>& want) {
  REQUIRE(got.size() == want.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (oracle::same_bits(got[i], want[i])) continue;
    if (count++ < 5) UNSCOPED_INFO("value " << i << ": " << got[i] << ", xgboost says " << want[i]);
  }
  return count;
}

void check_case(const std::string& folder, simdjson::dom::element one) {
  for (simdjson::dom::element file : one["files"].get_array().value()) {
    const std::string path = folder + "/" + oracle::text(file);
    INFO(path);
    const std::string bytes = oracle::read_file(oracle::data_path(path));
    auto model = formats::read_xgboost(as_bytes(bytes));
    if (!model) FAIL(model.error().text());
    auto scorer = XgboostScorer::build(*model);
    if (!scorer) FAIL(scorer.error().text());
    const auto data = oracle::numbers<float>(one["data"]);
    const auto rows = static_cast<std::size_t>(one["rows"].get_uint64().value());
    const auto cols = static_cast<std::size_t>(one["cols"].get_uint64().value());
    REQUIRE(cols == scorer->n_features());
    std::vector<float> margins(rows * scorer->n_groups());
    scorer->margins(data.data(), rows, cols, margins.data());
    CHECK(differing(margins, oracle::numbers<float>(one["margin"]["data"])) == 0);
    std::vector<float> answers(rows * scorer->n_outputs());
    scorer->predict_from(margins.data(), rows, answers.data());
    CHECK(differing(answers, oracle::numbers<float>(one["predict"]["data"])) == 0);
  }
}

}  // namespace

TEST_CASE("XgboostAnswersEqualTheLibrarysBitForBit", "[xgboost]") {
  for (const std::string version : {"1.7", "2.1", "3.2"}) {
    std::size_t cases = 0;
    oracle::for_each_case("xgboost/" + version + "/cases.json", [&](simdjson::dom::element one) {
      check_case("xgboost/" + version, one);
      ++cases;
    });
    CHECK(cases >= 50);
  }
}

}  // namespace jackdaw::predict
