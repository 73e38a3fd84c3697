// Estimators made of other estimators: what they share, and the builders of ensembles.cpp's table.
#pragma once

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

// The fitted estimators inside one.
struct Members {
  std::vector<std::unique_ptr<Estimator>> all;

  std::size_t size() const { return all.size(); }
  const Estimator& operator[](std::size_t i) const { return *all[i]; }
  const Estimator& front() const { return *all.front(); }
  // True when every member has it.
  bool support(Method method) const;
  double cost_ns(std::size_t rows) const;
  std::size_t resident_bytes() const;
};

// A list attribute of estimators. The texts "drop" and "passthrough" and None are left out.
Result<Members> read_members(const BuildContext& context, std::string_view name = "estimators_");
// Width and names of the ensemble, or of its first member when it does not say.
Signature member_signature(const BuildContext& context, const Members& members);
// A method's numbers, checked to have `rows` rows.
Result<Matrix> member_numbers(const Estimator& member, Method method, const Frame& x, std::size_t rows);
// One score per row of a two-class member: predict of a regressor, decision_function, or the second probability.
Result<std::vector<double>> binary_scores(const Estimator& member, const Frame& x, std::size_t rows);
// What such a score is compared with.
double binary_threshold(const Estimator& member);
// votes + squeezed confidences per class from one prediction (0 or 1) and one confidence per pair i < j.
Matrix pair_scores(const Matrix& predictions, const Matrix& confidences, std::size_t classes);

Result<std::unique_ptr<Estimator>> build_bagging_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_bagging_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_voting_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_voting_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_stacking_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_stacking_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_calibrated(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_one_vs_rest(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_one_vs_one(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_output_code(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_constant_predictor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_multi_output_classifier(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_multi_output_regressor(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_classifier_chain(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_regressor_chain(const BuildContext& context);

}  // namespace jackdaw::predict
