// SupportVectors: the kernel of a libsvm model between one row and every support vector.
#pragma once

#include <vector>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/point_panels.h"

namespace jackdaw::predict {

class SupportVectors {
 public:
  // Read: support_vectors_ (an array, or a csr matrix when fitted on one), kernel, _gamma, coef0, degree.
  static Result<SupportVectors> read(const BuildContext& context);

  bool sparse() const { return sparse_; }
  std::size_t count() const { return count_; }
  std::size_t cols() const { return cols_; }
  // out[s] = kernel(row `r` of `x`, support vector s). `x` is sparse only when sparse().
  void kernel_row(const Matrix& x, std::size_t r, double* out) const;
  double row_ns() const;
  std::size_t resident_bytes() const;

 private:
  enum class Kind { linear, poly, rbf, sigmoid };
  Result<void> read_kernel(const BuildContext& context);
  Result<void> read_vectors(const BuildContext& context);
  // Inner products, or squared distances for rbf.
  void measure_sparse(const Matrix& x, std::size_t r, double* out) const;
  void finish(double* out) const;

  Kind kind_ = Kind::rbf;
  double gamma_ = 0.0;
  double coef0_ = 0.0;
  std::int64_t degree_ = 3;
  bool sparse_ = false;
  std::size_t count_ = 0;
  std::size_t cols_ = 0;
  PointPanels panels_;
  formats::CsrMatrix csr_;
};

}  // namespace jackdaw::predict
