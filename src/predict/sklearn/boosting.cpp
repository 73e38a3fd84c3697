#include "src/predict/sklearn/boosting.h"

#include <cmath>

namespace jackdaw::predict {

bool RawScoreClassifier::supports(Method method) const {
  return method == Method::predict || method == Method::predict_proba || method == Method::predict_log_proba ||
         method == Method::decision_function;
}

namespace {

Matrix two_columns(const Matrix& raw, double scale) {
  Matrix out = Matrix::dense(raw.rows, 2, raw.dtype);
  for (std::size_t r = 0; r < raw.rows; ++r) {
    const double p = sigmoid(scale * raw.values[r]);
    out.row(r)[0] = 1.0 - p;
    out.row(r)[1] = p;
  }
  return out;
}

std::vector<std::uint32_t> signs(const Matrix& raw, bool zero_is_positive) {
  std::vector<std::uint32_t> out(raw.rows);
  for (std::size_t r = 0; r < raw.rows; ++r) out[r] = zero_is_positive ? raw.values[r] >= 0.0 : raw.values[r] > 0.0;
  return out;
}

}  // namespace

Result<Output> RawScoreClassifier::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(Matrix raw, raw_scores(x));
  const bool binary = raw.cols == 1;
  if (method == Method::decision_function) return binary ? vector_output(raw.dtype, raw.values) : matrix_output(raw);
  if (method == Method::predict) {
    return one_array(label_tensor(classes()[0], binary ? signs(raw, zero_is_positive()) : row_argmax(raw)));
  }
  if (binary) {
    raw = two_columns(raw, sigmoid_scale());
  } else {
    softmax_in_place(raw);
  }
  if (method == Method::predict_log_proba) log_in_place(raw);
  return matrix_output(raw);
}

namespace {

constexpr ClassRow rows[] = {
    {"sklearn.ensemble.GradientBoostingClassifier", build_gradient_boosting_classifier},
    {"sklearn.ensemble.GradientBoostingRegressor", build_gradient_boosting_regressor},
    {"sklearn.ensemble.HistGradientBoostingClassifier", build_hist_classifier},
    {"sklearn.ensemble.HistGradientBoostingRegressor", build_hist_regressor},
    {"sklearn.ensemble.AdaBoostClassifier", build_adaboost_classifier},
    {"sklearn.ensemble.AdaBoostRegressor", build_adaboost_regressor},
};

}  // namespace

std::span<const ClassRow> boosting_rows() {
  return rows;
}

}  // namespace jackdaw::predict
