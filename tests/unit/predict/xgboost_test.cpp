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
  const simdjson::dom::array files = one["files"].get_array().value();
  for (simdjson::dom::element file : files) {
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

namespace {

// A right-leaning chain of `splits` splits on one feature; node 2i splits, node 2i + 1 is its left leaf.
XgboostModel chain(std::size_t splits) {
  XgboostModel model;
  model.objective = "reg:squarederror";
  model.num_feature = 1;
  model.base_score = {0.0f};
  model.iteration_begin = {0, 1};
  model.tree_group = {0};
  formats::XgboostTree& tree = model.trees.emplace_back();
  for (std::size_t node = 0; node <= 2 * splits; ++node) {
    const bool inner = node % 2 == 0 && node < 2 * splits;
    tree.left.push_back(inner ? static_cast<std::int32_t>(node + 1) : -1);
    tree.right.push_back(inner ? static_cast<std::int32_t>(node + 2) : -1);
    tree.feature.push_back(0);
    tree.value.push_back(static_cast<float>(node));
    tree.default_left.push_back(1);
    tree.is_categorical.push_back(inner);
    tree.category_begin.push_back(inner ? static_cast<std::uint32_t>(tree.categories.size()) : 0);
    tree.category_count.push_back(inner);
    if (inner) tree.categories.push_back((1 << 24) - 1);
  }
  return model;
}

}  // namespace

TEST_CASE("RefusesCategorySetsThatWouldFillTheMemory", "[xgboost]") {
  CHECK(XgboostScorer::build(chain(2)).has_value());
  auto scorer = XgboostScorer::build(chain(40));
  REQUIRE(!scorer.has_value());
  CHECK(scorer.error().code == Code::too_large);
}

TEST_CASE("RefusesABaseScoreOutsideTheObjectivesRange", "[xgboost]") {
  XgboostModel model = chain(1);
  model.objective = "binary:logistic";
  for (const float base : {0.0f, 1.0f, -0.5f}) {
    model.base_score = {base};
    auto scorer = XgboostScorer::build(model);
    REQUIRE(!scorer.has_value());
    CHECK(scorer.error().message.find("must be in (0,1)") != std::string::npos);
  }
}

TEST_CASE("EveryObjectiveThatIsReadHasATransform", "[xgboost]") {
  for (const std::string_view name : formats::xgboost_objectives()) {
    INFO(name);
    CHECK(find_xgboost_objective(name) != nullptr);
  }
}

TEST_CASE("UsesTheFirstRoundsWhenAsked", "[xgboost]") {
  const std::string bytes = oracle::read_file(oracle::data_path("xgboost/2.1/early.json"));
  auto model = formats::read_xgboost(as_bytes(bytes));
  REQUIRE(model.has_value());
  REQUIRE(model->best_iteration.has_value());
  auto scorer = XgboostScorer::build(*model, std::size_t{*model->best_iteration} + 1);
  REQUIRE(scorer.has_value());
  oracle::for_each_case("xgboost/2.1/cases.json", [&](simdjson::dom::element one) {
    if (oracle::text(one["name"]) != "early") return;
    const auto data = oracle::numbers<float>(one["data"]);
    const auto want = oracle::numbers<float>(one["wrapper"].at(0)["predict"]["data"]);
    std::vector<float> got(want.size());
    scorer->margins(data.data(), want.size(), scorer->n_features(), got.data());
    CHECK(differing(got, want) == 0);
  });
}

// Whatever is read after a byte has changed can be built and scored, or is refused.
TEST_CASE("DamagedModelsAreRefusedOrScored", "[xgboost]") {
  for (const std::string name : {"1.7/softprob.bst", "2.1/categories_mixed.ubj", "3.2/targets_vector.ubj"}) {
    const std::string whole = oracle::read_file(oracle::data_path("xgboost/" + name));
    std::size_t scored = 0;
    for (std::size_t at = 5; at < whole.size(); at += 1 + whole.size() / 400) {
      std::string text = whole;
      text[at] = static_cast<char>(text[at] ^ (at % 2 == 0 ? 0x81 : 0x02));
      auto model = formats::read_xgboost(as_bytes(text));
      if (!model) continue;
      auto scorer = XgboostScorer::build(*model);
      if (!scorer || scorer->n_features() > 1000 || scorer->n_groups() > 1000) continue;
      const std::vector<float> row(scorer->n_features(), 3.0f);
      std::vector<float> margins(scorer->n_groups());
      scorer->margins(row.data(), 1, row.size(), margins.data());
      scorer->predict_from(margins.data(), 1, margins.data());
      ++scored;
    }
    INFO(name);
    CHECK(scored > 10);
  }
}

// The header of each file patched to base_score 0.3 and version 0; the margins are what xgboost 1.7 answers to them for
// a row of zeros.
TEST_CASE("LegacyFilesFromBefore10KeepAMarginAsBaseScore", "[xgboost]") {
  const std::pair<std::string, std::vector<float>> expected[] = {
      {"logistic", {-0.5953163f}}, {"poisson", {1.2501277f}},     {"softprob", {0.5305147f, 0.57007104f, -0.30275083f}},
      {"squared", {-0.35365522f}}, {"base_hinge", {0.78168046f}}, {"logitraw", {-0.55118585f}}};
  for (const auto& [name, want] : expected) {
    INFO(name);
    std::string bytes = oracle::read_file(oracle::data_path("xgboost/1.7/" + name + ".bst"));
    const float base = 0.3f;
    const std::uint32_t zero[2] = {0, 0};
    std::memcpy(bytes.data() + 4, &base, 4);
    std::memcpy(bytes.data() + 4 + 20, zero, 8);
    auto model = formats::read_xgboost(as_bytes(bytes));
    REQUIRE(model.has_value());
    CHECK(model->base_score_is_margin);
    auto scorer = XgboostScorer::build(*model);
    REQUIRE(scorer.has_value());
    const std::vector<float> row(scorer->n_features(), 0.0f);
    std::vector<float> margins(scorer->n_groups());
    scorer->margins(row.data(), 1, row.size(), margins.data());
    CHECK(differing(margins, want) == 0);
  }
}

}  // namespace jackdaw::predict
