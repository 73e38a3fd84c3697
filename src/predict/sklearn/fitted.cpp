#include "src/predict/sklearn/fitted.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

Signature read_signature(const BuildContext& context, std::int64_t fallback) {
  Signature out;
  out.rule = InputRule::of(context);
  if (out.rule.n_features < 0) out.rule.n_features = context.integer_or("n_features_", fallback);
  return out;
}

Result<MatrixRef> dense_input(const Frame& x, const InputRule& rule) {
  const auto* matrix = std::get_if<Matrix>(&x);
  if (matrix == nullptr || !matrix->sparse) return check_input(x, rule);
  InputRule sparse_rule = rule;
  sparse_rule.accept_sparse = true;
  if (rule.finite == Finite::nan_allowed) sparse_rule.finite = Finite::required;
  JACKDAW_ASSIGN(const MatrixRef checked, check_input(x, sparse_rule));
  return MatrixRef(to_dense(*checked));
}

// ---- arrays -------------------------------------------------------------------------------------------------------

engine::Tensor stack_columns(std::span<const engine::Tensor> columns) {
  const std::size_t rows = columns[0].element_count();
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns.size())};
  if (columns[0].dtype == DType::bytes) {
    engine::Tensor out;
    out.dtype = DType::bytes;
    out.shape = shape;
    for (std::size_t r = 0; r < rows; ++r) {
      for (const engine::Tensor& column : columns) out.strings.push_back(column.strings[r]);
    }
    return out;
  }
  std::vector<double> values(rows * columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Matrix column = *tensor_numbers(columns[c]);
    for (std::size_t r = 0; r < rows; ++r) values[r * columns.size() + c] = column.values[r];
  }
  return make_tensor(columns[0].dtype, shape, values);
}

namespace {

template <typename T>
void load(const std::byte* in, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    T v;
    std::memcpy(&v, in + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(v);
  }
}

void load_any(DType dtype, const std::byte* in, std::span<double> values) {
  switch (dtype) {
    case DType::boolean:
    case DType::uint8:
      return load<std::uint8_t>(in, values);
    case DType::uint16:
      return load<std::uint16_t>(in, values);
    case DType::uint32:
      return load<std::uint32_t>(in, values);
    case DType::uint64:
      return load<std::uint64_t>(in, values);
    case DType::int8:
      return load<std::int8_t>(in, values);
    case DType::int16:
      return load<std::int16_t>(in, values);
    case DType::int32:
      return load<std::int32_t>(in, values);
    case DType::int64:
      return load<std::int64_t>(in, values);
    case DType::fp32:
      return load<float>(in, values);
    case DType::fp64:
      return load<double>(in, values);
    default:
      CHECK(!"a dtype without numbers");
  }
}

}  // namespace

Result<Matrix> tensor_numbers(const engine::Tensor& tensor) {
  if (tensor.dtype == DType::bytes || tensor.dtype == DType::fp16 || tensor.dtype == DType::bf16) {
    return make_error(Code::unsupported, "a nested estimator answers with {}, where numbers are needed",
                      oip_name(tensor.dtype));
  }
  if (tensor.shape.empty() || tensor.shape.size() > 2) {
    return make_error(Code::unsupported, "a nested estimator answers with {} dimensions, where 1 or 2 are needed",
                      tensor.shape.size());
  }
  Matrix out = Matrix::dense(static_cast<std::size_t>(tensor.shape[0]),
                             tensor.shape.size() == 2 ? static_cast<std::size_t>(tensor.shape[1]) : 1, tensor.dtype);
  CHECK(out.values.size() == tensor.element_count());
  load_any(tensor.dtype, tensor.data.data(), out.values);
  return out;
}

Result<Matrix> only_numbers(const Result<Output>& output) {
  if (!output) return output.error();
  if (output->arrays.size() != 1) {
    return make_error(Code::unsupported, "a nested estimator answers with {} arrays, where one is needed",
                      output->arrays.size());
  }
  return tensor_numbers(output->arrays[0]);
}

Result<std::vector<std::uint32_t>> label_positions(const Labels& labels, const engine::Tensor& tensor) {
  std::vector<std::uint32_t> out;
  auto add = [&](const auto& all, const auto& value) {
    const auto found = std::find(all.begin(), all.end(), value);
    out.push_back(static_cast<std::uint32_t>(found - all.begin()));
    return found != all.end();
  };
  bool known = (tensor.dtype == DType::bytes) == (labels.dtype == DType::bytes);
  if (tensor.dtype == DType::bytes) {
    for (const std::string& text : tensor.strings) known = known && add(labels.texts, text);
  } else {
    JACKDAW_ASSIGN(const Matrix numbers, tensor_numbers(tensor));
    for (double v : numbers.values) known = known && add(labels.numbers, v);
  }
  if (known) return out;
  return make_error(Code::invalid_argument, "a nested estimator predicts a class that its ensemble does not know");
}

std::vector<std::uint32_t> row_argmax(const Matrix& m) {
  std::vector<std::uint32_t> out(m.rows);
  for (std::size_t r = 0; r < m.rows; ++r) {
    const double* row = m.row(r);
    std::size_t best = 0;
    for (std::size_t c = 1; c < m.cols; ++c) {
      // As numpy: the first NaN wins over everything.
      if (row[c] > row[best] || (std::isnan(row[c]) && !std::isnan(row[best]))) best = c;
    }
    out[r] = static_cast<std::uint32_t>(best);
  }
  return out;
}

void log_in_place(Matrix& m) {
  for (double& v : m.values) v = std::log(v);
  round_all(m);
}

void softmax_in_place(Matrix& m) {
  for (std::size_t r = 0; r < m.rows; ++r) {
    double* row = m.row(r);
    const double top = *std::max_element(row, row + m.cols);
    double sum = 0.0;
    for (std::size_t c = 0; c < m.cols; ++c) sum += row[c] = std::exp(row[c] - top);
    for (std::size_t c = 0; c < m.cols; ++c) row[c] /= sum;
  }
  round_all(m);
}

void log_softmax_in_place(Matrix& m) {
  for (std::size_t r = 0; r < m.rows; ++r) {
    double* row = m.row(r);
    const double top = *std::max_element(row, row + m.cols);
    double sum = 0.0;
    for (std::size_t c = 0; c < m.cols; ++c) sum += std::exp(row[c] - top);
    for (std::size_t c = 0; c < m.cols; ++c) row[c] = row[c] - top - std::log(sum);
  }
  round_all(m);
}

double sigmoid(double v) {
  return 1.0 / (1.0 + std::exp(-v));
}

// ---- the object graph ---------------------------------------------------------------------------------------------

namespace {

std::vector<NodeId> in_c_order(const formats::NdArray& array) {
  std::vector<NodeId> out(array.objects.begin(), array.objects.end());
  if (!array.fortran_order || array.shape.size() != 2) return out;
  const auto rows = static_cast<std::size_t>(array.shape[0]);
  const auto cols = static_cast<std::size_t>(array.shape[1]);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < cols; ++c) out[r * cols + c] = array.objects[c * rows + r];
  }
  return out;
}

}  // namespace

std::optional<std::vector<NodeId>> list_of(const formats::ObjectGraph& graph, NodeId node) {
  if (node == no_node) return std::nullopt;
  const NodeKind kind = graph.kind(node);
  if (kind == NodeKind::list || kind == NodeKind::tuple) {
    const auto items = graph.items(node);
    return std::vector<NodeId>(items.begin(), items.end());
  }
  if (!formats::is_ndarray(graph, node)) return std::nullopt;
  auto array = formats::to_ndarray(graph, node);
  if (!array || array->dtype.kind != 'O') return std::nullopt;
  if (array->count() != static_cast<std::int64_t>(array->objects.size())) return std::nullopt;
  return in_c_order(*array);
}

Result<std::vector<NodeId>> object_list(const BuildContext& context, std::string_view name) {
  constexpr std::size_t count_max = 1u << 22;
  const NodeId node = context.attribute(name);
  if (node == no_node) {
    return context.error(Code::parse_error,
                         fmt::format("the attribute '{}' is missing; was this object fitted?", name));
  }
  auto items = list_of(context.graph, node);
  if (!items || items->empty()) {
    return context.error(Code::parse_error, fmt::format("the attribute '{}' is not a list of objects", name));
  }
  if (items->size() > count_max) {
    return context.error(Code::too_large, fmt::format("the attribute '{}' has {} elements, more than {}", name,
                                                      items->size(), count_max));
  }
  return std::move(*items);
}

Labels range_labels(std::size_t n) {
  Labels out;
  for (std::size_t i = 0; i < n; ++i) out.numbers.push_back(static_cast<double>(i));
  return out;
}

bool written_since(const BuildContext& context, int major, int minor) {
  int have_major = 0;
  int have_minor = 0;
  const std::string& text = context.sklearn_version;
  if (text.empty()) return true;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, have_major);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == '.') {
    std::from_chars(first.ptr + 1, end, have_minor);
  }
  return std::pair(have_major, have_minor) >= std::pair(major, minor);
}

Result<Matrix> shaped_matrix(const BuildContext& context, std::string_view name, std::int64_t rows, std::int64_t cols) {
  JACKDAW_ASSIGN(Matrix out, context.matrix(name));
  const bool rows_fit = rows < 0 || out.rows == static_cast<std::size_t>(rows);
  const bool cols_fit = cols < 0 || out.cols == static_cast<std::size_t>(cols);
  if (rows_fit && cols_fit) return out;
  const auto shown = [](std::int64_t n) { return n < 0 ? std::string("any") : std::to_string(n); };
  return context.error(Code::parse_error, fmt::format("the attribute '{}' has shape ({}, {}), expected ({}, {})", name,
                                                      out.rows, out.cols, shown(rows), shown(cols)));
}

Result<std::vector<double>> sized_doubles(const BuildContext& context, std::string_view name, std::size_t count) {
  JACKDAW_ASSIGN(std::vector<double> out, context.doubles(name));
  if (out.size() == count) return out;
  return context.error(Code::parse_error,
                       fmt::format("the attribute '{}' has {} elements, expected {}", name, out.size(), count));
}

Result<void> spend_bytes(const BuildContext& context, std::uint64_t bytes) {
  if (!context.state) return {};
  context.state->bytes += bytes;
  if (context.state->bytes <= context.state->bytes_max) return {};
  return context.error(Code::too_large, "the model unfolds to more numbers than the memory limit allows");
}

Result<Matrix> matrix_at(const BuildContext& context, NodeId node, std::string_view name) {
  if (node == no_node || !formats::is_ndarray(context.graph, node)) {
    return context.error(Code::parse_error, fmt::format("{} is not an array", name));
  }
  JACKDAW_ASSIGN(const formats::NdArray array, placed(context, name, formats::to_ndarray(context.graph, node)));
  if (array.shape.empty() || array.shape.size() > 2) {
    return context.error(Code::parse_error, fmt::format("{} has {} dimensions", name, array.shape.size()));
  }
  if (array.count() > 0) JACKDAW_TRY(spend_bytes(context, static_cast<std::uint64_t>(array.count()) * sizeof(double)));
  Matrix out;
  JACKDAW_ASSIGN(out.values, placed(context, name, formats::to_doubles(context.graph, array)));
  out.dtype = dtype_of(array.dtype).value_or(DType::fp64);
  out.rows = array.shape.size() == 2 ? static_cast<std::size_t>(array.shape[0]) : 1;
  out.cols = static_cast<std::size_t>(array.shape.back());
  if (out.values.size() == out.rows * out.cols) return out;
  return context.error(Code::parse_error, fmt::format("{} holds fewer numbers than its shape says", name));
}

// ---- estimators ---------------------------------------------------------------------------------------------------

Result<Frame> FittedEstimator::transform(const Frame&) const {
  return no_method(Method::transform);
}

Error FittedEstimator::no_method(Method method) const {
  return make_error(Code::unsupported, "{} has no {}", rule().class_name, method_name(method));
}

bool ProbabilityClassifier::supports(Method method) const {
  return method == Method::predict || method == Method::predict_proba || method == Method::predict_log_proba ||
         (method == Method::decision_function && has_decision());
}

Result<Matrix> ProbabilityClassifier::log_probabilities(const Frame& x) const {
  JACKDAW_ASSIGN(Matrix m, probabilities(x));
  log_in_place(m);
  return m;
}

Result<Output> ProbabilityClassifier::run(Method method, const Frame& x) const {
  switch (method) {
    case Method::predict: {
      JACKDAW_ASSIGN(const Matrix m, votes(x));
      return one_array(label_tensor(signature().classes[0], row_argmax(m)));
    }
    case Method::predict_proba: {
      JACKDAW_ASSIGN(const Matrix m, probabilities(x));
      return matrix_output(m);
    }
    case Method::predict_log_proba: {
      JACKDAW_ASSIGN(const Matrix m, log_probabilities(x));
      return matrix_output(m);
    }
    case Method::decision_function:
      return decision(x);
    default:
      return no_method(method);
  }
}

Result<Output> MatrixRegressor::run(Method method, const Frame& x) const {
  if (method != Method::predict) return no_method(method);
  JACKDAW_ASSIGN(const Matrix m, values(x));
  if (m.cols == 1 && !keeps_two_dimensions()) return vector_output(m.dtype, m.values);
  return matrix_output(m);
}

}  // namespace jackdaw::predict
