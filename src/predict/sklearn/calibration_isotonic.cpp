#include "src/predict/sklearn/calibration_isotonic.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jackdaw::predict {

Result<IsotonicMap> IsotonicMap::read(const BuildContext& context) {
  IsotonicMap out;
  const bool renamed = context.has("X_thresholds_");
  JACKDAW_ASSIGN(out.x_, context.doubles(renamed ? "X_thresholds_" : "_necessary_X_"));
  JACKDAW_ASSIGN(out.y_, sized_doubles(context, renamed ? "y_thresholds_" : "_necessary_y_", out.x_.size()));
  JACKDAW_ASSIGN(const Matrix thresholds, context.matrix(renamed ? "X_thresholds_" : "_necessary_X_"));
  out.dtype_ = float_dtype(thresholds.dtype);
  const bool finite = std::all_of(out.x_.begin(), out.x_.end(), [](double v) { return std::isfinite(v); });
  if (out.x_.empty() || !finite || !std::is_sorted(out.x_.begin(), out.x_.end())) {
    return context.error(Code::parse_error, "the thresholds of the isotonic regression are not in order");
  }
  const std::string bounds = context.text_or("out_of_bounds", "nan");
  out.clips_ = bounds == "clip";
  out.raises_ = bounds == "raise";
  return out;
}

double IsotonicMap::at(double x) const {
  if (std::isnan(x)) return x;
  if (x_.size() == 1) return y_[0];
  if (!inside(x)) {
    if (!clips_) return std::numeric_limits<double>::quiet_NaN();
    x = std::clamp(x, x_.front(), x_.back());
  }
  if (x == x_.back()) return y_.back();
  const auto above = static_cast<std::size_t>(std::upper_bound(x_.begin(), x_.end(), x) - x_.begin());
  const double slope = (y_[above] - y_[above - 1]) / (x_[above] - x_[above - 1]);
  return slope * (x - x_[above - 1]) + y_[above - 1];
}

namespace {

class IsotonicRegression final : public FittedEstimator {
 public:
  IsotonicRegression(Signature signature, IsotonicMap map)
      : FittedEstimator(std::move(signature)), map_(std::move(map)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::transform; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (method != Method::predict) return no_method(method);
    JACKDAW_ASSIGN(const Matrix out, mapped(x));
    return vector_output(out.dtype, out.values);
  }
  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, mapped(x));
    return Frame(std::move(out));
  }
  // scikit-learn answers with one dimension where a transformer has two.
  Result<Output> transform_output(const Frame& x) const override { return run(Method::predict, x); }
  double cost_ns(std::size_t rows) const override { return 300.0 + 30.0 * static_cast<double>(rows); }
  std::size_t resident_bytes() const override { return sizeof(*this); }

 private:
  Result<Matrix> mapped(const Frame& x) const {
    JACKDAW_ASSIGN(const MatrixRef m, check_input(x, rule()));
    Matrix out = Matrix::dense(m->rows, 1, map_.dtype());
    for (std::size_t r = 0; r < m->rows; ++r) {
      if (map_.raises() && !map_.inside(m->row(r)[0])) {
        return make_error(Code::invalid_argument, "A value ({}) in X is outside of the interpolation range.",
                          m->row(r)[0]);
      }
      out.values[r] = map_.at(m->row(r)[0]);
    }
    round_all(out);
    return out;
  }

  IsotonicMap map_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_isotonic(const BuildContext& context) {
  JACKDAW_ASSIGN(IsotonicMap map, IsotonicMap::read(context));
  Signature signature = read_signature(context);
  signature.rule.n_features = 1;
  signature.rule.numbers = Numbers::floats;
  return std::unique_ptr<Estimator>(std::make_unique<IsotonicRegression>(std::move(signature), std::move(map)));
}

}  // namespace jackdaw::predict
