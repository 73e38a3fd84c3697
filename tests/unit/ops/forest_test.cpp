// Forest's contract: what it answers, and which specs it refuses by name.
#include "jackdaw/ops/forest.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <thread>

#include "random_forest.h"

namespace jackdaw::ops {
namespace {

// One split on feature 0 (left child node 1 worth 1, right child node 2 worth 2).
ForestSpec stump(double threshold = 0.5) {
  ForestSpec spec;
  spec.n_features = 1;
  spec.nodes.resize(3);
  spec.nodes[0].left = 1;
  spec.nodes[0].right = 2;
  spec.nodes[0].threshold = threshold;
  spec.nodes[1].leaf = 0;
  spec.nodes[2].leaf = 1;
  spec.leaf_values = {1, 2};
  spec.trees = {{0, 3, 0}};
  return spec;
}

float score(const ForestSpec& spec, float x) {
  auto forest = Forest::build(spec);
  REQUIRE(forest.has_value());
  float out = 0;
  forest->add_scores(&x, 1, 1, &out);
  return out;
}

double score_f64(const ForestSpec& spec, double x) {
  auto forest = Forest::build(spec);
  REQUIRE(forest.has_value());
  double out = 0;
  forest->add_scores(&x, 1, 1, &out);
  return out;
}

void refuses(const ForestSpec& spec, const std::string& words) {
  auto forest = Forest::build(spec);
  REQUIRE_FALSE(forest.has_value());
  INFO(forest.error().message);
  CHECK(forest.error().code == Code::parse_error);
  CHECK_THAT(forest.error().message, Catch::Contains(words));
}

TEST_CASE("ForestComparesLessOrLessEqualAsAsked") {
  ForestSpec spec = stump();
  CHECK(score(spec, 0.25f) == 1);
  CHECK(score(spec, 0.5f) == 2);
  CHECK(score(spec, 0.75f) == 2);
  spec.compare = ForestSpec::Compare::less_equal;
  CHECK(score(spec, 0.5f) == 1);
  CHECK(score(spec, std::nextafterf(0.5f, 1.0f)) == 2);
}

TEST_CASE("ForestComparesFloatFeaturesWithDoubleThresholdsExactly") {
  // 0.1 lies between two floats; float(0.1) is above it.
  ForestSpec spec = stump(0.1);
  spec.compare = ForestSpec::Compare::less_equal;
  CHECK(score(spec, 0.1f) == 2);
  CHECK(score(spec, std::nextafterf(0.1f, 0.0f)) == 1);
  spec.compare = ForestSpec::Compare::less;
  CHECK(score(spec, 0.1f) == 2);
  CHECK(score(spec, std::nextafterf(0.1f, 0.0f)) == 1);
}

TEST_CASE("ForestSendsInfinityLeftOfAnInfiniteThresholdAndNanToItsDefault") {
  // scikit-learn splits "missing or not" as x <= inf with NaN going right.
  ForestSpec spec = stump(HUGE_VAL);
  spec.compare = ForestSpec::Compare::less_equal;
  CHECK(score(spec, HUGE_VALF) == 1);
  CHECK(score(spec, NAN) == 2);
  spec.nodes[0].default_left = true;
  CHECK(score(spec, NAN) == 1);
  spec.features_f64 = spec.sums_f64 = true;
  CHECK(score_f64(spec, HUGE_VAL) == 1);
}

TEST_CASE("ForestSendsEverythingRightOfANanThreshold") {
  const ForestSpec spec = stump(NAN);
  for (const float x : {-HUGE_VALF, -1.0f, 0.0f, HUGE_VALF}) CHECK(score(spec, x) == 2);
}

TEST_CASE("ForestTreatsMinusZeroAsZero") {
  ForestSpec spec = stump(0.0);
  CHECK(score(spec, -0.0f) == 2);
  spec.nodes[0].threshold = -0.0;
  CHECK(score(spec, 0.0f) == 2);
  CHECK(score(spec, -1e-45f) == 1);
  spec.compare = ForestSpec::Compare::less_equal;
  CHECK(score(spec, 0.0f) == 1);
}

TEST_CASE("ForestHonoursLightGbmMissingKinds") {
  ForestSpec spec = stump(0.5);
  spec.compare = ForestSpec::Compare::less_equal;
  spec.features_f64 = spec.sums_f64 = true;
  spec.nodes[0].missing = Missing::nan_as_zero;
  CHECK(score_f64(spec, NAN) == 1);
  spec.nodes[0].missing = Missing::zero_or_nan_default;
  CHECK(score_f64(spec, NAN) == 2);
  CHECK(score_f64(spec, 0.0) == 2);
  CHECK(score_f64(spec, -1e-36) == 2);
  CHECK(score_f64(spec, 1e-34) == 1);
  spec.nodes[0].default_left = true;
  CHECK(score_f64(spec, 0.0) == 1);
}

TEST_CASE("ForestLooksUpCategories") {
  ForestSpec spec = stump();
  spec.nodes[0].categorical = true;
  spec.nodes[0].category_words = 2;
  spec.category_bits = {0b100u, 1u};  // Categories 2 and 32.
  CHECK(score(spec, 2) == 1);
  CHECK(score(spec, 2.9f) == 1);
  CHECK(score(spec, 32) == 1);
  CHECK(score(spec, 3) == 2);
  CHECK(score(spec, 64) == 2);
  CHECK(score(spec, 1e20f) == 2);
  spec.nodes[0].default_left = true;
  CHECK(score(spec, NAN) == 1);
  CHECK(score(spec, -1) == 1);
  CHECK(score(spec, 64) == 2);
  spec.nodes[0].default_left = false;
  spec.nodes[0].invalid_category_is_absent = true;
  spec.nodes[0].category_left_if_absent = true;  // XGBoost: the set goes right.
  CHECK(score(spec, -1) == 1);
  CHECK(score(spec, 16777216.0f) == 1);
  CHECK(score(spec, 2) == 2);
  CHECK(score(spec, NAN) == 2);
}

TEST_CASE("ForestAddsToWhatOutHolds") {
  auto forest = Forest::build(stump());
  REQUIRE(forest.has_value());
  const float x[] = {0, 1};
  float out[] = {10, 20};
  forest->add_scores(x, 2, 1, out);
  CHECK(out[0] == 11);
  CHECK(out[1] == 22);
  CHECK(forest->tree_count() == 1);
  CHECK(forest->resident_bytes() > 0);
  CHECK(forest->row_ns() > 0);
}

TEST_CASE("ForestWithoutTreesAddsNothing") {
  ForestSpec spec;
  spec.n_features = 3;
  CHECK(score(spec, 1.0f) == 0.0f);
}

TEST_CASE("ForestIgnoresNodesNoPathReaches") {
  ForestSpec spec = stump();
  spec.nodes.push_back(spec.nodes[0]);  // XGBoost leaves pruned nodes in its arrays.
  spec.nodes.back().feature = 77;
  spec.trees[0].node_count = 4;
  CHECK(score(spec, 0.25f) == 1);
}

TEST_CASE("ForestScoresFromManyThreads") {
  test::RandomForest random({.seed = 5, .trees = 50, .depth = 7, .n_features = 20});
  const ForestSpec spec = random.spec();
  const auto rows = random.rows<float>(spec, 300, 0.1, false);
  auto forest = Forest::build(spec);
  REQUIRE(forest.has_value());
  std::vector<std::vector<float>> outs(4, std::vector<float>(300));
  std::vector<std::thread> threads;
  for (auto& out : outs) threads.emplace_back([&] { forest->add_scores(rows.data(), 300, 20, out.data()); });
  for (auto& thread : threads) thread.join();
  for (const auto& out : outs) CHECK(out == outs[0]);
}

TEST_CASE("ForestRefusesCycles") {
  ForestSpec spec = stump();
  spec.nodes[1].left = 0;
  spec.nodes[1].right = 2;
  refuses(spec, "tree 0 reaches node 0 twice");
}

TEST_CASE("ForestRefusesSharedChildren") {
  ForestSpec spec = stump();
  spec.nodes[0].right = 1;
  refuses(spec, "reaches node 1 twice");
}

TEST_CASE("ForestRefusesANodeThatIsItsOwnChild") {
  ForestSpec spec = stump();
  spec.nodes[0].left = 0;
  refuses(spec, "node 0 is its own child");
}

TEST_CASE("ForestRefusesChildrenOutOfRange") {
  ForestSpec spec = stump();
  spec.nodes[0].right = 3;
  refuses(spec, "node 0 has child 3 of 3 nodes");
  spec.nodes[0].right = -1;
  refuses(spec, "node 0 has child -1");
  spec.nodes[0].right = 2;
  spec.nodes[0].left = -2;
  refuses(spec, "node 0 has child -2");
}

TEST_CASE("ForestRefusesFeaturesOutOfRange") {
  ForestSpec spec = stump();
  spec.nodes[0].feature = 1;
  refuses(spec, "node 0 reads feature 1 of 1");
  spec.nodes[0].feature = -1;
  refuses(spec, "reads feature -1");
}

TEST_CASE("ForestRefusesLeavesOutOfRange") {
  ForestSpec spec = stump();
  spec.nodes[2].leaf = 2;
  refuses(spec, "node 2 has leaf 2, but there are 2 leaves");
  spec.leaf_width = 2;
  spec.n_outputs = 2;
  spec.leaf_values = {1, 2, 3};
  refuses(spec, "no multiple");
  spec.leaf_values.clear();
  refuses(spec, "there are 0 leaves");
}

TEST_CASE("ForestRefusesCategoriesOutOfRange") {
  ForestSpec spec = stump();
  spec.nodes[0].categorical = true;
  spec.nodes[0].category_begin = 1;
  spec.nodes[0].category_words = 1;
  spec.category_bits = {1};
  refuses(spec, "categories past the end");
  spec.nodes[0].category_begin = 0xffffffff;
  refuses(spec, "categories past the end");
}

TEST_CASE("ForestRefusesTreesOutOfRange") {
  ForestSpec spec = stump();
  spec.trees[0].node_begin = 1;
  refuses(spec, "past the end");
  spec.trees[0].node_begin = 0xffffffff;
  refuses(spec, "past the end");
  spec.trees[0] = {0, 0, 0};
  refuses(spec, "has no nodes");
  spec.trees[0] = {0, 3, 1};
  refuses(spec, "adds to output 1, but the forest has 1");
  spec.trees = {{0, 3, 0}, {0, 3, 0}};
  refuses(spec, "claim 6 nodes");
}

TEST_CASE("ForestRefusesShapesItCannotHold") {
  ForestSpec spec = stump();
  spec.n_outputs = 0;
  refuses(spec, "0 outputs");
  spec.n_outputs = 0xffffffff;
  refuses(spec, "outputs");
  spec = stump();
  spec.leaf_width = 0;
  refuses(spec, "leaves hold 0 values");
  spec.leaf_width = 2;
  refuses(spec, "leaves hold 2 values");
}

TEST_CASE("ForestRefusesTreesDeeperThanItsLimit") {
  test::RandomForest fits({.seed = 1, .trees = 1, .depth = 4096, .chain = true});
  CHECK(Forest::build(fits.spec()).has_value());
  test::RandomForest deeper({.seed = 1, .trees = 1, .depth = 4097, .chain = true});
  refuses(deeper.spec(), "deeper than 4096 levels");
}

}  // namespace
}  // namespace jackdaw::ops
