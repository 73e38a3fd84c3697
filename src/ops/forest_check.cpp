#include "forest_check.h"

namespace jackdaw::ops {
namespace {

class Checker {
 public:
  explicit Checker(const ForestSpec& spec) : spec_(spec), leaf_count_(spec.leaf_values.size() / spec.leaf_width) {}

  Result<std::vector<std::uint32_t>> run() {
    std::vector<std::uint32_t> depths;
    depths.reserve(spec_.trees.size());
    std::size_t total = 0;  // Trees that share nodes would make work and memory out of nothing.
    for (const ForestTree& tree : spec_.trees) total += tree.node_count;
    if (total > spec_.nodes.size())
      return make_error(Code::parse_error, "The trees claim {} nodes, but the forest has {}.", total,
                        spec_.nodes.size());
    for (std::size_t tree = 0; tree < spec_.trees.size(); ++tree) {
      JACKDAW_ASSIGN(const std::uint32_t depth, tree_depth(tree));
      depths.push_back(depth);
    }
    return depths;
  }

 private:
  struct Visit {
    std::uint32_t node;
    std::uint32_t depth;
  };

  // Walks one tree with an explicit stack; `seen_` makes a second visit of a node an error, so that it ends.
  Result<std::uint32_t> tree_depth(std::size_t tree_index) {
    const ForestTree& tree = spec_.trees[tree_index];
    if (tree.node_count == 0) return bad(tree_index, "has no nodes");
    if (tree.node_count > spec_.nodes.size() || tree.node_begin > spec_.nodes.size() - tree.node_count)
      return bad(tree_index, "has nodes past the end of the forest's {} nodes", spec_.nodes.size());
    if (tree.output >= spec_.n_outputs || spec_.leaf_width > spec_.n_outputs - tree.output)
      return bad(tree_index, "adds to output {}, but the forest has {} outputs", tree.output, spec_.n_outputs);
    seen_.assign(tree.node_count, false);
    stack_.assign(1, {0, 0});
    std::uint32_t deepest = 0;
    while (!stack_.empty()) {
      const Visit visit = stack_.back();
      stack_.pop_back();
      if (seen_[visit.node]) return bad(tree_index, "reaches node {} twice", visit.node);
      seen_[visit.node] = true;
      if (visit.depth > forest_depth_max)
        return bad(tree_index, "is deeper than {} levels at node {}", forest_depth_max, visit.node);
      deepest = std::max(deepest, visit.depth);
      JACKDAW_TRY(check_node(tree_index, tree, visit));
    }
    return deepest;
  }

  Result<void> check_node(std::size_t tree_index, const ForestTree& tree, Visit visit) {
    const ForestNode& node = spec_.nodes[tree.node_begin + visit.node];
    if (node.left == -1) {
      if (node.leaf >= leaf_count_)
        return bad(tree_index, "node {} has leaf {}, but there are {} leaves", visit.node, node.leaf, leaf_count_);
      return {};
    }
    for (const std::int32_t child : {node.left, node.right}) {
      if (child < 0 || static_cast<std::uint32_t>(child) >= tree.node_count)
        return bad(tree_index, "node {} has child {} of {} nodes", visit.node, child, tree.node_count);
      if (static_cast<std::uint32_t>(child) == visit.node)
        return bad(tree_index, "node {} is its own child", visit.node);
    }
    if (node.feature < 0 || static_cast<std::uint32_t>(node.feature) >= spec_.n_features)
      return bad(tree_index, "node {} reads feature {} of {}", visit.node, node.feature, spec_.n_features);
    if (node.missing > Missing::zero_or_nan_default)
      return bad(tree_index, "node {} has an unknown kind of missing values", visit.node);
    const std::size_t words = spec_.category_bits.size();
    if (node.categorical && (node.category_words > words || node.category_begin > words - node.category_words))
      return bad(tree_index, "node {} has categories past the end of the {} category words", visit.node, words);
    stack_.push_back({static_cast<std::uint32_t>(node.right), visit.depth + 1});
    stack_.push_back({static_cast<std::uint32_t>(node.left), visit.depth + 1});
    return {};
  }

  template <typename... Args>
  static Error bad(std::size_t tree_index, fmt::format_string<Args...> format, Args&&... args) {
    return make_error(Code::parse_error, "tree {} {}.", tree_index, fmt::format(format, std::forward<Args>(args)...));
  }

  const ForestSpec& spec_;
  std::size_t leaf_count_;
  std::vector<bool> seen_;
  std::vector<Visit> stack_;
};

}  // namespace

Result<std::vector<std::uint32_t>> check_forest(const ForestSpec& spec) {
  if (spec.n_outputs == 0 || spec.n_outputs > forest_outputs_max)
    return make_error(Code::parse_error, "The forest has {} outputs; between 1 and {} can be served.", spec.n_outputs,
                      forest_outputs_max);
  if (spec.leaf_width == 0 || spec.leaf_width > spec.n_outputs)
    return make_error(Code::parse_error, "The forest's leaves hold {} values for {} outputs.", spec.leaf_width,
                      spec.n_outputs);
  if (spec.n_features > forest_features_max)
    return make_error(Code::parse_error, "The forest has {} features; at most {} can be served.", spec.n_features,
                      forest_features_max);
  if (spec.leaf_values.size() % spec.leaf_width != 0)
    return make_error(Code::parse_error, "The forest's {} leaf values are no multiple of the leaf width {}.",
                      spec.leaf_values.size(), spec.leaf_width);
  if (spec.features_f64 && !spec.sums_f64)
    return make_error(Code::unsupported, "A forest of 64-bit features cannot sum in 32 bits.");
  return Checker(spec).run();
}

}  // namespace jackdaw::ops
