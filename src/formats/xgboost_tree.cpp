// Checks of one XGBoost tree. XGBoost itself trusts these arrays (dmlc/xgboost#7903).
#include <algorithm>

#include "src/formats/xgboost_parts.h"

namespace jackdaw::formats {
namespace {

constexpr std::int32_t category_end = 1 << 24;

class TreeCheck {
 public:
  TreeCheck(RawXgboostTree raw, std::size_t index, std::uint64_t num_feature, const TreeReadLimits& limits)
      : raw_(std::move(raw)), index_(index), num_feature_(num_feature), limits_(limits) {}

  Result<XgboostTree> run() {
    JACKDAW_TRY(check_lengths());
    JACKDAW_TRY(place_categories());
    JACKDAW_TRY(walk());
    JACKDAW_TRY(place_leaf_vectors());
    keep_reached();
    return std::move(raw_.tree);
  }

 private:
  Error error(std::string_view message) const {
    return Error{Code::parse_error, std::string(message), fmt::format("tree {}", index_)};
  }
  Error error(std::size_t node, std::string_view message) const {
    return Error{Code::parse_error, std::string(message), fmt::format("tree {}, node {}", index_, node)};
  }

  Result<void> check_lengths() {
    XgboostTree& tree = raw_.tree;
    const std::size_t n = tree.left.size();
    if (n == 0) return error("The tree has no nodes.");
    if (n > 0x7fffffffu) return error("The tree has too many nodes.");
    const std::pair<std::string_view, std::size_t> lengths[] = {{"right_children", tree.right.size()},
                                                                {"split_indices", tree.feature.size()},
                                                                {"split_conditions", tree.value.size()},
                                                                {"default_left", tree.default_left.size()}};
    for (const auto& [name, size] : lengths) {
      if (size != n) return error(fmt::format("{} has {} entries, left_children has {}.", name, size, n));
    }
    if (!tree.cover.empty() && tree.cover.size() != n) {
      return error(fmt::format("sum_hessian has {} entries, left_children has {}.", tree.cover.size(), n));
    }
    if (!tree.is_categorical.empty() && tree.is_categorical.size() != n) {
      return error(fmt::format("split_type has {} entries, left_children has {}.", tree.is_categorical.size(), n));
    }
    return {};
  }

  // categories_nodes lists the categorical nodes; each has its own segment of `categories`.
  Result<void> place_categories() {
    XgboostTree& tree = raw_.tree;
    const std::size_t n = tree.node_count();
    if (raw_.category_segments.size() != raw_.category_nodes.size() ||
        raw_.category_sizes.size() != raw_.category_nodes.size()) {
      return error("categories_nodes, categories_segments and categories_sizes differ in length.");
    }
    for (const std::int32_t category : tree.categories) {
      if (category < 0 || category >= category_end) return error(fmt::format("Category {} is out of range.", category));
    }
    for (std::size_t node = 0; node < tree.is_categorical.size(); ++node) {
      if (tree.is_categorical[node] > 1) {
        return Error{Code::unsupported, fmt::format("Unknown split type {}.", tree.is_categorical[node]),
                     fmt::format("tree {}, node {}", index_, node)};
      }
    }
    if (std::none_of(tree.is_categorical.begin(), tree.is_categorical.end(), [](auto c) { return c != 0; })) {
      tree.is_categorical = {};
      tree.categories = {};
      return {};
    }
    tree.category_begin.assign(n, 0);
    tree.category_count.assign(n, 0);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < raw_.category_nodes.size(); ++i) {
      const std::int64_t node = raw_.category_nodes[i];
      if (node < 0 || static_cast<std::uint64_t>(node) >= n) return error("categories_nodes names no node.");
      const std::int64_t begin = raw_.category_segments[i], size = raw_.category_sizes[i];
      const auto stored = static_cast<std::int64_t>(tree.categories.size());
      if (begin < 0 || size < 0 || begin > stored || size > stored - begin) {
        return error(static_cast<std::size_t>(node), "Its segment leaves `categories`.");
      }
      total += static_cast<std::uint64_t>(size);
      if (total > tree.categories.size()) return error("Segments of `categories` overlap.");
      tree.category_begin[static_cast<std::size_t>(node)] = static_cast<std::uint32_t>(begin);
      tree.category_count[static_cast<std::size_t>(node)] = static_cast<std::uint32_t>(size);
    }
    return {};
  }

  // Visits every node the root reaches, once, without recursion.
  Result<void> walk() {
    const XgboostTree& tree = raw_.tree;
    reached_.assign(tree.node_count(), 0);
    struct Visit {
      std::int32_t node;
      std::uint32_t depth;
    };
    std::vector<Visit> open{{0, 0}};
    reached_[0] = 1;
    while (!open.empty()) {
      const Visit visit = open.back();
      open.pop_back();
      const auto node = static_cast<std::size_t>(visit.node);
      if (tree.left[node] == -1) continue;
      if (visit.depth >= limits_.depth_max)
        return error(node, fmt::format("The tree is deeper than {}.", limits_.depth_max));
      if (tree.feature[node] >= num_feature_) {
        return error(node, fmt::format("Splits on feature {}, the model has {}.", tree.feature[node], num_feature_));
      }
      for (const std::int32_t child : {tree.left[node], tree.right[node]}) {
        if (child < 0 || static_cast<std::size_t>(child) >= tree.node_count()) {
          return error(node, fmt::format("Child {} does not exist; the tree has {} nodes.", child, tree.node_count()));
        }
        if (reached_[static_cast<std::size_t>(child)] != 0) {
          return error(node, fmt::format("Child {} is reached twice: the nodes form no tree.", child));
        }
        reached_[static_cast<std::size_t>(child)] = 1;
        open.push_back({child, visit.depth + 1});
      }
    }
    return {};
  }

  bool is_leaf(std::size_t node) const { return raw_.tree.left[node] == -1; }

  Result<void> place_leaf_vectors() {
    XgboostTree& tree = raw_.tree;
    if (raw_.size_leaf_vector <= 1) return {};
    if (raw_.size_leaf_vector > limits_.outputs_max) return error("size_leaf_vector is too large.");
    const std::size_t width = raw_.size_leaf_vector;
    const bool own_leaves = !raw_.leaf_weights.empty();
    const std::vector<float>& vectors = own_leaves ? raw_.leaf_weights : raw_.base_weights;
    if (vectors.size() % width != 0) return error("Leaf vectors do not divide by size_leaf_vector.");
    const std::size_t count = vectors.size() / width;
    tree.leaf_width = static_cast<std::uint32_t>(width);
    tree.leaf.assign(tree.node_count(), 0);
    for (std::size_t node = 0; node < tree.node_count(); ++node) {
      if (reached_[node] == 0 || !is_leaf(node)) continue;
      const std::int64_t at = own_leaves ? tree.right[node] : static_cast<std::int64_t>(node);
      if (at < 0 || static_cast<std::uint64_t>(at) >= count) {
        return error(node, fmt::format("Its leaf vector {} does not exist; there are {}.", at, count));
      }
      tree.leaf[node] = static_cast<std::uint32_t>(tree.leaf_vectors.size() / width);
      const auto begin = vectors.begin() + at * static_cast<std::int64_t>(width);
      tree.leaf_vectors.insert(tree.leaf_vectors.end(), begin, begin + static_cast<std::int64_t>(width));
    }
    return {};
  }

  // Pruning leaves deleted nodes in the arrays; what is kept is in the file's order.
  void keep_reached() {
    XgboostTree& tree = raw_.tree;
    std::vector<std::int32_t> place(tree.node_count(), -1);
    std::size_t kept = 0;
    for (std::size_t node = 0; node < tree.node_count(); ++node) {
      if (reached_[node] == 0) continue;
      place[node] = static_cast<std::int32_t>(kept);
      move_node(node, kept++);
    }
    for (std::size_t node = 0; node < kept; ++node) {
      if (is_leaf(node)) continue;
      tree.left[node] = place[static_cast<std::size_t>(tree.left[node])];
      tree.right[node] = place[static_cast<std::size_t>(tree.right[node])];
    }
    shorten(tree.left, kept), shorten(tree.right, kept), shorten(tree.feature, kept), shorten(tree.value, kept);
    shorten(tree.default_left, kept), shorten(tree.is_categorical, kept);
    shorten(tree.category_begin, kept), shorten(tree.category_count, kept), shorten(tree.leaf, kept);
    shorten(tree.cover, kept);
  }
  template <typename T>
  static void shorten(std::vector<T>& values, std::size_t size) {
    if (values.size() > size) values.resize(size);
  }
  template <typename T>
  static void move_entry(std::vector<T>& values, std::size_t from, std::size_t to) {
    if (!values.empty()) values[to] = values[from];
  }
  void move_node(std::size_t from, std::size_t to) {
    XgboostTree& tree = raw_.tree;
    tree.left[to] = tree.left[from];
    tree.right[to] = is_leaf(to) ? -1 : tree.right[from];
    tree.feature[to] = is_leaf(to) ? 0 : tree.feature[from];
    tree.value[to] = tree.value[from];
    tree.default_left[to] = tree.default_left[from] != 0;
    move_entry(tree.is_categorical, from, to);
    if (is_leaf(to) && !tree.is_categorical.empty()) tree.is_categorical[to] = 0;
    move_entry(tree.category_begin, from, to);
    move_entry(tree.category_count, from, to);
    move_entry(tree.leaf, from, to);
    move_entry(tree.cover, from, to);
  }

  RawXgboostTree raw_;
  std::size_t index_;
  std::uint64_t num_feature_;
  const TreeReadLimits& limits_;
  std::vector<std::uint8_t> reached_;
};

}  // namespace

Result<XgboostTree> check_xgboost_tree(RawXgboostTree raw, std::size_t index, std::uint64_t num_feature,
                                       const TreeReadLimits& limits) {
  return TreeCheck(std::move(raw), index, num_feature, limits).run();
}

}  // namespace jackdaw::formats
