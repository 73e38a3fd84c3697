// NeighborIndex: the training points of a neighbours model and the distance between them and a row. Always a full scan:
// the tree scikit-learn stores beside the points gives the same neighbours.
#pragma once

#include <vector>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/point_panels.h"

namespace jackdaw::predict {

struct Neighbor {
  double distance = 0.0;
  std::uint32_t index = 0;
};

class NeighborIndex {
 public:
  // Read: _fit_X, effective_metric_, effective_metric_params_.
  static Result<NeighborIndex> read(const BuildContext& context);

  std::size_t count() const { return panels_.count(); }
  std::size_t cols() const { return panels_.cols(); }
  // The k nearest, nearest first; equal distances in training order.
  void nearest(const double* x, std::size_t k, std::vector<Neighbor>& out) const;
  // All within `radius`, in training order.
  void within(const double* x, double radius, std::vector<Neighbor>& out) const;
  double row_ns() const { return 1.0 * static_cast<double>(panels_.count() * (panels_.cols() + 4)); }
  std::size_t resident_bytes() const { return panels_.resident_bytes(); }

 private:
  enum class Metric { euclidean, squared, manhattan, chebyshev, minkowski, cosine };
  static std::optional<Metric> metric_named(std::string_view name);
  // What distances are ordered by: squared for euclidean, the p-th power for minkowski.
  void rank(const double* x, double* out) const;
  double distance_of(double rank) const;

  Metric metric_ = Metric::euclidean;
  double p_ = 2.0;
  PointPanels panels_;
  std::vector<double> norms_;  // cosine only
};

}  // namespace jackdaw::predict
