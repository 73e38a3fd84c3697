// Covariance: the kernel of a Gaussian process, a small tree of functions of two points.
#pragma once

#include <memory>
#include <span>

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

class Covariance {
 public:
  virtual ~Covariance() = default;
  // k(a, b) of points that are not the same sample.
  virtual double between(std::span<const double> a, std::span<const double> b) const = 0;
  // k(a, a) of one sample, noise included.
  virtual double of(std::span<const double> a) const { return between(a, a); }
};

// Read: Sum, Product (k1, k2), Exponentiation (kernel, exponent), ConstantKernel, WhiteKernel, RBF, Matern,
// RationalQuadratic, ExpSineSquared, DotProduct of sklearn.gaussian_process.kernels.
Result<std::unique_ptr<Covariance>> read_covariance(const BuildContext& context, std::size_t columns);

}  // namespace jackdaw::predict
