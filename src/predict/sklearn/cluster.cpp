// KMeans, MiniBatchKMeans, BisectingKMeans: cluster_centers_; predict is the nearest centre, transform the distances.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

class Centers : public RuledEstimator {
 public:
  Centers(InputRule rule, Matrix centers) : RuledEstimator(std::move(rule)), centers_(std::move(centers)) {
    for (std::size_t k = 0; k < centers_.rows; ++k)
      norms_.push_back(dot(centers_.row(k), centers_.row(k), centers_.cols));
  }

  bool supports(Method m) const override { return m == Method::predict || m == Method::transform; }

  Result<Output> run(Method method, const Frame& frame) const override {
    if (method != Method::predict) return lacks(method);
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    std::vector<double> nearest(x->rows);
    for (std::size_t r = 0; r < x->rows; ++r) nearest[r] = static_cast<double>(nearest_to(*x, r));
    return vector_output(DType::int32, nearest);
  }

  Result<Frame> transform(const Frame& frame) const override {
    JACKDAW_ASSIGN(const MatrixRef x, check_input(frame, rule_));
    Matrix out = Matrix::dense(x->rows, centers_.rows, promote(x->dtype, centers_.dtype));
    for (std::size_t r = 0; r < x->rows; ++r) {
      for (std::size_t k = 0; k < centers_.rows; ++k) {
        out.row(r)[k] = round_to(out.dtype, std::sqrt(squared_distance(*x, r, k)));
      }
    }
    return Frame(std::move(out));
  }

  double cost_ns(std::size_t rows) const override { return 100.0 + static_cast<double>(rows * centers_.values.size()); }
  std::size_t resident_bytes() const override { return sizeof(*this) + 8 * centers_.values.size(); }

 private:
  double squared_distance(const Matrix& x, std::size_t r, std::size_t k) const {
    const double* center = centers_.row(k);
    double sum = 0;
    if (!x.sparse) {
      for (std::size_t c = 0; c < x.cols; ++c) sum += (x.row(r)[c] - center[c]) * (x.row(r)[c] - center[c]);
      return sum;
    }
    sum = norms_[k];
    for (std::size_t i = x.row_begin[r]; i < x.row_begin[r + 1]; ++i) {
      sum += x.values[i] * (x.values[i] - 2.0 * center[x.columns[i]]);
    }
    return std::max(sum, 0.0);
  }

  std::size_t nearest_to(const Matrix& x, std::size_t r) const {
    std::size_t best = 0;
    double least = INFINITY;
    for (std::size_t k = 0; k < centers_.rows; ++k) {
      if (const double d = squared_distance(x, r, k); d < least) {
        least = d;
        best = k;
      }
    }
    return best;
  }

  Matrix centers_;
  std::vector<double> norms_;
};

Result<std::unique_ptr<Estimator>> build_centers(const BuildContext& c) {
  JACKDAW_ASSIGN(Matrix centers, shaped_matrix(c, "cluster_centers_", -1, -1));
  if (centers.rows == 0 || centers.cols == 0) return c.error(Code::parse_error, "'cluster_centers_' is empty");
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  rule.accept_sparse = true;
  JACKDAW_TRY(fit_width(c, rule, centers.cols));
  return std::unique_ptr<Estimator>(new Centers(std::move(rule), std::move(centers)));
}

constexpr ClassRow rows[] = {
    {"sklearn.cluster.KMeans", build_centers},
    {"sklearn.cluster.MiniBatchKMeans", build_centers},
};

}  // namespace

std::span<const ClassRow> cluster_rows() {
  return rows;
}

}  // namespace jackdaw::predict
