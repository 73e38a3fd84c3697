// One tree of a LightGBM text model (LightGBM src/io/tree.cpp, Tree::ToString). LightGBM trusts these numbers
// (lightgbm-org/LightGBM#7357).
#include <cmath>
#include <limits>

#include "src/formats/lightgbm_parts.h"

namespace jackdaw::formats {
namespace {

class TreeReader {
 public:
  TreeReader(const LightgbmBlock& block, std::uint32_t num_feature, const TreeReadLimits& limits)
      : block_(block), num_feature_(num_feature), limits_(limits) {}

  Result<LightgbmTree> run() {
    JACKDAW_TRY(read_sizes());
    JACKDAW_ASSIGN(tree_.leaf_value, doubles("leaf_value", tree_.num_leaves));
    JACKDAW_TRY(read_linear());
    if (tree_.num_leaves == 1) return std::move(tree_);
    JACKDAW_TRY(read_splits());
    JACKDAW_TRY(read_categories());
    JACKDAW_TRY(read_counts());
    JACKDAW_TRY(walk());
    return std::move(tree_);
  }

 private:
  Error error(std::string_view message) const { return Error{Code::parse_error, std::string(message), {}}; }
  Error error(std::size_t node, std::string_view message) const {
    return Error{Code::parse_error, std::string(message), fmt::format("node {}", node)};
  }

  bool has(std::string_view key) const { return block_.contains(key); }
  std::string_view text(std::string_view key) const {
    const auto found = block_.find(key);
    return found == block_.end() ? std::string_view{} : found->second;
  }

  template <typename Values>
  Result<Values> counted(std::string_view key, std::size_t size, Result<Values> values) const {
    if (!has(key)) return error(fmt::format("The tree has no '{}'.", key));
    if (values && values->size() != size) {
      return error(fmt::format("'{}' has {} entries, expected {}.", key, values->size(), size));
    }
    return values;
  }
  Result<std::vector<double>> doubles(std::string_view key, std::size_t size) const {
    return counted(key, size, parse_doubles(key, text(key)));
  }
  Result<std::vector<std::int64_t>> integers(std::string_view key, std::size_t size) const {
    return counted(key, size, parse_integers(key, text(key)));
  }
  template <typename To>
  Result<std::vector<To>> narrow(std::string_view key, std::size_t size, std::int64_t low, std::int64_t high) const {
    JACKDAW_ASSIGN(const auto wide, integers(key, size));
    std::vector<To> out(size);
    for (std::size_t i = 0; i < size; ++i) {
      if (wide[i] < low || wide[i] > high) return error(fmt::format("{}[{}] = {} is out of range.", key, i, wide[i]));
      out[i] = static_cast<To>(wide[i]);
    }
    return out;
  }
  Result<std::int64_t> number_or(std::string_view key, std::int64_t fallback, std::int64_t high) const {
    if (!has(key)) return fallback;
    JACKDAW_ASSIGN(const auto values, integers(key, 1));
    if (values[0] < 0 || values[0] > high) return error(fmt::format("{}={} is out of range.", key, values[0]));
    return values[0];
  }

  // Counts are bounded by the text: every leaf and every category word takes two characters at least.
  Result<void> read_sizes() {
    if (!has("num_leaves")) return error("The tree has no 'num_leaves'.");
    JACKDAW_ASSIGN(const auto leaves, number_or("num_leaves", 1, 0x7fffffff));
    if (leaves < 1) return error("num_leaves=0 makes no tree.");
    tree_.num_leaves = static_cast<std::uint32_t>(leaves);
    JACKDAW_ASSIGN(const auto categories, number_or("num_cat", 0, 0x7fffffff));
    num_cat_ = static_cast<std::size_t>(categories);
    if (has("shrinkage")) {
      JACKDAW_ASSIGN(const auto shrinkage, doubles("shrinkage", 1));
      tree_.shrinkage = shrinkage[0];
    }
    return {};
  }

  Result<void> read_splits() {
    const std::size_t n = tree_.num_leaves - 1;
    JACKDAW_ASSIGN(tree_.split_feature, narrow<std::uint32_t>("split_feature", n, 0, std::int64_t{num_feature_} - 1));
    JACKDAW_ASSIGN(tree_.threshold, doubles("threshold", n));
    if (has("decision_type")) {
      JACKDAW_ASSIGN(tree_.decision_type, narrow<std::uint8_t>("decision_type", n, 0, 15));
    } else {
      tree_.decision_type.assign(n, 0);
    }
    const std::int64_t leaves = tree_.num_leaves;
    JACKDAW_ASSIGN(tree_.left, narrow<std::int32_t>("left_child", n, -leaves, leaves - 2));
    JACKDAW_ASSIGN(tree_.right, narrow<std::int32_t>("right_child", n, -leaves, leaves - 2));
    for (std::size_t node = 0; node < n; ++node) {
      if (((tree_.decision_type[node] >> 2) & 3u) == 3) return error(node, "Unknown kind of missing value 3.");
      if (tree_.categorical(node) &&
          !(tree_.threshold[node] >= 0.0 && tree_.threshold[node] < static_cast<double>(num_cat_))) {
        return error(node, fmt::format("Uses category set {}, the tree has {}.", tree_.threshold[node], num_cat_));
      }
    }
    return {};
  }

  Result<void> read_categories() {
    if (num_cat_ == 0) return {};
    constexpr std::int64_t words_max = 1 << 30;
    JACKDAW_ASSIGN(tree_.cat_boundaries, narrow<std::uint32_t>("cat_boundaries", num_cat_ + 1, 0, words_max));
    JACKDAW_ASSIGN(const auto words, parse_integers("cat_threshold", text("cat_threshold")));
    for (const std::int64_t word : words) {
      if (word < 0 || word > 0xffffffffll) return error(fmt::format("cat_threshold holds {}.", word));
      tree_.cat_words.push_back(static_cast<std::uint32_t>(word));
    }
    for (std::size_t i = 0; i < num_cat_; ++i) {
      if (tree_.cat_boundaries[i] > tree_.cat_boundaries[i + 1]) return error("cat_boundaries is not ascending.");
    }
    if (tree_.cat_boundaries.back() > tree_.cat_words.size()) {
      return error(fmt::format("cat_boundaries ends at {}, cat_threshold has {} words.", tree_.cat_boundaries.back(),
                               tree_.cat_words.size()));
    }
    return {};
  }

  Result<void> read_counts() {
    if (!has("internal_count") || !has("leaf_count")) return {};
    JACKDAW_ASSIGN(tree_.internal_count, doubles("internal_count", tree_.num_leaves - 1));
    JACKDAW_ASSIGN(tree_.leaf_count, doubles("leaf_count", tree_.num_leaves));
    return {};
  }

  // leaf_const, and per leaf `num_features` pairs of leaf_features and leaf_coeff.
  Result<void> read_linear() {
    JACKDAW_ASSIGN(const auto linear, number_or("is_linear", 0, 1));
    tree_.is_linear = linear != 0;
    if (!tree_.is_linear) return {};
    JACKDAW_ASSIGN(tree_.leaf_const, doubles("leaf_const", tree_.num_leaves));
    JACKDAW_ASSIGN(const auto counts, integers("num_features", tree_.num_leaves));
    JACKDAW_ASSIGN(const auto features, parse_integers("leaf_features", text("leaf_features")));
    JACKDAW_ASSIGN(tree_.linear_coeff, doubles_or_empty("leaf_coeff", features.size()));
    std::uint64_t total = 0;
    tree_.linear_begin.push_back(0);
    for (const std::int64_t count : counts) {
      if (count < 0 || static_cast<std::uint64_t>(count) > features.size())
        return error("num_features is out of range.");
      total += static_cast<std::uint64_t>(count);
      if (total > features.size()) break;
      tree_.linear_begin.push_back(static_cast<std::uint32_t>(total));
    }
    if (total != features.size()) {
      return error(fmt::format("num_features sums to {}, leaf_features has {}.", total, features.size()));
    }
    for (const std::int64_t feature : features) {
      if (feature < 0 || feature >= std::int64_t{num_feature_}) {
        return error(fmt::format("leaf_features names feature {}, the model has {}.", feature, num_feature_));
      }
      tree_.linear_feature.push_back(static_cast<std::uint32_t>(feature));
    }
    return {};
  }
  Result<std::vector<double>> doubles_or_empty(std::string_view key, std::size_t size) const {
    if (size == 0 && !has(key)) return std::vector<double>{};
    return doubles(key, size);
  }

  // Every inner node and every leaf is reached from the root, once.
  Result<void> walk() {
    const std::size_t n = tree_.num_leaves - 1;
    std::vector<std::uint8_t> node_seen(n, 0), leaf_seen(tree_.num_leaves, 0);
    struct Visit {
      std::size_t node;
      std::uint32_t depth;
    };
    std::vector<Visit> open{{0, 0}};
    node_seen[0] = 1;
    std::size_t reached = 1;
    while (!open.empty()) {
      const Visit visit = open.back();
      open.pop_back();
      if (visit.depth >= limits_.depth_max) {
        return error(visit.node, fmt::format("The tree is deeper than {}.", limits_.depth_max));
      }
      for (const std::int32_t child : {tree_.left[visit.node], tree_.right[visit.node]}) {
        auto& seen =
            child < 0 ? leaf_seen[static_cast<std::size_t>(~child)] : node_seen[static_cast<std::size_t>(child)];
        if (seen != 0)
          return error(visit.node, fmt::format("Child {} is reached twice: the nodes form no tree.", child));
        seen = 1;
        ++reached;
        if (child >= 0) open.push_back({static_cast<std::size_t>(child), visit.depth + 1});
      }
    }
    if (reached != n + tree_.num_leaves) return error("Some nodes are not reached from the root.");
    return {};
  }

  const LightgbmBlock& block_;
  std::uint32_t num_feature_;
  const TreeReadLimits& limits_;
  std::size_t num_cat_ = 0;
  LightgbmTree tree_;
};

}  // namespace

Result<LightgbmTree> read_lightgbm_tree(const LightgbmBlock& block, std::uint32_t num_feature,
                                        const TreeReadLimits& limits) {
  return TreeReader(block, num_feature, limits).run();
}

}  // namespace jackdaw::formats
