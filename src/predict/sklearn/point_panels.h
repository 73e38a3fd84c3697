// PointPanels: training points laid out eight side by side, so that a plain loop over all of them runs in vector
// registers while each sum keeps its order, column by column, as the reference libraries add it up.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "src/predict/frame.h"

namespace jackdaw::predict {

class PointPanels {
 public:
  static constexpr std::size_t lanes = 8;

  PointPanels() = default;
  explicit PointPanels(const Matrix& points)
      : count_(points.rows), cols_(points.cols), values_((points.rows + lanes - 1) / lanes * lanes * points.cols, 0.0) {
    for (std::size_t p = 0; p < count_; ++p) {
      for (std::size_t c = 0; c < cols_; ++c) values_[(p / lanes * cols_ + c) * lanes + p % lanes] = points.row(p)[c];
    }
  }
  std::size_t count() const { return count_; }
  std::size_t cols() const { return cols_; }
  std::size_t resident_bytes() const { return values_.size() * sizeof(double); }
  double at(std::size_t point, std::size_t c) const {
    return values_[(point / lanes * cols_ + c) * lanes + point % lanes];
  }

  // out[p] = fold over columns c of step(sum, x[c], point[c]), starting from 0.
  template <typename Step>
  void fold(const double* x, double* out, Step step) const {
    for (std::size_t begin = 0; begin < count_; begin += lanes) {
      double sums[lanes] = {};
      const double* panel = values_.data() + begin * cols_;
      for (std::size_t c = 0; c < cols_; ++c) {
        for (std::size_t k = 0; k < lanes; ++k) sums[k] = step(sums[k], x[c], panel[c * lanes + k]);
      }
      std::copy_n(sums, std::min(lanes, count_ - begin), out + begin);
    }
  }
  void dots(const double* x, double* out) const {
    fold(x, out, [](double sum, double a, double b) { return sum + a * b; });
  }
  void squared_distances(const double* x, double* out) const {
    fold(x, out, [](double sum, double a, double b) { return sum + (a - b) * (a - b); });
  }

 private:
  std::size_t count_ = 0;
  std::size_t cols_ = 0;
  std::vector<double> values_;
};

}  // namespace jackdaw::predict
