// FittedEstimator: what the families of this folder's ensembles, kernels and neighbours share. A name and a width, the
// classes, and the arithmetic of turning scores into labels and probabilities.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/predict/sklearn/check_input.h"
#include "src/predict/sklearn/labels.h"

namespace jackdaw::predict {

struct Signature {
  InputRule rule;
  std::vector<Labels> classes;  // one entry per output of a classifier
};

// n_features_in_ (before 0.24 `n_features_`, else `fallback`), names and class name. Classes are left to the caller.
Signature read_signature(const BuildContext& context, std::int64_t fallback = -1);

// check_input for estimators that take sparse rows, but work on dense ones here.
Result<MatrixRef> dense_input(const Frame& x, const InputRule& rule);

// ---- arrays -------------------------------------------------------------------------------------------------------

// Columns of equal length side by side: (n,) each becomes (n, columns), in the first one's dtype.
engine::Tensor stack_columns(std::span<const engine::Tensor> columns);
// A nested estimator's numbers: (n,) counts as (n, 1). Error when it is text.
Result<Matrix> tensor_numbers(const engine::Tensor& tensor);
// Positions in `labels` of the elements of an array of class labels.
Result<std::vector<std::uint32_t>> label_positions(const Labels& labels, const engine::Tensor& tensor);
// Index of the largest value of each row; the first of equals.
std::vector<std::uint32_t> row_argmax(const Matrix& m);
void log_in_place(Matrix& m);
// exp(row - logsumexp(row)).
void softmax_in_place(Matrix& m);
// row - logsumexp(row).
void log_softmax_in_place(Matrix& m);
double sigmoid(double v);
// The single array of an output. Error when there are several.
Result<Matrix> only_numbers(const Result<Output>& output);

// ---- the object graph ---------------------------------------------------------------------------------------------

// Elements of a list, tuple or object array (in C order); nullopt for anything else.
std::optional<std::vector<formats::NodeId>> list_of(const formats::ObjectGraph& graph, formats::NodeId node);
// The same for an attribute, as an error that names it; at least one element.
Result<std::vector<formats::NodeId>> object_list(const BuildContext& context, std::string_view name);
// Labels 0 .. n-1, as an estimator fitted on encoded targets has them.
Labels range_labels(std::size_t n);
// True when the object was written by scikit-learn major.minor or later, or does not say by which.
bool written_since(const BuildContext& context, int major, int minor);
// A 2-d array with its shape checked: rows or cols of -1 take any.
Result<Matrix> shaped_matrix(const BuildContext& context, std::string_view name, std::int64_t rows, std::int64_t cols);
Result<std::vector<double>> sized_doubles(const BuildContext& context, std::string_view name, std::size_t count);
// Counts bytes copied out of the graph against the model's budget: a small file may refer to one array many times.
Result<void> spend_bytes(const BuildContext& context, std::uint64_t bytes);
// A matrix or vector anywhere in the graph; a 1-d array counts as one row.
Result<Matrix> matrix_at(const BuildContext& context, formats::NodeId node, std::string_view name);

// Puts path, class and `name` before what a reader of bytes said.
template <typename T>
Result<T> placed(const BuildContext& context, std::string_view name, Result<T> got) {
  if (got) return got;
  return context.error(got.error().code, fmt::format("{}: {}", name, got.error().text()));
}

class FittedEstimator : public Estimator {
 public:
  explicit FittedEstimator(Signature signature) : signature_(std::move(signature)) {}
  std::int64_t n_features_in() const override { return signature_.rule.n_features; }
  std::span<const std::string> feature_names_in() const override { return signature_.rule.names; }
  std::span<const Labels> classes() const override { return signature_.classes; }
  Result<Frame> transform(const Frame& x) const override;

 protected:
  const Signature& signature() const { return signature_; }
  const InputRule& rule() const { return signature_.rule; }
  Error no_method(Method method) const;

 private:
  Signature signature_;
};

// A classifier of one output whose label is the argmax of its probabilities.
class ProbabilityClassifier : public FittedEstimator {
 public:
  using FittedEstimator::FittedEstimator;
  bool supports(Method method) const override;
  Result<Output> run(Method method, const Frame& x) const override;

 protected:
  virtual Result<Matrix> probabilities(const Frame& x) const = 0;
  virtual Result<Matrix> log_probabilities(const Frame& x) const;
  // What predict takes the argmax of; the probabilities unless overridden.
  virtual Result<Matrix> votes(const Frame& x) const { return probabilities(x); }
  virtual bool has_decision() const { return false; }
  virtual Result<Output> decision(const Frame&) const { return no_method(Method::decision_function); }
};

// A regressor of one or several outputs: (n,) for one, (n, outputs) for more.
class MatrixRegressor : public FittedEstimator {
 public:
  using FittedEstimator::FittedEstimator;
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override;

 protected:
  virtual Result<Matrix> values(const Frame& x) const = 0;
  virtual bool keeps_two_dimensions() const { return false; }
};

}  // namespace jackdaw::predict
