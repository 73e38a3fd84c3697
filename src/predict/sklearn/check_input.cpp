#include "src/predict/sklearn/check_input.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace jackdaw::predict {
namespace {

Error wrong_width(std::size_t width, const InputRule& rule) {
  return make_error(Code::invalid_argument, "X has {} features, but {} is expecting {} features as input.", width,
                    rule.class_name, rule.n_features);
}

Error no_rows(std::size_t width, const InputRule& rule) {
  return make_error(Code::invalid_argument,
                    "Found array with 0 sample(s) (shape=(0, {})) while a minimum of 1 is required by {}.", width,
                    rule.class_name);
}

Result<void> check_shape(std::size_t rows, std::size_t width, const InputRule& rule) {
  if (rows == 0) return no_rows(width, rule);
  if (rule.n_features >= 0 && static_cast<std::int64_t>(width) != rule.n_features) return wrong_width(width, rule);
  return {};
}

// True when a sum cannot rule out NaN and infinity; then the slow loop looks closer.
bool maybe_not_finite(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += v * 0.0;
  return sum != 0.0;
}

std::string_view numpy_name(DType dtype) {
  static constexpr std::string_view names[] = {"bool",  "uint8", "uint16",  "uint32",   "uint64",  "int8",    "int16",
                                               "int32", "int64", "float16", "bfloat16", "float32", "float64", "object"};
  return names[static_cast<std::size_t>(dtype)];
}

Result<void> check_finite(const Matrix& x, const InputRule& rule) {
  if (rule.finite == Finite::any || !maybe_not_finite(x.values)) return {};
  const bool has_nan = std::any_of(x.values.begin(), x.values.end(), [](double v) { return std::isnan(v); });
  if (has_nan && rule.finite == Finite::required) {
    return make_error(Code::invalid_argument,
                      "Input X contains NaN. {} does not accept missing values: put an imputer before it in the "
                      "pipeline, or fill them in before sending.",
                      rule.class_name);
  }
  if (std::any_of(x.values.begin(), x.values.end(), [](double v) { return std::isinf(v); })) {
    return make_error(Code::invalid_argument, "Input X contains infinity or a value too large for dtype('{}').",
                      numpy_name(x.dtype));
  }
  return {};
}

DType wanted_dtype(DType have, Numbers want) {
  if (have == DType::fp16 || have == DType::bf16) have = DType::fp32;  // numpy would compute in float16; we are wider
  switch (want) {
    case Numbers::numeric:
      return have;
    case Numbers::floats:
      return float_dtype(have);
    case Numbers::fp64:
      return DType::fp64;
    case Numbers::fp32:
      return DType::fp32;
  }
  return have;
}

// Python's float(text) for the plain forms; surrounding blanks are allowed.
std::optional<double> parse_number(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error not_a_number(std::string_view text, const ColumnView& column, const InputRule& rule) {
  const std::string_view shown = text.substr(0, 60);
  if (column.name().empty()) {
    return make_error(Code::invalid_argument, "could not convert string to float: '{}'. {} takes numbers only.", shown,
                      rule.class_name);
  }
  return make_error(Code::invalid_argument,
                    "could not convert string to float: '{}' (column '{}'). {} takes numbers only.", shown,
                    column.name(), rule.class_name);
}

Result<void> copy_column(const ColumnView& column, std::size_t c, const InputRule& rule, Matrix& out) {
  for (std::size_t r = 0; r < out.rows; ++r) {
    double value = std::numeric_limits<double>::quiet_NaN();
    if (!column.is_missing(r)) {
      if (column.is_text()) {
        const auto parsed = parse_number(column.text(r));
        if (!parsed) return not_a_number(column.text(r), column, rule);
        value = *parsed;
      } else {
        value = column.number(r);
      }
    }
    out.row(r)[c] = value;
  }
  return {};
}

// numpy's common dtype of the columns; object columns (texts, holes) become float64.
DType common_dtype(const std::vector<ColumnView>& columns) {
  if (columns.empty()) return DType::fp64;
  std::optional<DType> common;
  for (const ColumnView& column : columns) {
    DType dtype = column.is_text() ? DType::fp64 : column.dtype();
    if (!is_float(dtype)) {
      for (std::size_t r = 0; r < column.rows(); ++r) {
        if (column.is_missing(r)) dtype = DType::fp64;
      }
    }
    common = common ? promote(*common, dtype) : dtype;
  }
  return *common;
}

Result<Matrix> columns_to_matrix(const std::vector<ColumnView>& columns, std::size_t rows, const InputRule& rule) {
  Matrix out = Matrix::dense(rows, columns.size(), common_dtype(columns));
  for (std::size_t c = 0; c < columns.size(); ++c) JACKDAW_TRY(copy_column(columns[c], c, rule, out));
  return out;
}

std::string bullet_list(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 5; ++i) out += "\n- " + names[i];
  if (names.size() > 5) out += "\n- ...";
  return out;
}

Error wrong_names(const DataFrame& frame, const InputRule& rule) {
  std::vector<std::string> unseen;
  std::vector<std::string> missing = rule.names;
  for (const Column& column : frame.columns) {
    const auto known = std::find(missing.begin(), missing.end(), column.name);
    if (known == missing.end()) {
      unseen.push_back(column.name);
    } else {
      missing.erase(known);
    }
  }
  std::string message = "The feature names should match those that were passed during fit.";
  if (!unseen.empty()) message += "\nFeature names unseen at fit time:" + bullet_list(unseen);
  if (!missing.empty()) message += "\nFeature names seen at fit time, yet now missing:" + bullet_list(missing);
  return Error{Code::invalid_argument, message, {}};
}

bool all_named(const DataFrame& frame) {
  return std::all_of(frame.columns.begin(), frame.columns.end(), [](const Column& c) { return !c.name.empty(); });
}

bool same_order(const DataFrame& frame, const std::vector<std::string>& names) {
  return frame.columns.size() == names.size() &&
         std::equal(names.begin(), names.end(), frame.columns.begin(),
                    [](const std::string& name, const Column& column) { return name == column.name; });
}

// Columns of a data frame in the order of the fit.
Result<std::vector<ColumnView>> ordered_columns(const DataFrame& frame, const InputRule& rule) {
  std::vector<ColumnView> out;
  out.reserve(frame.columns.size());
  if (rule.names.empty() || !all_named(frame) || same_order(frame, rule.names)) {
    for (const Column& column : frame.columns) out.emplace_back(column);
    return out;
  }
  std::unordered_map<std::string_view, const Column*> by_name;
  for (const Column& column : frame.columns) by_name.emplace(column.name, &column);
  if (by_name.size() != frame.columns.size() || frame.columns.size() != rule.names.size()) {
    return wrong_names(frame, rule);
  }
  for (const std::string& name : rule.names) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) return wrong_names(frame, rule);
    out.emplace_back(*found->second);
  }
  return out;
}

Error sparse_refused(const InputRule& rule) {
  return make_error(Code::invalid_argument,
                    "Sparse data was passed, but dense data is required: {} takes no sparse output of the step before "
                    "it.",
                    rule.class_name);
}

Result<void> check_matrix(const Matrix& x, const InputRule& rule) {
  if (x.sparse && !rule.accept_sparse) return sparse_refused(rule);
  JACKDAW_TRY(check_shape(x.rows, x.cols, rule));
  return check_finite(x, rule);
}

void set_dtype(Matrix& x, DType dtype) {
  x.dtype = dtype;
  round_all(x);
}

Result<Matrix> matrix_of_columns(const Frame& x, const InputRule& rule) {
  JACKDAW_ASSIGN(const std::vector<ColumnView> columns, check_columns(x, rule));
  JACKDAW_ASSIGN(Matrix out, columns_to_matrix(columns, frame_rows(x), rule));
  set_dtype(out, wanted_dtype(out.dtype, rule.numbers));
  JACKDAW_TRY(check_finite(out, rule));
  return out;
}

}  // namespace

InputRule InputRule::of(const BuildContext& context) {
  InputRule rule;
  rule.class_name = context.short_class();
  rule.n_features = context.integer_or("n_features_in_", -1);
  rule.names = context.strings_or_empty("feature_names_in_");
  if (rule.n_features < 0) rule.n_features = rule.names.empty() ? -1 : static_cast<std::int64_t>(rule.names.size());
  if (static_cast<std::int64_t>(rule.names.size()) != rule.n_features) rule.names.clear();
  return rule;
}

void InputRule::width_if_unknown(std::size_t width) {
  if (n_features < 0) n_features = static_cast<std::int64_t>(width);
}

Result<void> fit_width(const BuildContext& context, InputRule& rule, std::size_t width) {
  rule.width_if_unknown(width);
  if (rule.n_features == static_cast<std::int64_t>(width)) return {};
  return context.error(Code::parse_error, fmt::format("the fitted arrays are for {} features, but n_features_in_ is {}",
                                                      width, rule.n_features));
}

Result<MatrixRef> check_input(const Frame& x, const InputRule& rule) {
  const auto* matrix = std::get_if<Matrix>(&x);
  if (matrix == nullptr) {
    JACKDAW_ASSIGN(Matrix made, matrix_of_columns(x, rule));
    return MatrixRef(std::move(made));
  }
  const DType dtype = wanted_dtype(matrix->dtype, rule.numbers);
  if (dtype == matrix->dtype) {
    JACKDAW_TRY(check_matrix(*matrix, rule));
    return MatrixRef(matrix);
  }
  Matrix copy = *matrix;
  set_dtype(copy, dtype);
  JACKDAW_TRY(check_matrix(copy, rule));
  return MatrixRef(std::move(copy));
}

Result<Matrix> check_owned_input(Frame&& x, const InputRule& rule) {
  auto* matrix = std::get_if<Matrix>(&x);
  if (matrix == nullptr) return matrix_of_columns(x, rule);
  Matrix out = std::move(*matrix);
  if (const DType dtype = wanted_dtype(out.dtype, rule.numbers); dtype != out.dtype) set_dtype(out, dtype);
  JACKDAW_TRY(check_matrix(out, rule));
  return out;
}

Result<std::vector<ColumnView>> check_columns(const Frame& x, const InputRule& rule) {
  std::vector<ColumnView> out;
  if (const auto* matrix = std::get_if<Matrix>(&x)) {
    if (matrix->sparse) return sparse_refused(rule);
    JACKDAW_TRY(check_shape(matrix->rows, matrix->cols, rule));
    out.reserve(matrix->cols);
    for (std::size_t c = 0; c < matrix->cols; ++c) out.emplace_back(*matrix, c);
    return out;
  }
  if (const auto* texts = std::get_if<Texts>(&x)) {
    JACKDAW_TRY(check_shape(texts->values.size(), 1, rule));
    out.emplace_back(*texts);
    return out;
  }
  const auto& frame = std::get<DataFrame>(x);
  JACKDAW_ASSIGN(out, ordered_columns(frame, rule));
  JACKDAW_TRY(check_shape(frame.rows, out.size(), rule));
  return out;
}

Error RuledEstimator::lacks(Method method) const {
  return make_error(Code::unsupported, "'{}' object has no attribute '{}'", rule_.class_name, method_name(method));
}

Result<Output> Transformer::run(Method method, const Frame& x) const {
  if (method == Method::transform) return transform_output(x);
  return lacks(method);
}

double Transformer::cost_ns(std::size_t rows) const {
  const double width = rule_.n_features > 0 ? static_cast<double>(rule_.n_features) : 16.0;
  return 60.0 + 2.0 * width * static_cast<double>(rows);
}

Result<Frame> Predictor::transform(const Frame&) const {
  return lacks(Method::transform);
}

}  // namespace jackdaw::predict
