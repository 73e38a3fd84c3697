// Scalers: one subtraction, division, product or sum per column. Read: StandardScaler mean_, scale_ (None when off),
// with_mean, with_std; MinMaxScaler scale_, min_, clip, feature_range; MaxAbsScaler scale_, clip (1.9); RobustScaler
// center_, scale_, with_centering, with_scaling. In every version since 0.17.
#include <algorithm>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"
#include "src/predict/sklearn/preprocessing.h"

namespace jackdaw::predict {
namespace {

// Each vector is empty or has one entry per column; applied in the order of the members.
struct ScalerSteps {
  std::vector<double> subtract;
  std::vector<double> divide;
  std::vector<double> multiply;
  std::vector<double> add;
  bool clip = false;
  double clip_low = 0;
  double clip_high = 0;
  // Since 1.8 StandardScaler rounds its parameters to the input's width first.
  bool round_parameters = false;
};

class Scaler : public Transformer {
 public:
  Scaler(InputRule rule, ScalerSteps steps) : Transformer(std::move(rule)), steps_(std::move(steps)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    return scale(std::move(in).take());
  }
  Result<Frame> transform_owned(Frame&& x) const override {
    JACKDAW_ASSIGN(Matrix in, check_owned_input(std::move(x), rule_));
    return scale(std::move(in));
  }
  Result<Frame> inverse_transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    if (m.sparse) return lacks(Method::transform);
    for_each(m, steps_.add, [](double v, double p) { return v - p; });
    for_each(m, steps_.multiply, [](double v, double p) { return v / p; });
    for_each(m, steps_.divide, [](double v, double p) { return v * p; });
    for_each(m, steps_.subtract, [](double v, double p) { return v + p; });
    return Frame(std::move(m));
  }
  std::size_t resident_bytes() const override {
    return sizeof(*this) + 8 * (steps_.subtract.size() + steps_.divide.size() + steps_.multiply.size() * 2);
  }

 private:
  template <typename Op>
  void for_each(Matrix& m, const std::vector<double>& parameters, Op op) const {
    if (parameters.empty()) return;
    const bool narrow = m.dtype == DType::fp32;
    for (std::size_t r = 0; r < m.rows; ++r) {
      double* row = m.row(r);
      for (std::size_t c = 0; c < m.cols; ++c) {
        if (!narrow) {
          row[c] = op(row[c], parameters[c]);
        } else {
          const double p = steps_.round_parameters ? round_to(m.dtype, parameters[c]) : parameters[c];
          row[c] = round_to(m.dtype, op(row[c], p));
        }
      }
    }
  }

  void clip(Matrix& m) const {
    if (!steps_.clip) return;
    const double low = round_to(m.dtype, steps_.clip_low);
    const double high = round_to(m.dtype, steps_.clip_high);
    for (double& v : m.values) v = v < low ? low : v > high ? high : v;
  }

  Result<Frame> scale(Matrix m) const {
    if (m.sparse) return scale_sparse(std::move(m));
    for_each(m, steps_.subtract, [](double v, double p) { return v - p; });
    for_each(m, steps_.divide, [](double v, double p) { return v / p; });
    for_each(m, steps_.multiply, [](double v, double p) { return v * p; });
    for_each(m, steps_.add, [](double v, double p) { return v + p; });
    clip(m);
    return Frame(std::move(m));
  }

  Result<Frame> scale_sparse(Matrix m) const {
    if (!steps_.subtract.empty() && rule_.class_name == "StandardScaler") {
      return make_error(Code::invalid_argument,
                        "Cannot center sparse matrices: pass `with_mean=False` instead when fitting {}.",
                        rule_.class_name);
    }
    if (!steps_.divide.empty()) {
      for (std::size_t k = 0; k < m.values.size(); ++k) {
        m.values[k] = round_to(m.dtype, m.values[k] * (1.0 / steps_.divide[m.columns[k]]));
      }
    }
    clip(m);
    return Frame(std::move(m));
  }

  ScalerSteps steps_;
};

// An attribute with one number per column; at least one, because an empty vector stands for a step that is off.
Result<std::vector<double>> per_column(const BuildContext& c, std::string_view name) {
  JACKDAW_ASSIGN(std::vector<double> values, c.doubles(name));
  if (values.empty()) return c.error(Code::parse_error, fmt::format("the attribute '{}' is empty", name));
  return values;
}

// The same, or nothing when its step is off.
Result<std::vector<double>> per_column(const BuildContext& c, std::string_view name, bool wanted) {
  if (!wanted) return std::vector<double>{};
  return per_column(c, name);
}

Result<std::unique_ptr<Estimator>> build_scaler(const BuildContext& c, ScalerSteps steps, bool accept_sparse) {
  InputRule rule = InputRule::of(c);
  rule.finite = Finite::nan_allowed;
  rule.numbers = Numbers::floats;
  rule.accept_sparse = accept_sparse;
  for (const auto* parameters : {&steps.subtract, &steps.divide, &steps.multiply, &steps.add}) {
    if (!parameters->empty()) JACKDAW_TRY(fit_width(c, rule, parameters->size()));
  }
  return std::unique_ptr<Estimator>(new Scaler(std::move(rule), std::move(steps)));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_standard_scaler(const BuildContext& c) {
  ScalerSteps steps;
  JACKDAW_ASSIGN(steps.subtract, per_column(c, "mean_", c.flag_or("with_mean", true)));
  JACKDAW_ASSIGN(steps.divide, per_column(c, "scale_", c.flag_or("with_std", true)));
  steps.round_parameters = written_since(c, 1, 8);
  return build_scaler(c, std::move(steps), true);
}

Result<std::unique_ptr<Estimator>> build_min_max_scaler(const BuildContext& c) {
  ScalerSteps steps;
  JACKDAW_ASSIGN(steps.multiply, per_column(c, "scale_"));
  JACKDAW_ASSIGN(steps.add, per_column(c, "min_"));
  steps.clip = c.flag_or("clip", false);
  if (steps.clip) {
    JACKDAW_ASSIGN(const std::vector<double> range, c.doubles("feature_range"));
    if (range.size() != 2) return c.error(Code::parse_error, "'feature_range' is not a pair");
    steps.clip_low = range[0];
    steps.clip_high = range[1];
  }
  return build_scaler(c, std::move(steps), false);
}

Result<std::unique_ptr<Estimator>> build_max_abs_scaler(const BuildContext& c) {
  ScalerSteps steps;
  JACKDAW_ASSIGN(steps.divide, per_column(c, "scale_"));
  steps.clip = c.flag_or("clip", false);
  steps.clip_low = -1;
  steps.clip_high = 1;
  return build_scaler(c, std::move(steps), true);
}

Result<std::unique_ptr<Estimator>> build_robust_scaler(const BuildContext& c) {
  ScalerSteps steps;
  JACKDAW_ASSIGN(steps.subtract, per_column(c, "center_", c.flag_or("with_centering", true)));
  JACKDAW_ASSIGN(steps.divide, per_column(c, "scale_", c.flag_or("with_scaling", true)));
  return build_scaler(c, std::move(steps), true);
}

}  // namespace jackdaw::predict
