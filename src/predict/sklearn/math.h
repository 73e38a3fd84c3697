// Affine maps and the few functions between scores and probabilities, over rows of doubles.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

// y = x @ weights.T + bias. `weights` is (outputs, features); `bias` has one entry per output, or one for all.
struct Affine {
  Matrix weights;
  std::vector<double> bias;
  DType bias_dtype = DType::fp64;
  bool one_dimensional = false;  // weights were a vector: the answer is (n,)

  std::size_t outputs() const { return weights.rows; }
  std::size_t features() const { return weights.cols; }
  double bias_of(std::size_t output) const { return bias.size() == 1 ? bias[0] : bias[output]; }
  // numpy's dtype of the answer for an input of `dtype`.
  DType result_dtype(DType dtype) const;
  std::size_t resident_bytes() const { return (weights.values.size() + bias.size()) * sizeof(double); }

  // Reads `coef_` and `intercept_` (or the names given) and checks that they fit together.
  static Result<Affine> read(const BuildContext& context, std::string_view coef = "coef_",
                             std::string_view intercept = "intercept_");
};

double dot(const double* a, const double* b, std::size_t n);

// scores: rows x outputs, rounded to result_dtype(x.dtype). `x` may be sparse; its width is the caller's to check.
void apply(const Affine& affine, const Matrix& x, double* scores);

inline double expit(double v) {
  return v >= 0 ? 1.0 / (1.0 + std::exp(-v)) : std::exp(v) / (1.0 + std::exp(v));
}

// One row in place, as sklearn.utils.extmath.softmax: minus the maximum, exp, over the sum.
void softmax_row(double* row, std::size_t n, DType dtype);
// log(sum(exp(row))), as scipy.special.logsumexp.
double log_sum_exp(const double* row, std::size_t n);
// The first of the largest; a NaN wins, as numpy's argmax has it.
std::size_t argmax(const double* row, std::size_t n);

// Scratch of this thread, at least `n` doubles; valid until the next call with the same slot (0..3).
double* scratch(std::size_t slot, std::size_t n);

// Cost of one row in nanoseconds: a few for the loop and a fraction of one per multiply-add.
inline double affine_row_ns(const Affine& a) {
  return 8.0 + 0.5 * static_cast<double>(a.outputs()) * static_cast<double>(a.features());
}

}  // namespace jackdaw::predict
