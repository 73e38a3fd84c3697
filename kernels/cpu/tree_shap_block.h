// The TreeSHAP walk, compiled once per vector width. See include/jackdaw/kernels/tree_shap.h for the mathematics.
//
// Shapes: a frame per level of the path, holding vectors of `lanes` rows for each of at most four quadrature points;
// trees with more points are walked once per four. No fused multiply-add: all instruction sets give the same bits.
#pragma once

#include "jackdaw/kernels/tree_shap.h"

namespace jackdaw::kernels {
namespace {

template <std::size_t bytes>
struct Lanes {
  typedef double Vector __attribute__((vector_size(bytes)));
  typedef std::int64_t Mask __attribute__((vector_size(bytes)));  // All ones where true.
  static constexpr std::size_t count = bytes / sizeof(double);
};

constexpr int points_max = 4;  // Per walk.

// Products of shares stop here, so that dividing a factor out stays finite.
inline double at_least(double share) {
  constexpr double share_min = 1e-100;
  return share < share_min ? share_min : share;
}

template <std::size_t bytes, int points>
struct ShapFrame {
  using Vector = typename Lanes<bytes>::Vector;
  using Mask = typename Lanes<bytes>::Mask;
  Vector product[points];  // Weight x factors of the path above; without the column's older factor, if it had one.
  Vector left_sum[points];
  Vector inverse[points];  // With an older factor: 1 / it.
  Mask one_left, one_right, one_above;
  double zero_left, zero_right, zero_above;
  const ShapNode* node;
  bool on_right;
};

template <std::size_t bytes, int points>
class ShapWalk {
 public:
  using Frame = ShapFrame<bytes, points>;
  using Vector = typename Lanes<bytes>::Vector;
  using Mask = typename Lanes<bytes>::Mask;

  ShapWalk(const ShapTree& tree, std::uint32_t first_point, const double* columns, const std::uint8_t* given,
           void* scratch, double* sums)
      : frames_(static_cast<Frame*>(scratch)), columns_(columns), given_(given), sums_(sums) {
    for (int q = 0; q < points; ++q) {
      hot_[q] = tree.points[first_point + static_cast<std::uint32_t>(q)];
      cold_[q] = 1.0 - hot_[q];
      frames_[0].product[q] = broadcast(tree.weights[first_point + static_cast<std::uint32_t>(q)]);
    }
  }

  void run(const ShapTree& tree) {
    const ShapNode* next = tree.nodes;
    const double* leaf = tree.leaves;
    Frame* at = frames_;
    Vector sum[points];
    bool entering = true;
    for (;;) {
      if (entering) {
        enter(*at, *next++);
        if ((at->node->leaf_sides & shap_left_leaf) == 0) {
          at = descend(at, false);
          continue;
        }
        for (int q = 0; q < points; ++q) at->left_sum[q] = broadcast(*leaf);
        leaf += tree.leaf_stride;
      }
      if ((at->node->leaf_sides & shap_right_leaf) == 0) {
        at = descend(at, true);
        entering = true;
        continue;
      }
      for (int q = 0; q < points; ++q) sum[q] = broadcast(*leaf);
      leaf += tree.leaf_stride;
      leave(*at, sum);
      while (at != frames_ && at[-1].on_right) leave(*--at, sum);
      if (at == frames_) return;
      --at;
      for (int q = 0; q < points; ++q) at->left_sum[q] = sum[q];
      entering = false;
    }
  }

 private:
  static Vector broadcast(double x) { return x - Vector{}; }
  static Vector keep(Mask mask, double x) {
    return reinterpret_cast<Vector>(reinterpret_cast<Mask>(broadcast(x)) & mask);
  }
  static Vector factor(double zero, Mask one, double cold, double hot) {
    return broadcast(zero * cold) + keep(one, hot);
  }

  static Vector load(const double* from) {
    Vector out;
    __builtin_memcpy(&out, from, bytes);
    return out;
  }

  Mask goes_left(const ShapNode& node) const {
    if (node.rule == ShapRule::given) {
      Mask lane{};
      for (std::size_t i = 0; i < Lanes<bytes>::count; ++i) lane[i] = 1l << i;
      return (lane & static_cast<long>(given_[node.given])) == lane;
    }
    const Vector x = load(columns_ + node.column * Lanes<bytes>::count);
    const Vector threshold = broadcast(node.threshold);
    switch (node.rule) {
      case ShapRule::less:
        return x < threshold;
      case ShapRule::less_or_missing:
        return ~(x >= threshold);
      case ShapRule::less_equal:
        return x <= threshold;
      default:
        return ~(x > threshold);
    }
  }

  void enter(Frame& at, const ShapNode& node) const {
    at.node = &node;
    const Mask left = goes_left(node);
    if (node.above < 0) {
      at.one_left = left;
      at.one_right = ~left;
      at.zero_left = node.left_share;
      at.zero_right = node.right_share;
      return;
    }
    const Frame& older = frames_[node.above];
    at.one_above = older.on_right ? older.one_right : older.one_left;
    at.zero_above = older.on_right ? older.zero_right : older.zero_left;
    at.one_left = left & at.one_above;
    at.one_right = ~left & at.one_above;
    at.zero_left = at_least(node.left_share * at.zero_above);
    at.zero_right = at_least(node.right_share * at.zero_above);
    for (int q = 0; q < points; ++q) {
      at.inverse[q] = 1.0 / factor(at.zero_above, at.one_above, cold_[q], hot_[q]);
      at.product[q] *= at.inverse[q];
    }
  }

  Frame* descend(Frame* at, bool right) const {
    at->on_right = right;
    const double zero = right ? at->zero_right : at->zero_left;
    const Mask one = right ? at->one_right : at->one_left;
    for (int q = 0; q < points; ++q) at[1].product[q] = at->product[q] * factor(zero, one, cold_[q], hot_[q]);
    return at + 1;
  }

  // `sum`: in, of the right side's leaves; out, of all leaves below the node, its own split's factors included.
  void leave(const Frame& at, Vector* sum) const {
    const Vector left_gain = keep(at.one_left, 1.0) - at.zero_left;
    const Vector right_gain = keep(at.one_right, 1.0) - at.zero_right;
    Vector given{};
    if (at.node->above < 0) {
      for (int q = 0; q < points; ++q) {
        const Vector left = at.left_sum[q], right = sum[q];
        given += at.product[q] * (left_gain * left + right_gain * right);
        sum[q] = factor(at.zero_left, at.one_left, cold_[q], hot_[q]) * left +
                 factor(at.zero_right, at.one_right, cold_[q], hot_[q]) * right;
      }
    } else {
      const Vector gain_above = keep(at.one_above, 1.0) - at.zero_above;
      for (int q = 0; q < points; ++q) {
        const Vector left = at.left_sum[q], right = sum[q];
        sum[q] = at.inverse[q] * (factor(at.zero_left, at.one_left, cold_[q], hot_[q]) * left +
                                  factor(at.zero_right, at.one_right, cold_[q], hot_[q]) * right);
        given += at.product[q] * (left_gain * left + right_gain * right - gain_above * sum[q]);
      }
    }
    double* to = sums_ + at.node->column * Lanes<bytes>::count;
    const Vector total = load(to) + given;
    __builtin_memcpy(to, &total, bytes);
  }

  Frame* frames_;
  const double* columns_;
  const std::uint8_t* given_;
  double* sums_;
  double hot_[points];
  double cold_[points];
};

template <std::size_t bytes, int points>
void walk(const ShapTree& tree, std::uint32_t first_point, const double* columns, const std::uint8_t* given,
          void* scratch, double* sums) {
  ShapWalk<bytes, points>(tree, first_point, columns, given, scratch, sums).run(tree);
}

template <std::size_t bytes>
void add_tree(const ShapTree& tree, const double* columns, const std::uint8_t* given, void* scratch, double* sums) {
  for (std::uint32_t first = 0; first < tree.point_count; first += points_max) {
    switch (tree.point_count - first) {
      case 1:
        walk<bytes, 1>(tree, first, columns, given, scratch, sums);
        break;
      case 2:
        walk<bytes, 2>(tree, first, columns, given, scratch, sums);
        break;
      case 3:
        walk<bytes, 3>(tree, first, columns, given, scratch, sums);
        break;
      default:
        walk<bytes, 4>(tree, first, columns, given, scratch, sums);
    }
  }
}

template <std::size_t bytes>
constexpr TreeShapKernels make_tree_shap_kernels(double slowness) {
  return {Lanes<bytes>::count, sizeof(ShapFrame<bytes, points_max>), slowness, add_tree<bytes>};
}

}  // namespace
}  // namespace jackdaw::kernels
