#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/trees.h"

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

namespace {

// More nodes than any stream within ReadLimits can hold.
constexpr std::size_t nodes_total_max = std::size_t{1} << 26;

bool is_tree(const formats::ObjectGraph& graph, NodeId node) {
  const std::string name = graph.class_name(node);
  return name == "sklearn.tree._tree.Tree";
}

}  // namespace

Error TreeReader::broken(std::string_view name, std::string_view what) const {
  return context_.error(Code::parse_error, fmt::format("{}: {}", name, what));
}

Result<StoredTree> TreeReader::read(NodeId node, std::string_view name) {
  if (node == no_node || !is_tree(context_.graph, node)) return broken(name, "is not a sklearn.tree._tree.Tree");
  JACKDAW_ASSIGN(StoredTree tree, read_nodes(node, name));
  JACKDAW_TRY(read_values(node, name, tree));
  const formats::ObjectParts parts = context_.graph.object(node);
  if (parts.args != no_node && context_.graph.kind(parts.args) == NodeKind::tuple) {
    const auto args = context_.graph.items(parts.args);
    if (!args.empty()) {
      const auto width = formats::to_number(context_.graph, args[0]);
      if (width && *width >= 0 && *width <= 1e9) tree.n_features = static_cast<std::int64_t>(*width);
    }
  }
  return tree;
}

Result<StoredTree> TreeReader::read_nodes(NodeId node, std::string_view name) {
  const NodeId nodes = context_.graph.attribute(node, "nodes");
  if (nodes == no_node || !formats::is_ndarray(context_.graph, nodes)) return broken(name, "has no array of nodes");
  if (!seen_.insert(nodes).second) return broken(name, "shares its nodes with another tree");
  JACKDAW_ASSIGN(const formats::NdArray array, placed(context_, name, formats::to_ndarray(context_.graph, nodes)));
  if (array.shape.size() != 1 || array.dtype.kind != 'V')
    return broken(name, "nodes is not a one-dimensional structured array");

  StoredTree tree;
  const NodeId count_node = context_.graph.attribute(node, "node_count");
  const auto count = count_node == no_node ? std::nullopt : formats::to_number(context_.graph, count_node);
  if (!count || !(*count >= 1) || *count > static_cast<double>(array.count())) {
    return broken(name, fmt::format("node_count does not fit its {} nodes", array.count()));
  }
  tree.node_count = static_cast<std::size_t>(*count);
  nodes_total_ += static_cast<std::size_t>(array.count());
  if (nodes_total_ > nodes_total_max)
    return broken(name, fmt::format("the model has more than {} nodes", nodes_total_max));

  JACKDAW_TRY(spend_bytes(context_, static_cast<std::uint64_t>(array.count()) * 72));
  JACKDAW_ASSIGN(tree.left, placed(context_, name, formats::field_int64s(array, "left_child")));
  JACKDAW_ASSIGN(tree.right, placed(context_, name, formats::field_int64s(array, "right_child")));
  JACKDAW_ASSIGN(tree.feature, placed(context_, name, formats::field_int64s(array, "feature")));
  JACKDAW_ASSIGN(tree.threshold, placed(context_, name, formats::field_doubles(array, "threshold")));
  JACKDAW_ASSIGN(tree.samples, placed(context_, name, formats::field_doubles(array, "n_node_samples")));
  if (formats::has_field(array, "weighted_n_node_samples")) {
    JACKDAW_ASSIGN(tree.weights, placed(context_, name, formats::field_doubles(array, "weighted_n_node_samples")));
  }
  tree.knows_missing = formats::has_field(array, "missing_go_to_left");
  if (tree.knows_missing) {
    JACKDAW_ASSIGN(tree.missing_left, placed(context_, name, formats::field_int64s(array, "missing_go_to_left")));
  }
  return tree;
}

Result<void> TreeReader::read_values(NodeId node, std::string_view name, StoredTree& tree) {
  const NodeId values = context_.graph.attribute(node, "values");
  if (values == no_node || !formats::is_ndarray(context_.graph, values)) return broken(name, "has no array of values");
  JACKDAW_ASSIGN(const formats::NdArray array, placed(context_, name, formats::to_ndarray(context_.graph, values)));
  const auto& shape = array.shape;
  if (shape.size() != 3 || shape[0] < static_cast<std::int64_t>(tree.node_count) || shape[1] < 1 || shape[2] < 1 ||
      array.count() < 1) {
    return broken(name, fmt::format("values has shape ({}), expected ({} nodes, outputs, classes)",
                                    fmt::join(shape, ", "), tree.node_count));
  }
  tree.n_outputs = static_cast<std::size_t>(shape[1]);
  tree.width = static_cast<std::size_t>(shape[2]);
  JACKDAW_TRY(spend_bytes(context_, static_cast<std::uint64_t>(array.count()) * sizeof(double)));
  JACKDAW_ASSIGN(tree.values, placed(context_, name, formats::to_doubles(context_.graph, array)));
  if (tree.values.size() != static_cast<std::size_t>(shape[0]) * tree.n_outputs * tree.width) {
    return broken(name, "values holds fewer numbers than its shape says");
  }
  return {};
}

Result<NodeId> tree_of(const BuildContext& context, NodeId estimator, std::string_view name) {
  if (estimator != no_node && context.graph.kind(estimator) == NodeKind::object) {
    const NodeId tree = context.graph.attribute(estimator, "tree_");
    if (tree != no_node) return tree;
  }
  return context.error(Code::parse_error, fmt::format("{} is not a fitted decision tree", name));
}

Result<Signature> tree_signature(const BuildContext& context, const StoredTree& first) {
  Signature out = read_signature(context, first.n_features);
  out.rule.numbers = Numbers::fp32;
  if (out.rule.n_features >= 1 && out.rule.n_features <= 1 << 30) return out;
  return context.error(Code::parse_error, fmt::format("n_features_in_ is {}", out.rule.n_features));
}

// ---- into the forest ----------------------------------------------------------------------------------------------

ForestAssembler::ForestAssembler(std::uint32_t n_features, std::uint32_t n_outputs, std::uint32_t leaf_width) {
  spec_.compare = ops::ForestSpec::Compare::less_equal;
  spec_.sums_f64 = true;
  spec_.n_features = n_features;
  spec_.n_outputs = n_outputs;
  spec_.leaf_width = leaf_width;
}

namespace {

// An index that does not fit becomes one that Forest::build refuses by tree and node.
std::int32_t narrow(std::int64_t v) {
  return v < 0 || v > std::numeric_limits<std::int32_t>::max() ? std::numeric_limits<std::int32_t>::max()
                                                               : static_cast<std::int32_t>(v);
}

std::int64_t mapped(std::int64_t feature, std::span<const std::int64_t> features) {
  if (features.empty()) return feature;
  return feature >= 0 && feature < static_cast<std::int64_t>(features.size())
             ? features[static_cast<std::size_t>(feature)]
             : -1;
}

}  // namespace

void ForestAssembler::begin_tree(const StoredTree& tree, std::uint32_t output, std::span<const std::int64_t> features) {
  tree_begin_ = spec_.nodes.size();
  ops::ForestTree entry;
  entry.node_begin = static_cast<std::uint32_t>(tree_begin_);
  entry.node_count = static_cast<std::uint32_t>(tree.node_count);
  entry.output = output;
  spec_.trees.push_back(entry);
  spec_.nodes.resize(tree_begin_ + tree.node_count);
  const std::size_t weights = std::min(tree.node_count, tree.weights.size());
  spec_.covers.insert(spec_.covers.end(), tree.weights.begin(),
                      tree.weights.begin() + static_cast<std::ptrdiff_t>(weights));
  for (std::size_t n = 0; n < tree.node_count; ++n) {
    if (tree.is_leaf(n)) continue;
    ops::ForestNode& node = spec_.nodes[tree_begin_ + n];
    node.left = narrow(tree.left[n]);
    node.right = narrow(tree.right[n]);
    node.feature = narrow(mapped(tree.feature[n], features));
    node.threshold = tree.threshold[n];
    node.default_left = tree.knows_missing && tree.missing_left[n] != 0;
  }
}

Result<ops::Forest> ForestAssembler::build(const BuildContext& context) {
  auto forest = ops::Forest::build(spec_);
  if (!forest) return context.error(forest.error().code, forest.error().text());
  return std::move(*forest);
}

Result<MatrixRef> tree_input(const Frame& x, const InputRule& rule) {
  const auto* matrix = std::get_if<Matrix>(&x);
  if (matrix == nullptr || !matrix->sparse) return check_input(x, rule);
  InputRule sparse_rule = rule;
  sparse_rule.accept_sparse = true;
  if (rule.finite == Finite::nan_allowed) sparse_rule.finite = Finite::required;
  return check_input(x, sparse_rule);
}

namespace {

void fill_rows(const Matrix& x, std::size_t begin, std::size_t rows, std::vector<float>& block) {
  if (!x.sparse) {
    const double* from = x.row(begin);
    for (std::size_t i = 0; i < rows * x.cols; ++i) block[i] = static_cast<float>(from[i]);
    return;
  }
  std::fill(block.begin(), block.end(), 0.0f);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = x.row_begin[begin + r]; k < x.row_begin[begin + r + 1]; ++k) {
      block[r * x.cols + x.columns[k]] += static_cast<float>(x.values[k]);
    }
  }
}

}  // namespace

void add_forest_scores(const ops::Forest& forest, const Matrix& x, double* out) {
  constexpr std::size_t block_floats = 1 << 18;
  static thread_local std::vector<float> block;
  const std::size_t block_rows = std::clamp<std::size_t>(block_floats / std::max<std::size_t>(1, x.cols), 1, 1024);
  for (std::size_t begin = 0; begin < x.rows; begin += block_rows) {
    const std::size_t rows = std::min(block_rows, x.rows - begin);
    block.resize(std::max<std::size_t>(1, rows * x.cols));
    fill_rows(x, begin, rows, block);
    forest.add_scores(block.data(), rows, x.cols, out + begin * forest.n_outputs());
  }
}

Result<Contributions> room_for_contributions(const ops::ForestContributions& forest, std::size_t rows) {
  Contributions out{rows, forest.n_outputs(), forest.n_features(), {}};
  std::size_t cells = 0;
  if (!checked_mul(rows, (out.features + 1) * out.outputs, cells) || cells > std::size_t{1} << 26) {
    return make_error(Code::too_large, "The contributions of {} rows by {} features are too many; send fewer rows.",
                      rows, out.features);
  }
  out.values.resize(cells);
  return out;
}

Result<Contributions> forest_contributions(const ops::ForestContributions& forest, const Matrix& x, double scale) {
  JACKDAW_ASSIGN(Contributions out, room_for_contributions(forest, x.rows));
  std::vector<float> block;
  const std::size_t width = out.outputs * (out.features + 1);
  const std::size_t block_rows = std::clamp<std::size_t>((1u << 18) / std::max<std::size_t>(1, x.cols), 1, 1024);
  for (std::size_t begin = 0; begin < x.rows; begin += block_rows) {
    const std::size_t rows = std::min(block_rows, x.rows - begin);
    block.resize(std::max<std::size_t>(1, rows * x.cols));
    fill_rows(x, begin, rows, block);
    forest.write(block.data(), rows, x.cols, out.values.data() + begin * width);
  }
  if (scale != 1.0) {
    for (double& value : out.values) value *= scale;
  }
  return out;
}

// 1.3: DecisionTree* with the best splitter. 1.6: ExtraTree* and random splitters too. 1.9: every criterion.
bool tree_takes_nan(const BuildContext& context, const StoredTree& tree) {
  if (!tree.knows_missing) return false;
  const std::string splitter = context.text_or("splitter", "best");
  const bool extra = context.short_class().starts_with("ExtraTree");
  if (!written_since(context, 1, 6)) {
    if (splitter != "best" || extra) return false;
  } else if (extra && splitter != "random") {
    return false;
  }
  if (written_since(context, 1, 9)) return true;
  if (context.has("monotonic_cst")) return false;
  const std::string criterion = context.text_or("criterion", "");
  for (std::string_view known : {"gini", "entropy", "log_loss", "squared_error", "friedman_mse", "poisson"}) {
    if (criterion == known) return true;
  }
  return false;
}

}  // namespace jackdaw::predict
