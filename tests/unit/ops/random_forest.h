// Random forests and rows for tests and benches: every shape, kind of split and awkward value, from one seed.
#pragma once

#include <cmath>
#include <limits>
#include <random>

#include "jackdaw/ops/forest.h"

namespace jackdaw::ops::test {

struct RandomForestOptions {
  std::uint64_t seed = 1;
  std::uint32_t trees = 20;
  std::uint32_t depth = 6;
  double leaf_chance = 0.0;  // Chance that a node above `depth` is a leaf: unbalanced trees.
  bool chain = false;        // One side of every split is a leaf: as deep as it is large.
  std::uint32_t n_features = 28;
  std::uint32_t n_outputs = 1;
  std::uint32_t leaf_width = 1;
  bool features_f64 = false;
  bool sums_f64 = false;
  ForestSpec::Compare compare = ForestSpec::Compare::less;
  bool mixed_missing = false;             // All Missing kinds; otherwise NaN goes to a random default side.
  double categorical_chance = 0.0;        // Per node.
  bool awkward_thresholds = false;        // Infinities, NaN, denormals, -0 and values beyond float among them.
  std::uint32_t distinct_thresholds = 0;  // 0: any number.
};

class RandomForest {
 public:
  explicit RandomForest(const RandomForestOptions& options) : options_(options), random_(options.seed) {}

  ForestSpec spec() {
    ForestSpec spec;
    spec.compare = options_.compare;
    spec.features_f64 = options_.features_f64;
    spec.sums_f64 = options_.sums_f64;
    spec.n_features = options_.n_features;
    spec.n_outputs = options_.n_outputs;
    spec.leaf_width = options_.leaf_width;
    for (std::uint32_t i = 0; i < options_.trees; ++i) add_tree(spec);
    return spec;
  }

  // Row-major n_rows x n_features; thresholds of the spec, awkward values and `missing` NaN among the numbers.
  template <typename X>
  std::vector<X> rows(const ForestSpec& spec, std::size_t n_rows, double missing, bool awkward) {
    std::vector<X> values(n_rows * options_.n_features);
    for (X& value : values) {
      if (chance(missing)) {
        value = std::numeric_limits<X>::quiet_NaN();
      } else if (awkward && chance(0.3) && !spec.nodes.empty()) {
        value = near(static_cast<X>(clamp<X>(spec.nodes[below(spec.nodes.size())].threshold)));
      } else if (awkward && chance(0.2)) {
        value = awkward_value<X>();
      } else if (options_.categorical_chance > 0 && chance(0.5)) {
        value = static_cast<X>(static_cast<int>(below(90)) - 3);
      } else {
        value = static_cast<X>(number());
      }
    }
    return values;
  }

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random_) < p; }
  double number() { return std::normal_distribution<double>(0, 1)(random_); }

 private:
  template <typename X>
  static double clamp(double x) {
    const double most = static_cast<double>(std::numeric_limits<X>::max());
    return std::isnan(x) ? x : std::min(std::max(x, -most), most);
  }

  template <typename X>
  X near(X x) {
    switch (below(3)) {
      case 0:
        return std::nextafter(x, std::numeric_limits<X>::infinity());
      case 1:
        return std::nextafter(x, -std::numeric_limits<X>::infinity());
      default:
        return x;
    }
  }

  template <typename X>
  X awkward_value() {
    using Limits = std::numeric_limits<X>;
    const X table[] = {Limits::infinity(),
                       -Limits::infinity(),
                       X{0},
                       -X{0},
                       Limits::denorm_min(),
                       -Limits::denorm_min(),
                       Limits::min(),
                       Limits::max(),
                       Limits::lowest(),
                       static_cast<X>(1e-35f),
                       static_cast<X>(-1e-35f),
                       static_cast<X>(1.1e-35),
                       static_cast<X>(-0.5),
                       static_cast<X>(-1),
                       static_cast<X>(16777216.0),
                       static_cast<X>(2147483648.0),
                       static_cast<X>(4.5e9),
                       -Limits::quiet_NaN()};
    return table[below(std::size(table))];
  }

  double threshold() {
    if (options_.awkward_thresholds && chance(0.15)) {
      constexpr double table[] = {HUGE_VAL,
                                  -HUGE_VAL,
                                  0.0,
                                  -0.0,
                                  1e300,
                                  -1e300,
                                  5e-324,
                                  -5e-324,
                                  1e-45,
                                  1e-35,
                                  3.4028234663852886e38,
                                  -3.4028234663852886e38,
                                  NAN};
      return table[below(std::size(table))];
    }
    const double value =
        options_.distinct_thresholds > 0
            ? static_cast<double>(below(options_.distinct_thresholds)) * 4.0 / options_.distinct_thresholds - 2.0
            : number();
    return chance(0.5) ? static_cast<double>(static_cast<float>(value)) : value;
  }

  void add_tree(ForestSpec& spec) {
    ForestTree tree;
    tree.node_begin = static_cast<std::uint32_t>(spec.nodes.size());
    tree.output = static_cast<std::uint32_t>(below(options_.n_outputs - options_.leaf_width + 1));
    struct Open {
      std::uint32_t node, depth;
    };
    std::vector<Open> open{{0, 0}};
    spec.nodes.emplace_back();
    while (!open.empty()) {
      const Open at = open.back();
      open.pop_back();
      const bool leaf = at.depth >= options_.depth || chance(options_.leaf_chance);
      ForestNode node;
      if (leaf) {
        node = leaf_node(spec);
      } else {
        node = split_node(spec);
        const auto next = static_cast<std::int32_t>(spec.nodes.size() - tree.node_begin);
        const bool swap = chance(0.3);
        node.left = next + (swap ? 1 : 0);
        node.right = next + (swap ? 0 : 1);
        spec.nodes.resize(spec.nodes.size() + 2);
        open.push_back({static_cast<std::uint32_t>(next), at.depth + 1});
        open.push_back({static_cast<std::uint32_t>(next + 1), options_.chain ? options_.depth : at.depth + 1});
      }
      spec.nodes[tree.node_begin + at.node] = node;
    }
    tree.node_count = static_cast<std::uint32_t>(spec.nodes.size() - tree.node_begin);
    spec.trees.push_back(tree);
  }

  ForestNode leaf_node(ForestSpec& spec) {
    ForestNode node;
    node.leaf = static_cast<std::uint32_t>(spec.leaf_values.size() / options_.leaf_width);
    for (std::uint32_t k = 0; k < options_.leaf_width; ++k) spec.leaf_values.push_back(number());
    return node;
  }

  ForestNode split_node(ForestSpec& spec) {
    ForestNode node;
    node.feature = static_cast<std::int32_t>(below(options_.n_features));
    node.default_left = chance(0.5);
    if (options_.mixed_missing) node.missing = static_cast<Missing>(below(3));
    node.threshold = threshold();
    if (!chance(options_.categorical_chance)) return node;
    node.categorical = true;
    node.category_left_if_absent = chance(0.5);
    node.invalid_category_is_absent = chance(0.5);
    node.category_begin = static_cast<std::uint32_t>(spec.category_bits.size());
    node.category_words = static_cast<std::uint32_t>(below(4));
    for (std::uint32_t i = 0; i < node.category_words; ++i)
      spec.category_bits.push_back(static_cast<std::uint32_t>(random_()));
    return node;
  }

  RandomForestOptions options_;
  std::mt19937_64 random_;
};

}  // namespace jackdaw::ops::test
