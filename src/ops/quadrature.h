// Gauss-Legendre quadrature on (0, 1): integrals of polynomials as weighted sums.
#pragma once

#include <cstdint>
#include <vector>

namespace jackdaw::ops {

struct Quadrature {
  std::vector<double> points;   // in (0, 1)
  std::vector<double> weights;  // which add up to 1
};

// Exact for polynomials up to degree 2 * points - 1, to the last digits of a double. Costs points^2 steps.
Quadrature gauss_legendre(std::uint32_t points);

}  // namespace jackdaw::ops
