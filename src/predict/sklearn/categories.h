// Categories: the fitted category lists of an encoder and the look-up of a column's values in them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

// The categories of one column: numbers (booleans as 0 and 1), texts, None and NaN, in the fitted order.
class Categories {
 public:
  static constexpr std::uint32_t unknown = 0xffffffffu;

  static Result<Categories> read(const BuildContext& context, formats::NodeId node, std::string_view name);

  std::size_t size() const { return size_; }
  // Index of the value in row r, or `unknown`. A missing value is None where None is a category, else NaN.
  std::uint32_t find(const ColumnView& column, std::size_t r) const;
  std::uint32_t missing_index() const { return none_ != unknown ? none_ : nan_; }
  std::size_t resident_bytes() const { return size_ * 48; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view t) const { return std::hash<std::string_view>{}(t); }
  };
  Result<void> add(const BuildContext& context, formats::NodeId node, std::string_view name);

  std::size_t size_ = 0;
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> texts_;
  std::unordered_map<double, std::uint32_t> numbers_;
  std::uint32_t none_ = unknown;
  std::uint32_t nan_ = unknown;
};

// categories_: a list with one array per column.
Result<std::vector<Categories>> read_categories(const BuildContext& context);

// scikit-learn's refusal: "Found unknown categories ['x', nan] in column 2 during transform".
Error unknown_categories(const Categories& categories, const ColumnView& column, std::size_t place);

// The estimator's `dtype` attribute: a numpy scalar type, a dtype object, or the builtin int, float, bool.
DType dtype_attribute(const BuildContext& context, std::string_view name, DType fallback);

}  // namespace jackdaw::predict
