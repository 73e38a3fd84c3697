// What the imputers share: the missing-value mark, the indicator columns, and the builders in their own files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

// missing_values: NaN, None (pandas.NA counts as it), a number or a text.
struct MissingMark {
  enum class Kind : unsigned char { nan, none, number, text } kind = Kind::nan;
  double number = 0;
  std::string text;

  static MissingMark read(const BuildContext& context);
  bool matches(double value) const;
  bool matches(const ColumnView& column, std::size_t r) const;
  // NaN may be in the input only when it is the mark.
  Finite finite() const { return kind == Kind::nan || kind == Kind::none ? Finite::nan_allowed : Finite::required; }
};

// indicator_.features_ when add_indicator is on; nullopt when it is off.
Result<std::optional<std::vector<std::size_t>>> read_indicator(const BuildContext& context, std::size_t width);

// `values` with one 0/1 column per entry of `features` appended, from a mask of the original input.
Matrix with_indicator(const Matrix& values, const std::vector<std::uint8_t>& mask, std::size_t mask_cols,
                      const std::vector<std::size_t>& features);

Result<std::unique_ptr<Estimator>> build_missing_indicator(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_knn_imputer(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_iterative_imputer(const BuildContext& context);

}  // namespace jackdaw::predict
