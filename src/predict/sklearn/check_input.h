// check_input: what scikit-learn's validate_data does before an estimator sees its input, in one place.
//
// Width and names against the fit, text where numbers are wanted, NaN and infinity where the estimator takes none, the
// dtype the arithmetic will run in. Errors are the user's and begin with scikit-learn's own words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

enum class Finite : unsigned char { required, nan_allowed, any };
// check_array's dtype: numeric keeps integers as they are; floats makes integers float64 (FLOAT_DTYPES).
enum class Numbers : unsigned char { numeric, floats, fp64, fp32 };

struct InputRule {
  std::string class_name;          // "StandardScaler", for messages
  std::int64_t n_features = -1;    // -1: any width
  std::vector<std::string> names;  // feature_names_in_, or empty
  Finite finite = Finite::required;
  Numbers numbers = Numbers::numeric;
  bool accept_sparse = false;

  // n_features_in_ and feature_names_in_ of the object; the width is -1 before scikit-learn 0.24.
  static InputRule of(const BuildContext& context);
  // For files older than n_features_in_: the width the fitted arrays imply.
  void width_if_unknown(std::size_t width);
};

// Holds the rule to the width the fitted arrays imply: sets it when the file says none, an error when they differ.
Result<void> fit_width(const BuildContext& context, InputRule& rule, std::size_t width);

// The matrix an estimator may use: the caller's own, or one made here.
class MatrixRef {
 public:
  MatrixRef() = default;
  explicit MatrixRef(const Matrix* borrowed) : borrowed_(borrowed) {}
  explicit MatrixRef(Matrix&& owned) : owned_(std::move(owned)) {}
  const Matrix& operator*() const { return borrowed_ != nullptr ? *borrowed_ : owned_; }
  const Matrix* operator->() const { return &**this; }
  // A matrix to write into: the own one, or a copy of the borrowed one.
  Matrix take() && { return borrowed_ != nullptr ? Matrix(*borrowed_) : std::move(owned_); }

 private:
  const Matrix* borrowed_ = nullptr;
  Matrix owned_;
};

Result<MatrixRef> check_input(const Frame& x, const InputRule& rule);
// The same for a frame nobody needs any more: its numbers are moved, not copied.
Result<Matrix> check_owned_input(Frame&& x, const InputRule& rule);

// Column by column, in the order of the fit, texts allowed: for encoders and imputers. The views live as long as `x`.
Result<std::vector<ColumnView>> check_columns(const Frame& x, const InputRule& rule);

// Base of estimators that validate their input by one rule.
class RuledEstimator : public Estimator {
 public:
  explicit RuledEstimator(InputRule rule) : rule_(std::move(rule)) {}
  std::int64_t n_features_in() const override { return rule_.n_features; }
  std::span<const std::string> feature_names_in() const override { return rule_.names; }

 protected:
  Error lacks(Method method) const;
  InputRule rule_;
};

// Base of transformers: transform is all they can do.
class Transformer : public RuledEstimator {
 public:
  using RuledEstimator::RuledEstimator;
  bool supports(Method method) const override { return method == Method::transform; }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override;
  std::size_t resident_bytes() const override { return sizeof(*this); }
};

// Base of predictors that cannot transform.
class Predictor : public RuledEstimator {
 public:
  using RuledEstimator::RuledEstimator;
  Result<Frame> transform(const Frame& x) const override;
};

}  // namespace jackdaw::predict
