// Data frames for tree models: columns to features, category names to codes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/inputs.h"

namespace jackdaw::predict {
namespace {

using engine::InferenceRequest;
using engine::Tensor;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::string quoted_list(std::span<const std::string> names) {
  std::string out = "[";
  for (const std::string& name : names) out += fmt::format("{}'{}'", out.size() == 1 ? "" : ", ", name);
  return out + "]";
}

// xgboost's words (core.py, Booster._validate_features).
Error names_mismatch(const InferenceRequest& request, std::span<const std::string> names,
                     const std::vector<std::string>& absent) {
  std::vector<std::string> sent;
  for (const Tensor& tensor : request.inputs) sent.push_back(tensor.name);
  std::string expected;
  for (const std::string& name : absent) expected += fmt::format("{}{}", expected.empty() ? "" : ", ", name);
  return make_error(Code::invalid_argument, "feature_names mismatch: {} {}\nexpected {} in input data",
                    quoted_list(names), quoted_list(sent), expected);
}

using Selected = std::vector<const Tensor*>;  // per feature; null = no column

Result<Selected> select_by_name(const InferenceRequest& request, const ColumnRule& rule,
                                const std::unordered_map<std::string_view, const Tensor*>& columns) {
  Selected out;
  std::vector<std::string> absent;
  for (const std::string& name : rule.names) {
    const auto found = columns.find(name);
    out.push_back(found == columns.end() ? nullptr : found->second);
    if (found == columns.end()) absent.push_back(name);
  }
  if (!absent.empty() && !rule.absent_is_missing) return names_mismatch(request, rule.names, absent);
  return out;
}

Result<Selected> select_columns(const InferenceRequest& request, const ColumnRule& rule) {
  std::unordered_map<std::string_view, const Tensor*> columns;
  for (const Tensor& tensor : request.inputs) {
    JACKDAW_TRY(check_tensor(tensor));
    if (!columns.emplace(tensor.name, &tensor).second && !tensor.name.empty()) {
      return make_error(Code::invalid_argument, "Two columns are called '{}'.", tensor.name);
    }
  }
  const bool by_name = std::any_of(rule.names.begin(), rule.names.end(),
                                   [&](const std::string& name) { return columns.contains(name); });
  if (by_name) return select_by_name(request, rule, columns);
  if (request.inputs.size() != rule.n_features) {
    return make_error(Code::invalid_argument, "Feature shape mismatch, expected: {}, got {}", rule.n_features,
                      request.inputs.size());
  }
  Selected out;
  for (const Tensor& tensor : request.inputs) out.push_back(&tensor);
  return out;
}

bool holds_texts(const Tensor* tensor) {
  if (tensor == nullptr || tensor->dtype != DType::bytes) return false;
  // A column of nulls alone has no type of its own.
  return tensor->missing.empty() ||
         std::any_of(tensor->missing.begin(), tensor->missing.end(), [](auto m) { return m == 0; });
}

Result<void> read_texts(const Tensor& tensor, std::size_t feature, const ColumnRule& rule, std::vector<double>& out) {
  if (rule.categories == nullptr || !rule.categories->has(feature)) {
    return make_error(Code::invalid_argument,
                      "pandas dtypes must be int, float or bool.\nFields with bad pandas dtypes: {}: object",
                      tensor.name);
  }
  for (std::size_t row = 0; row < tensor.strings.size(); ++row) {
    if (!tensor.missing.empty() && tensor.missing[row] != 0) continue;
    out[row] = rule.categories->code(feature, tensor.strings[row]);
    if (std::isnan(out[row]) && !rule.unknown_is_missing) {
      return make_error(Code::invalid_argument,
                        "Found a category not in the training set for the `{}`th (0-based) column: `{}`", feature,
                        tensor.strings[row].substr(0, 100));
    }
  }
  return {};
}

Result<void> read_column(const Tensor& tensor, std::size_t feature, bool by_value, const ColumnRule& rule,
                         std::vector<double>& out) {
  if (holds_texts(&tensor)) return read_texts(tensor, feature, rule, out);
  if (tensor.dtype == DType::bytes) return {};
  JACKDAW_TRY(read_elements(tensor, out.data()));
  if (!by_value || !rule.categories->has(feature)) return {};
  for (std::size_t row = 0; row < tensor.element_count(); ++row) {
    if (!std::isnan(out[row])) out[row] = rule.categories->code(feature, out[row]);
  }
  return {};
}

}  // namespace

void CategoryTable::set(std::size_t feature, const std::vector<std::string>& texts,
                        const std::vector<double>& numbers) {
  Codes& codes = features_[feature];
  for (std::size_t i = 0; i < texts.size(); ++i) codes.by_text.emplace(texts[i], static_cast<double>(i));
  for (std::size_t i = 0; i < numbers.size(); ++i) codes.by_number.emplace(numbers[i], static_cast<double>(i));
}

double CategoryTable::code(std::size_t feature, const std::string& text) const {
  const auto& codes = features_.at(feature).by_text;
  const auto found = codes.find(text);
  return found == codes.end() ? nan : found->second;
}

double CategoryTable::code(std::size_t feature, double number) const {
  const auto& codes = features_.at(feature).by_number;
  const auto found = codes.find(number);
  return found == codes.end() ? nan : found->second;
}

Result<FrameRows> rows_from_columns(const InferenceRequest& request, const ColumnRule& rule) {
  JACKDAW_ASSIGN(const Selected selected, select_columns(request, rule));
  const bool by_value = rule.categories != nullptr && std::any_of(selected.begin(), selected.end(), holds_texts);
  FrameRows out;
  out.rows = request_rows(request);
  std::size_t cells = 0;
  if (!checked_mul(out.rows, rule.n_features, cells) || cells > (std::size_t{1} << 30)) {
    return make_error(Code::too_large, "{} rows of {} features are too many for one request.", out.rows,
                      rule.n_features);
  }
  out.values.resize(cells);
  std::vector<double> column;
  for (std::size_t feature = 0; feature < selected.size(); ++feature) {
    column.assign(out.rows, nan);
    if (selected[feature] != nullptr) JACKDAW_TRY(read_column(*selected[feature], feature, by_value, rule, column));
    for (std::size_t row = 0; row < out.rows; ++row) out.values[row * rule.n_features + feature] = column[row];
  }
  return out;
}

}  // namespace jackdaw::predict
