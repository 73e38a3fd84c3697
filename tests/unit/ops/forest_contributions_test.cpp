#include "jackdaw/ops/forest_contributions.h"

#include <bit>
#include <catch2/catch.hpp>

#include "jackdaw/base/cpu.h"
#include "jackdaw/kernels/tree_shap.h"
#include "ops/forest_reference.h"
#include "ops/quadrature.h"
#include "random_forest.h"

namespace jackdaw::ops {
namespace {

// Covers from the leaves upwards, as training leaves them.
void give_covers(ForestSpec& spec, test::RandomForest& random) {
  spec.covers.assign(spec.nodes.size(), 0.0);
  for (const ForestTree& tree : spec.trees) {
    for (std::uint32_t i = tree.node_count; i-- > 0;) {  // Children stand behind their parents.
      const ForestNode& node = spec.nodes[tree.node_begin + i];
      double& cover = spec.covers[tree.node_begin + i];
      cover = node.left == -1 ? 1.0 + static_cast<double>(random.below(100))
                              : spec.covers[tree.node_begin + static_cast<std::uint32_t>(node.left)] +
                                    spec.covers[tree.node_begin + static_cast<std::uint32_t>(node.right)];
    }
  }
}

// The mean answer of one tree when only the features in `known` are (Lundberg et al. 2018, Algorithm 1).
template <typename X>
double expectation(const ForestSpec& spec, const ForestTree& tree, std::uint32_t at, const X* row, std::uint32_t known,
                   std::uint32_t k) {
  const ForestNode& node = spec.nodes[tree.node_begin + at];
  if (node.left == -1) return spec.leaf_values[std::size_t{node.leaf} * spec.leaf_width + k];
  const auto left = static_cast<std::uint32_t>(node.left), right = static_cast<std::uint32_t>(node.right);
  if ((known >> node.feature & 1u) != 0) {
    const bool goes = goes_left(spec, node, static_cast<double>(row[node.feature]));
    return expectation(spec, tree, goes ? left : right, row, known, k);
  }
  const double* covers = &spec.covers[tree.node_begin];
  return (covers[left] * expectation(spec, tree, left, row, known, k) +
          covers[right] * expectation(spec, tree, right, row, known, k)) /
         covers[at];
}

// Shapley values from their definition: all subsets of a few features.
template <typename X>
std::vector<double> by_definition(const ForestSpec& spec, const X* row) {
  const std::uint32_t n = spec.n_features;
  std::vector<double> out(std::size_t{spec.n_outputs} * (n + 1), 0.0);
  std::vector<double> factorial{1.0};
  for (std::uint32_t i = 1; i <= n; ++i) factorial.push_back(factorial.back() * i);
  for (const ForestTree& tree : spec.trees) {
    for (std::uint32_t k = 0; k < spec.leaf_width; ++k) {
      double* to = &out[std::size_t{tree.output + k} * (n + 1)];
      to[n] += expectation(spec, tree, 0, row, 0, k);
      std::vector<double> value(std::size_t{1} << n);
      for (std::uint32_t known = 0; known < value.size(); ++known)
        value[known] = expectation(spec, tree, 0, row, known, k);
      for (std::uint32_t known = 0; known < value.size(); ++known) {
        const auto size = static_cast<std::uint32_t>(std::popcount(known));
        for (std::uint32_t i = 0; i < n; ++i) {
          if ((known >> i & 1u) != 0) continue;
          to[i] += factorial[size] * factorial[n - size - 1] / factorial[n] * (value[known | 1u << i] - value[known]);
        }
      }
    }
  }
  return out;
}

template <typename X>
void check_against_definition(test::RandomForestOptions options, double missing) {
  options.n_features = 7;
  test::RandomForest random(options);
  ForestSpec spec = random.spec();
  give_covers(spec, random);
  const auto made = ForestContributions::build(spec);
  REQUIRE(made.has_value());
  const std::size_t n = 13;  // No multiple of any vector's lanes.
  const std::vector<X> rows = random.rows<X>(spec, n, missing, options.awkward_thresholds);
  const std::size_t width = std::size_t{spec.n_outputs} * (spec.n_features + 1);
  std::vector<double> out(n * width, -1.0);
  made->write(rows.data(), n, spec.n_features, out.data());
  for (std::size_t row = 0; row < n; ++row) {
    const std::vector<double> wanted = by_definition(spec, &rows[row * spec.n_features]);
    for (std::size_t i = 0; i < width; ++i) {
      INFO("seed " << options.seed << ", row " << row << ", value " << i);
      CHECK(out[row * width + i] == Approx(wanted[i]).epsilon(1e-11).margin(1e-12));
    }
  }
}

}  // namespace

TEST_CASE("QuadratureIsExactForPolynomials", "[forest][contributions]") {
  for (const std::uint32_t points : {1u, 2u, 3u, 4u, 8u, 20u, 64u, 512u}) {
    const Quadrature rule = gauss_legendre(points);
    for (const std::uint32_t degree : {0u, 1u, points, 2 * points - 1}) {
      double sum = 0.0;
      for (std::uint32_t q = 0; q < points; ++q) sum += rule.weights[q] * std::pow(rule.points[q], degree);
      INFO(points << " points, degree " << degree);
      CHECK(sum * (degree + 1.0) == Approx(1.0).epsilon(1e-13));
    }
  }
}

TEST_CASE("ContributionsAreShapleyValues", "[forest][contributions]") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    test::RandomForestOptions options{.seed = seed, .trees = 3, .depth = 1 + static_cast<std::uint32_t>(seed % 7)};
    options.leaf_chance = seed % 3 == 0 ? 0.25 : 0.0;
    check_against_definition<float>(options, 0.1);
    options.compare = ForestSpec::Compare::less_equal;
    options.features_f64 = options.sums_f64 = true;
    options.mixed_missing = true;
    options.categorical_chance = 0.3;
    options.awkward_thresholds = true;
    check_against_definition<double>(options, 0.2);
    options.n_outputs = 4;
    options.leaf_width = 3;
    check_against_definition<double>(options, 0.2);
  }
}

TEST_CASE("ContributionsOfAFeatureAskedManyTimesStayExact", "[forest][contributions]") {
  test::RandomForestOptions options{.seed = 5, .trees = 2, .depth = 60, .chain = true};
  options.sums_f64 = true;
  check_against_definition<float>(options, 0.0);
}

TEST_CASE("ContributionsAddUpToTheScores", "[forest][contributions]") {
  test::RandomForestOptions options{.seed = 9, .trees = 40, .depth = 9, .leaf_chance = 0.1, .n_outputs = 3};
  options.sums_f64 = true;
  options.leaf_width = 1;
  test::RandomForest random(options);
  ForestSpec spec = random.spec();
  give_covers(spec, random);
  const auto made = ForestContributions::build(spec);
  REQUIRE(made.has_value());
  const std::size_t n = 70, width = spec.n_features + 1;
  const std::vector<float> rows = random.rows<float>(spec, n, 0.1, false);
  std::vector<double> out(n * 3 * width), scores(n * 3, 0.0);
  made->write(rows.data(), n, spec.n_features, out.data());
  reference_scores(spec, rows.data(), n, spec.n_features, scores.data());
  for (std::size_t i = 0; i < n * 3; ++i) {
    double sum = 0.0;
    for (std::size_t c = 0; c < width; ++c) sum += out[i * width + c];
    CHECK(sum == Approx(scores[i]).epsilon(1e-12).margin(1e-11));
  }
}

// A chain of 4,096 splits on as many features: the deepest tree that can be served, and the most quadrature points.
TEST_CASE("ContributionsOfTheDeepestTreeAddUp", "[forest][contributions]") {
  constexpr std::uint32_t depth = 4096;
  ForestSpec spec;
  spec.sums_f64 = true;
  spec.n_features = depth;
  for (std::uint32_t i = 0; i < depth; ++i) {
    ForestNode split;
    split.left = static_cast<std::int32_t>(2 * i + 1);
    split.right = static_cast<std::int32_t>(2 * i + 2);
    split.feature = static_cast<std::int32_t>(i);
    ForestNode leaf;
    leaf.leaf = i;
    spec.leaf_values.push_back(i % 7 - 3.0);
    spec.nodes.insert(spec.nodes.end(), {split, leaf});
    spec.covers.insert(spec.covers.end(), {depth - i + 1.0, 1.0});
  }
  ForestNode last;
  last.leaf = depth;
  spec.nodes.push_back(last);
  spec.covers.push_back(1.0);
  spec.leaf_values.push_back(5.0);
  spec.trees.push_back({0, static_cast<std::uint32_t>(spec.nodes.size()), 0});
  const auto made = ForestContributions::build(spec);
  REQUIRE(made.has_value());
  std::vector<float> rows(depth, 1.0f);  // Right at every split.
  rows[4001] = -1.0f;
  std::vector<double> out(depth + 1);
  made->write(rows.data(), 1, depth, out.data());
  double sum = 0.0;
  for (const double value : out) sum += value;
  CHECK(sum == Approx(4001 % 7 - 3.0).epsilon(1e-9));
  CHECK(made->row_ns() > 1e6);  // Which no io thread will take.
}

TEST_CASE("EveryInstructionSetGivesTheSameContributions", "[forest][contributions]") {
  using namespace kernels;
  ShapNode nodes[3] = {};
  nodes[0] = {0.5, 0.25, 0.75, 0, 0, -1, ShapRule::less, 0};
  nodes[1] = {0.2, 0.5, 0.5, 1, 0, -1, ShapRule::less_equal_or_missing, 3};
  nodes[2] = {0.9, 0.125, 0.875, 0, 0, 0, ShapRule::given, 3};
  const double leaves[] = {1.0, -2.0, 3.5, 0.25};
  const Quadrature rule = gauss_legendre(1);
  const ShapTree tree{nodes, leaves, 1, rule.points.data(), rule.weights.data(), 1};
  const double x[2][8] = {{0.1, 0.6, 0.95, 0.4, 0.5, NAN, 7, -3}, {0.3, 0.1, 0.2, NAN, 0.25, 0, 1, -1}};
  std::vector<double> first;
  for (const TreeShapKernels* kernels : {tree_shap_plain(), tree_shap_avx2(), tree_shap_avx512()}) {
    const CpuFeatures& cpu = cpu_features();
    if (kernels == nullptr || (kernels->lanes == 4 && !cpu.avx2) || (kernels->lanes == 8 && !cpu.avx512)) continue;
    std::vector<double> all(16);
    alignas(64) static std::byte scratch[1 << 14];
    for (std::size_t begin = 0; begin < 8; begin += kernels->lanes) {
      double columns[16], sums[16] = {};
      for (std::size_t c = 0; c < 2; ++c) std::copy_n(&x[c][begin], kernels->lanes, columns + c * kernels->lanes);
      const auto given = static_cast<std::uint8_t>(0b10110101u >> begin);
      kernels->add_tree(tree, columns, &given, scratch, sums);
      for (std::size_t c = 0; c < 2; ++c) std::copy_n(sums + c * kernels->lanes, kernels->lanes, &all[c * 8 + begin]);
    }
    if (first.empty()) first = all;
    CHECK(all == first);
  }
}

TEST_CASE("ForestsWithoutCoversHaveNoContributions", "[forest][contributions]") {
  test::RandomForestOptions options;
  test::RandomForest random(options);
  ForestSpec spec = random.spec();
  auto refused = ForestContributions::build(spec);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == Code::unsupported);
  give_covers(spec, random);
  spec.covers[7] = -1.0;
  refused = ForestContributions::build(spec);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().message == "The model cannot be explained: node 7 was reached by -1 training rows.");
  spec.covers[7] = 0.0;
  CHECK(ForestContributions::build(spec).has_value());
}

}  // namespace jackdaw::ops
