#include "quadrature.h"

#include <cmath>
#include <numbers>

namespace jackdaw::ops {
namespace {

struct Legendre {
  long double value;
  long double slope;
};

// The Legendre polynomial of that degree at x in (-1, 1), by its recurrence.
Legendre legendre(std::uint32_t degree, long double x) {
  long double before = 1.0L, at = x;
  for (std::uint32_t k = 2; k <= degree; ++k) {
    const auto n = static_cast<long double>(k);
    const long double next = ((2.0L * n - 1.0L) * x * at - (n - 1.0L) * before) / n;
    before = at;
    at = next;
  }
  return {at, static_cast<long double>(degree) * (x * at - before) / (x * x - 1.0L)};
}

}  // namespace

// The points are the roots of the Legendre polynomial, found by Newton's method from their asymptotic places.
Quadrature gauss_legendre(std::uint32_t points) {
  Quadrature out;
  for (std::uint32_t i = points; i-- > 0;) {
    const long double place = (static_cast<long double>(i) + 0.75L) / (static_cast<long double>(points) + 0.5L);
    long double x = std::cos(std::numbers::pi_v<long double> * place);
    for (int step = 0; step < 8; ++step) {
      const Legendre p = legendre(points, x);
      x -= p.value / p.slope;
    }
    const long double slope = legendre(points, x).slope;
    out.points.push_back(static_cast<double>((1.0L + x) / 2.0L));
    out.weights.push_back(static_cast<double>(1.0L / ((1.0L - x * x) * slope * slope)));
  }
  return out;
}

}  // namespace jackdaw::ops
