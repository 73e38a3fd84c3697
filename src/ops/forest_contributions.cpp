#include "jackdaw/ops/forest_contributions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <new>
#include <unordered_map>

#include "forest_check.h"
#include "forest_decision.h"
#include "jackdaw/base/cpu.h"
#include "jackdaw/kernels/tree_shap.h"
#include "quadrature.h"

namespace jackdaw::ops {
namespace {

using kernels::ShapNode;
using kernels::ShapRule;
using kernels::TreeShapKernels;

const TreeShapKernels& best_kernels() {
  const TreeShapKernels* found = nullptr;
  if (cpu_features().avx512) found = kernels::tree_shap_avx512();
  if (found == nullptr && cpu_features().avx2) found = kernels::tree_shap_avx2();
  return found != nullptr ? *found : *kernels::tree_shap_plain();
}

struct Tree {
  std::size_t node_begin = 0;
  std::size_t node_count = 0;  // 0: a single leaf, which no feature moves
  std::size_t leaf_begin = 0;  // in leaves, not values
  std::size_t given_begin = 0, given_count = 0;
  std::uint32_t output = 0;
  std::uint32_t depth = 0;     // inner nodes above the deepest inner node
  std::uint32_t features = 0;  // most distinct features on a path
  const Quadrature* quadrature = nullptr;
};

// Enough points for paths of that many features. Rounded up beyond a few, so that a forest has few rules: more points
// than needed are as exact.
std::uint32_t point_count(std::uint32_t features) {
  const std::uint32_t needed = std::max(1u, (features + 1) / 2);
  if (needed <= 4) return needed;
  return needed <= 64 ? (needed + 3) / 4 * 4 : std::bit_ceil(needed);
}

}  // namespace

struct ForestContributions::Impl {
  std::uint32_t n_features = 0;
  std::uint32_t n_outputs = 1;
  std::uint32_t leaf_width = 1;
  std::vector<double> expected;
  std::vector<std::uint32_t> features;  // of each column: those that some tree asks
  std::vector<Tree> trees;
  std::vector<ShapNode> nodes;
  std::vector<double> leaves;
  ForestSpec given;  // its nodes are the splits that the kernel leaves to us, its bits those of their categories
  std::map<std::uint32_t, Quadrature> quadratures;
  std::uint32_t depth_max = 0;
  double row_ns = 0;
  const TreeShapKernels* kernels = &best_kernels();

  template <typename X>
  void write(const X* rows, std::size_t n_rows, std::size_t stride, double* out) const;
  void add_trees(const double* columns, std::size_t blocks, std::uint8_t* given_bits, void* frames, double* sums) const;
  void fill_given(const Tree& tree, const double* columns, std::uint8_t* bits) const;
};

// ---- building -----------------------------------------------------------------------------------------------------

namespace {

Result<void> check_covers(const ForestSpec& spec) {
  if (spec.covers.size() != spec.nodes.size()) {
    return make_error(Code::unsupported,
                      "The model cannot be explained: its file does not say how many training rows reached each node.");
  }
  const auto bad =
      std::find_if(spec.covers.begin(), spec.covers.end(), [](double c) { return !(c >= 0.0 && c < HUGE_VAL); });
  if (bad == spec.covers.end()) return {};
  return make_error(Code::unsupported, "The model cannot be explained: node {} was reached by {} training rows.",
                    bad - spec.covers.begin(), *bad);
}

std::vector<std::uint32_t> asked_features(const ForestSpec& spec) {
  std::vector<std::uint32_t> out;
  for (const ForestNode& node : spec.nodes) {
    if (node.left != -1) out.push_back(static_cast<std::uint32_t>(node.feature));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// The kernel compares numbers; categories, zeros that count as missing and NaN thresholds are decided here.
ShapRule rule_of(const ForestSpec& spec, const ForestNode& node) {
  if (node.categorical || node.missing == Missing::zero_or_nan_default || std::isnan(node.threshold))
    return ShapRule::given;
  const bool less = spec.compare == ForestSpec::Compare::less;
  bool missing_left = node.default_left;
  if (node.missing == Missing::nan_as_zero) missing_left = less ? 0.0 < node.threshold : 0.0 <= node.threshold;
  if (less) return missing_left ? ShapRule::less_or_missing : ShapRule::less;
  return missing_left ? ShapRule::less_equal_or_missing : ShapRule::less_equal;
}

// One tree in preorder, by an explicit stack.
template <typename Impl>
class TreeBuilder {
 public:
  TreeBuilder(const ForestSpec& spec, const ForestTree& tree, Impl& impl)
      : spec_(spec), nodes_(&spec.nodes[tree.node_begin]), covers_(&spec.covers[tree.node_begin]), impl_(impl) {
    tree_.node_begin = impl.nodes.size();
    tree_.leaf_begin = impl.leaves.size() / spec.leaf_width;
    tree_.given_begin = impl.given.nodes.size();
    tree_.output = tree.output;
  }

  Tree run() {
    open_.push_back({0, 0, 0, 1.0, false, -1});
    while (!open_.empty()) {
      const Visit visit = open_.back();
      open_.pop_back();
      if (visit.leaving) {
        visit.above < 0 ? static_cast<void>(deepest_.erase(column_of(visit.node)))
                        : static_cast<void>(deepest_[column_of(visit.node)] = visit.above);
      } else if (nodes_[visit.node].left == -1) {
        add_leaf(visit);
      } else {
        add_split(visit);
      }
    }
    tree_.node_count = impl_.nodes.size() - tree_.node_begin;
    tree_.given_count = impl_.given.nodes.size() - tree_.given_begin;
    return tree_;
  }

 private:
  struct Visit {
    std::uint32_t node;
    std::uint32_t depth;
    std::uint32_t features;  // distinct ones above
    double share;            // of the training rows, from the root to here
    bool leaving;            // all below the node is done: what `deepest_` said before it comes back
    std::int32_t above;
  };

  std::uint32_t column_of(std::uint32_t node) const {
    const auto feature = static_cast<std::uint32_t>(nodes_[node].feature);
    const auto found = std::lower_bound(impl_.features.begin(), impl_.features.end(), feature);
    return static_cast<std::uint32_t>(found - impl_.features.begin());
  }

  void add_leaf(const Visit& visit) {
    const double* values = &spec_.leaf_values[std::size_t{nodes_[visit.node].leaf} * spec_.leaf_width];
    for (std::uint32_t k = 0; k < spec_.leaf_width; ++k) {
      impl_.leaves.push_back(values[k]);
      impl_.expected[tree_.output + k] += visit.share * values[k];
    }
  }

  // Where no training row came, both sides count alike; where none went on, next to nothing does.
  double share_of(std::uint32_t node, std::int32_t child) const {
    constexpr double share_min = 1e-100;
    if (covers_[node] <= 0.0) return 0.5;
    return std::max(share_min, covers_[child] / covers_[node]);
  }

  void add_split(const Visit& visit) {
    const ForestNode& from = nodes_[visit.node];
    const std::uint32_t column = column_of(visit.node);
    const auto [at, fresh] = deepest_.try_emplace(column, -1);
    ShapNode& node = impl_.nodes.emplace_back();
    node.threshold = from.threshold;
    node.left_share = share_of(visit.node, from.left);
    node.right_share = share_of(visit.node, from.right);
    node.column = column;
    node.above = static_cast<std::int16_t>(at->second);
    node.rule = rule_of(spec_, from);
    node.leaf_sides = static_cast<std::uint8_t>((nodes_[from.left].left == -1 ? kernels::shap_left_leaf : 0) |
                                                (nodes_[from.right].left == -1 ? kernels::shap_right_leaf : 0));
    if (node.rule == ShapRule::given) {
      node.given = static_cast<std::uint32_t>(impl_.given.nodes.size() - tree_.given_begin);
      impl_.given.nodes.push_back(from);
      impl_.given.nodes.back().feature = static_cast<std::int32_t>(column);
    }
    const std::uint32_t features = visit.features + (fresh ? 1 : 0);
    tree_.depth = std::max(tree_.depth, visit.depth);
    tree_.features = std::max(tree_.features, features);
    open_.push_back({visit.node, visit.depth, 0, 0.0, true, at->second});
    at->second = static_cast<std::int32_t>(visit.depth);
    const auto left = static_cast<std::uint32_t>(from.left), right = static_cast<std::uint32_t>(from.right);
    open_.push_back({right, visit.depth + 1, features, visit.share * node.right_share, false, -1});
    open_.push_back({left, visit.depth + 1, features, visit.share * node.left_share, false, -1});
  }

  const ForestSpec& spec_;
  const ForestNode* nodes_;
  const double* covers_;
  Impl& impl_;
  Tree tree_;
  std::vector<Visit> open_;
  std::unordered_map<std::uint32_t, std::int32_t> deepest_;  // column -> depth of the nearest split on the path
};

}  // namespace

Result<ForestContributions> ForestContributions::build(const ForestSpec& spec) {
  JACKDAW_TRY(check_covers(spec));
  JACKDAW_TRY(check_forest(spec));
  auto impl = std::make_unique<Impl>();
  impl->n_features = spec.n_features;
  impl->n_outputs = spec.n_outputs;
  impl->leaf_width = spec.leaf_width;
  impl->expected.assign(spec.n_outputs, 0.0);
  impl->features = asked_features(spec);
  impl->given.compare = spec.compare;
  impl->given.category_bits = spec.category_bits;
  for (const ForestTree& tree : spec.trees) {
    Tree& built = impl->trees.emplace_back(TreeBuilder(spec, tree, *impl).run());
    const std::uint32_t points = point_count(built.features);
    Quadrature& quadrature = impl->quadratures[points];
    if (quadrature.points.empty()) quadrature = gauss_legendre(points);
    built.quadrature = &quadrature;
    impl->depth_max = std::max(impl->depth_max, built.depth);
    impl->row_ns += static_cast<double>(built.node_count) * (1.5 + 1.5 * points) * spec.leaf_width;
    impl->row_ns += 6.0 * static_cast<double>(built.given_count);
  }
  impl->row_ns *= impl->kernels->slowness;
  impl->row_ns += 1.0 * (spec.n_features + 1.0) * spec.n_outputs + 1.0 * static_cast<double>(impl->features.size());
  impl->nodes.shrink_to_fit();
  impl->leaves.shrink_to_fit();
  return ForestContributions(std::move(impl));
}

// ---- rows ---------------------------------------------------------------------------------------------------------

namespace {

// Lanes of several blocks of rows, frames and sums, 64-byte aligned; a large call does not keep its memory.
class ShapScratch {
 public:
  explicit ShapScratch(std::size_t bytes) {
    if (buffer().size() < bytes + 64) buffer().resize(bytes + 64);
    const auto address = reinterpret_cast<std::uintptr_t>(buffer().data());
    at_ = buffer().data() + ((64 - address % 64) % 64);
  }
  ShapScratch(const ShapScratch&) = delete;
  ShapScratch& operator=(const ShapScratch&) = delete;
  ~ShapScratch() {
    if (buffer().size() > (1u << 21)) buffer() = {};
  }
  template <typename T>
  T* take(std::size_t bytes) {
    std::byte* taken = at_;
    at_ += (bytes + 63) / 64 * 64;
    return reinterpret_cast<T*>(taken);
  }

 private:
  static std::vector<std::byte>& buffer() {
    thread_local std::vector<std::byte> buffer;
    return buffer;
  }
  std::byte* at_;
};

}  // namespace

void ForestContributions::Impl::fill_given(const Tree& tree, const double* columns, std::uint8_t* bits) const {
  for (std::size_t i = 0; i < tree.given_count; ++i) {
    const ForestNode& node = given.nodes[tree.given_begin + i];
    const double* x = columns + static_cast<std::size_t>(node.feature) * kernels->lanes;
    bits[i] = 0;
    for (std::size_t lane = 0; lane < kernels->lanes; ++lane) {
      bits[i] = static_cast<std::uint8_t>(bits[i] | (goes_left(given, node, x[lane]) ? 1u << lane : 0u));
    }
  }
}

// Trees are the outer loop, so that each is read once for all blocks.
void ForestContributions::Impl::add_trees(const double* columns, std::size_t blocks, std::uint8_t* given_bits,
                                          void* frames, double* sums) const {
  const std::size_t column_stride = features.size() * kernels->lanes;
  for (const Tree& tree : trees) {
    if (tree.node_count == 0) continue;
    kernels::ShapTree view{&nodes[tree.node_begin],
                           nullptr,
                           leaf_width,
                           tree.quadrature->points.data(),
                           tree.quadrature->weights.data(),
                           static_cast<std::uint32_t>(tree.quadrature->points.size())};
    for (std::size_t block = 0; block < blocks; ++block) {
      const double* x = columns + block * column_stride;
      fill_given(tree, x, given_bits);
      for (std::uint32_t k = 0; k < leaf_width; ++k) {
        view.leaves = &leaves[tree.leaf_begin * leaf_width + k];
        kernels->add_tree(view, x, given_bits, frames, sums + (block * n_outputs + tree.output + k) * column_stride);
      }
    }
  }
}

template <typename X>
void ForestContributions::Impl::write(const X* rows, std::size_t n_rows, std::size_t stride, double* out) const {
  const std::size_t lanes = kernels->lanes, width = std::size_t{n_features} + 1;
  const std::size_t column_stride = features.size() * lanes, sum_stride = column_stride * n_outputs;
  const std::size_t block_bytes = (column_stride + sum_stride) * sizeof(double);
  const std::size_t blocks_max =
      std::clamp<std::size_t>((std::size_t{1} << 18) / std::max<std::size_t>(1, block_bytes), 1, 64 / lanes);
  std::size_t given_max = 0;
  for (const Tree& tree : trees) given_max = std::max(given_max, tree.given_count);
  const std::size_t frame_bytes = (std::size_t{depth_max} + 2) * kernels->frame_bytes;
  ShapScratch scratch(blocks_max * block_bytes + frame_bytes + given_max + 4 * 64);
  auto* columns = scratch.take<double>(blocks_max * column_stride * sizeof(double));
  auto* sums = scratch.take<double>(blocks_max * sum_stride * sizeof(double));
  auto* frames = scratch.take<std::byte>(frame_bytes);
  auto* given_bits = scratch.take<std::uint8_t>(given_max);

  for (std::size_t begin = 0; begin < n_rows; begin += blocks_max * lanes) {
    const std::size_t count = std::min(blocks_max * lanes, n_rows - begin), blocks = (count + lanes - 1) / lanes;
    for (std::size_t i = 0; i < blocks * lanes; ++i) {
      const X* row = rows + (begin + std::min(i, count - 1)) * stride;  // Lanes left over repeat the last row.
      double* to = columns + i / lanes * column_stride + i % lanes;
      for (std::size_t c = 0; c < features.size(); ++c) to[c * lanes] = static_cast<double>(row[features[c]]);
    }
    std::fill_n(sums, blocks * sum_stride, 0.0);
    add_trees(columns, blocks, given_bits, frames, sums);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::uint32_t k = 0; k < n_outputs; ++k) {
        double* to = out + ((begin + i) * n_outputs + k) * width;
        const double* from = sums + i / lanes * sum_stride + k * column_stride + i % lanes;
        std::fill_n(to, width, 0.0);
        for (std::size_t c = 0; c < features.size(); ++c) to[features[c]] = from[c * lanes];
        to[n_features] = expected[k];
      }
    }
  }
}

ForestContributions::ForestContributions(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ForestContributions::ForestContributions(ForestContributions&&) noexcept = default;
ForestContributions& ForestContributions::operator=(ForestContributions&&) noexcept = default;
ForestContributions::~ForestContributions() = default;

std::uint32_t ForestContributions::n_features() const {
  return impl_->n_features;
}
std::uint32_t ForestContributions::n_outputs() const {
  return impl_->n_outputs;
}
const std::vector<double>& ForestContributions::expected() const {
  return impl_->expected;
}
std::size_t ForestContributions::resident_bytes() const {
  return sizeof(Impl) + impl_->nodes.size() * sizeof(ShapNode) + impl_->trees.size() * sizeof(Tree) +
         (impl_->leaves.size() + impl_->expected.size()) * sizeof(double) + impl_->features.size() * 4 +
         impl_->given.nodes.size() * sizeof(ForestNode) + impl_->given.category_bits.size() * 4;
}
double ForestContributions::row_ns() const {
  return impl_->row_ns;
}
double ForestContributions::call_ns() const {
  return impl_->row_ns * static_cast<double>(impl_->kernels->lanes - 1);
}

void ForestContributions::write(const float* rows, std::size_t n_rows, std::size_t stride, double* out) const {
  if (n_rows > 0) impl_->write(rows, n_rows, stride, out);
}
void ForestContributions::write(const double* rows, std::size_t n_rows, std::size_t stride, double* out) const {
  if (n_rows > 0) impl_->write(rows, n_rows, stride, out);
}

}  // namespace jackdaw::ops
