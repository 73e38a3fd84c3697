// One list of random forests over every implementation, bit for bit against the reference walker.
#include <catch2/catch.hpp>
#include <cstring>

#include "jackdaw/base/cpu.h"
#include "ops/forest_engine.h"
#include "ops/forest_reference.h"
#include "random_forest.h"

namespace jackdaw::ops {
namespace {

using test::RandomForest;
using test::RandomForestOptions;

constexpr ForestPath all_paths[] = {ForestPath::automatic, ForestPath::row, ForestPath::block_plain,
                                    ForestPath::block_avx2, ForestPath::block_avx512};

template <typename X, typename Sum>
void compare_paths(const ForestSpec& spec, const std::vector<X>& rows, std::size_t n_rows, std::size_t stride) {
  auto engine = make_forest_engine(spec);
  REQUIRE(engine.has_value());
  const auto& typed = static_cast<const TypedForestEngine<X, Sum>&>(**engine);
  std::vector<Sum> expected(n_rows * spec.n_outputs, Sum{0.25});
  reference_scores(spec, rows.data(), n_rows, stride, expected.data());
  for (const ForestPath path : all_paths) {
    if (!typed.has(path)) continue;
    std::vector<Sum> got(n_rows * spec.n_outputs, Sum{0.25});
    typed.add_scores(path, rows.data(), n_rows, stride, got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (std::memcmp(&got[i], &expected[i], sizeof(Sum)) == 0) continue;
      FAIL("path " << static_cast<int>(path) << " row " << i / spec.n_outputs << " of " << n_rows << " output "
                   << i % spec.n_outputs << ": " << got[i] << " instead of " << expected[i]);
    }
  }
}

void compare_forest(RandomForestOptions options, std::size_t n_rows, double missing, bool awkward) {
  INFO("seed " << options.seed << " trees " << options.trees << " depth " << options.depth << " features "
               << options.n_features << " outputs " << options.n_outputs << " leaf width " << options.leaf_width
               << " f64 " << options.features_f64 << options.sums_f64);
  RandomForest random(options);
  const ForestSpec spec = random.spec();
  if (options.features_f64) {
    compare_paths<double, double>(spec, random.rows<double>(spec, n_rows, missing, awkward), n_rows,
                                  options.n_features);
  } else if (options.sums_f64) {
    compare_paths<float, double>(spec, random.rows<float>(spec, n_rows, missing, awkward), n_rows, options.n_features);
  } else {
    compare_paths<float, float>(spec, random.rows<float>(spec, n_rows, missing, awkward), n_rows, options.n_features);
  }
}

// Each of the three type combinations and both comparisons.
void compare_types(RandomForestOptions options, std::size_t n_rows, double missing, bool awkward) {
  for (const auto compare : {ForestSpec::Compare::less, ForestSpec::Compare::less_equal}) {
    options.compare = compare;
    for (const int type : {0, 1, 2}) {
      options.sums_f64 = type >= 1;
      options.features_f64 = type == 2;
      compare_forest(options, n_rows, missing, awkward);
    }
  }
}

TEST_CASE("ForestPathsAgreeOnCompleteTreesOfEveryDepth") {
  for (std::uint32_t depth = 0; depth <= 12; ++depth) {
    compare_types({.seed = 100 + depth, .trees = 19, .depth = depth}, 131, 0.1, false);
  }
}

TEST_CASE("ForestPathsAgreeOnUnbalancedTrees") {
  for (std::uint32_t depth = 1; depth <= 24; depth += 3) {
    compare_types({.seed = 200 + depth, .trees = 23, .depth = depth, .leaf_chance = 0.25}, 77, 0.1, false);
  }
}

TEST_CASE("ForestPathsAgreeOnChains") {
  compare_types({.seed = 300, .trees = 9, .depth = 700, .chain = true}, 70, 0.1, false);
  compare_types({.seed = 301, .trees = 9, .depth = 10, .chain = true}, 70, 0.1, false);
}

TEST_CASE("ForestPathsAgreeOnAwkwardValuesAndThresholds") {
  for (std::uint64_t seed = 400; seed < 412; ++seed) {
    compare_types({.seed = seed,
                   .trees = 30,
                   .depth = 7,
                   .leaf_chance = 0.1,
                   .n_features = 5,
                   .mixed_missing = true,
                   .awkward_thresholds = true},
                  150, 0.1, true);
  }
}

TEST_CASE("ForestPathsAgreeOnCategories") {
  for (const double chance : {0.02, 0.3, 1.0}) {
    for (const std::uint32_t depth : {3u, 8u, 11u}) {
      compare_types({.seed = 500 + depth,
                     .trees = 12,
                     .depth = depth,
                     .leaf_chance = 0.05,
                     .n_features = 7,
                     .mixed_missing = true,
                     .categorical_chance = chance},
                    140, 0.1, true);
    }
  }
}

TEST_CASE("ForestPathsAgreeOnVectorLeavesAndManyOutputs") {
  for (const std::uint32_t width : {1u, 2u, 3u, 10u}) {
    for (const std::uint32_t depth : {0u, 4u, 7u, 14u}) {
      compare_types({.seed = 600 + width,
                     .trees = 21,
                     .depth = depth,
                     .leaf_chance = 0.1,
                     .n_outputs = width + 4,
                     .leaf_width = width},
                    90, 0.1, false);
    }
  }
  compare_types({.seed = 650, .trees = 40, .depth = 3, .n_outputs = 3000, .leaf_width = 1}, 70, 0.1, false);
}

TEST_CASE("ForestPathsAgreeOnEveryRowCount") {
  RandomForestOptions options{.seed = 700, .trees = 11, .depth = 6, .n_outputs = 2};
  for (std::size_t n_rows = 0; n_rows <= 200; ++n_rows) compare_forest(options, n_rows, 0.1, true);
  options.depth = 13;
  options.leaf_chance = 0.2;
  for (std::size_t n_rows = 0; n_rows <= 200; n_rows += 7) compare_forest(options, n_rows, 0.1, true);
}

TEST_CASE("ForestPathsAgreeOnManyThresholdsPerFeature") {
  compare_types({.seed = 800, .trees = 60, .depth = 8, .n_features = 2, .mixed_missing = true}, 100, 0.1, true);
  compare_types({.seed = 801, .trees = 60, .depth = 8, .n_features = 3, .distinct_thresholds = 255}, 100, 0.1, true);
  for (std::uint32_t trees = 1; trees < 70; trees += 3)
    compare_types({.seed = 802, .trees = trees, .depth = 3, .n_features = 1}, 64, 0.2, true);
}

TEST_CASE("ForestPathsAgreeOnMoreCategoricalSplitsThanTablesHold") {
  // 40,000 words of categories on one feature: answered split by split, and for rows where they meet them.
  for (const std::uint32_t trees : {3u, 30u}) {
    RandomForest random({.seed = 850, .trees = trees, .depth = 6, .n_features = 3, .categorical_chance = 0.5});
    ForestSpec spec = random.spec();
    spec.category_bits.resize(std::max<std::size_t>(spec.category_bits.size(), 40000), 0x5a5a5a5au);
    for (ForestNode& node : spec.nodes) {
      if (node.categorical && node.category_begin == 0) node.category_words = 40000;
    }
    compare_paths<float, float>(spec, random.rows<float>(spec, 100, 0.1, true), 100, 3);
  }
}

TEST_CASE("ForestOffersItsFastPathsWhereTheMachineHasThem") {
  RandomForest random({.seed = 860, .trees = 10, .depth = 6, .categorical_chance = 0.1});
  auto engine = make_forest_engine(random.spec());
  REQUIRE(engine.has_value());
  CHECK((*engine)->has(ForestPath::block_plain));
  CHECK((*engine)->has(ForestPath::block_avx2) == cpu_features().avx2);
  CHECK((*engine)->has(ForestPath::block_avx512) == cpu_features().avx512);
}

TEST_CASE("ForestPathsAgreeWithWideRowsAndStride") {
  RandomForest random({.seed = 900, .trees = 20, .depth = 6, .n_features = 1000});
  const ForestSpec spec = random.spec();
  compare_paths<float, float>(spec, random.rows<float>(spec, 100, 0.1, false), 100, 1000);
  RandomForest narrow({.seed = 901, .trees = 20, .depth = 6, .n_features = 10});
  const ForestSpec narrow_spec = narrow.spec();
  compare_paths<float, float>(narrow_spec, narrow.rows<float>(narrow_spec, 170, 0.1, false), 100, 17);
}

}  // namespace
}  // namespace jackdaw::ops
