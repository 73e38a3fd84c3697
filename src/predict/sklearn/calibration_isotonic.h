// IsotonicMap: a fitted isotonic regression, piecewise linear between its thresholds.
#pragma once

#include <vector>

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

class IsotonicMap {
 public:
  // Read: X_thresholds_, y_thresholds_ (before 0.24 _necessary_X_, _necessary_y_), out_of_bounds.
  static Result<IsotonicMap> read(const BuildContext& context);
  // NaN outside of the thresholds unless it clips.
  double at(double x) const;
  bool inside(double x) const { return x >= x_.front() && x <= x_.back(); }
  bool raises() const { return raises_; }
  DType dtype() const { return dtype_; }  // of the thresholds, and of the answers

 private:
  std::vector<double> x_, y_;
  DType dtype_ = DType::fp64;
  bool clips_ = false;
  bool raises_ = false;
};

Result<std::unique_ptr<Estimator>> build_isotonic(const BuildContext& context);

}  // namespace jackdaw::predict
