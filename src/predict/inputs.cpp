#include "src/predict/inputs.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "jackdaw/base/float16.h"

namespace jackdaw::predict {
namespace {

using engine::InferenceRequest;
using engine::Tensor;

template <typename From, typename To>
void widen(const Tensor& tensor, To* out) {
  const From* in = tensor.as<From>();
  std::transform(in, in + tensor.element_count(), out, [](From x) { return static_cast<To>(x); });
}

template <typename To>
Result<To> parse_number(std::string_view text) {
  std::string_view digits = text;
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0.0;
  const auto [stop, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || status != std::errc() || stop != digits.data() + digits.size()) {
    return make_error(Code::invalid_argument, "could not convert string to float: '{}'", text.substr(0, 100));
  }
  return static_cast<To>(value);
}

template <typename To>
Result<void> parse_all(const Tensor& tensor, To* out) {
  for (std::size_t i = 0; i < tensor.strings.size(); ++i) {
    if (!tensor.missing.empty() && tensor.missing[i] != 0) continue;
    JACKDAW_ASSIGN(out[i], parse_number<To>(tensor.strings[i]));
  }
  return {};
}

template <typename To>
void put_missing(const Tensor& tensor, To* out) {
  for (std::size_t i = 0; i < tensor.missing.size(); ++i) {
    if (tensor.missing[i] != 0) out[i] = std::numeric_limits<To>::quiet_NaN();
  }
}

// Numbers as numpy would print an array of them, for scikit-learn's message.
std::string array_text(const Tensor& tensor) {
  std::vector<double> values(tensor.element_count());
  if (!read_elements(tensor, values.data())) return "[...]";
  std::string out = "[";
  for (std::size_t i = 0; i < values.size() && i < 8; ++i) out += fmt::format("{}{:g}", i == 0 ? "" : " ", values[i]);
  out += values.size() > 8 ? " ...]" : "]";
  return out;
}

Result<Frame> frame_from_texts(const Tensor& tensor, const FrameRule& rule) {
  if (tensor.shape.size() == 1 && rule.texts) {
    if (std::find(tensor.missing.begin(), tensor.missing.end(), 1) != tensor.missing.end()) {
      return make_error(Code::invalid_argument, "np.nan is an invalid document, expected byte or unicode string.");
    }
    return Frame{Texts{tensor.strings}};
  }
  if (rule.texts) {
    return make_error(Code::invalid_argument,
                      "'numpy.ndarray' object has no attribute 'lower': send texts with shape [N], not {}",
                      shape_text(tensor.shape));
  }
  const bool flat = tensor.shape.size() == 1;
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  const auto cols = flat ? 1 : static_cast<std::size_t>(tensor.shape[1]);
  DataFrame frame;
  frame.rows = rows;
  frame.columns.resize(cols);
  for (std::size_t c = 0; c < cols; ++c) {
    Column& column = frame.columns[c];
    column.is_text = true;
    column.dtype = DType::bytes;
    for (std::size_t r = 0; r < rows; ++r) {
      column.texts.push_back(tensor.strings[r * cols + c]);
      if (!tensor.missing.empty()) column.missing.push_back(tensor.missing[r * cols + c]);
    }
  }
  return Frame{std::move(frame)};
}

DType frame_dtype(const Tensor& tensor) {
  if (tensor.dtype == DType::bf16) return DType::fp32;  // numpy has no bfloat16.
  return tensor.missing.empty() || is_float(tensor.dtype) ? tensor.dtype : DType::fp64;
}

Result<Frame> frame_from_matrix(const Tensor& tensor, const FrameRule& rule) {
  const std::size_t dims = tensor.shape.size();
  const bool column = dims == 1 && rule.n_features == 1;
  if (dims > 2) {
    return make_error(Code::invalid_argument, "Found array with dim {}. {} expected <= 2.", dims, rule.class_name);
  }
  if (dims < 2 && !column && !(tensor.dtype == DType::bytes && rule.texts)) {
    return make_error(Code::invalid_argument,
                      "Expected 2D array, got {}D array instead:\narray={}.\nReshape your data either using "
                      "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a "
                      "single sample.",
                      dims, array_text(tensor));
  }
  if (dims == 2 && tensor.shape[1] == 0) {
    return make_error(Code::invalid_argument,
                      "Found array with 0 feature(s) (shape=({}, 0)) while a minimum of 1 is required by {}.",
                      tensor.shape[0], rule.class_name);
  }
  if (tensor.dtype == DType::bytes) return frame_from_texts(tensor, rule);
  Matrix matrix;
  matrix.rows = static_cast<std::size_t>(tensor.shape[0]);
  matrix.cols = column ? 1 : static_cast<std::size_t>(tensor.shape[1]);
  matrix.dtype = frame_dtype(tensor);
  matrix.values.resize(matrix.rows * matrix.cols);
  JACKDAW_TRY(read_elements(tensor, matrix.values.data()));
  return Frame{std::move(matrix)};
}

Result<Column> column_from(const Tensor& tensor, std::size_t rows) {
  Column column;
  column.name = tensor.name;
  column.is_text = tensor.dtype == DType::bytes;
  column.dtype = frame_dtype(tensor);
  column.missing = tensor.missing;
  if (column.is_text) {
    column.texts = tensor.strings;
  } else {
    column.numbers.resize(tensor.element_count());
    JACKDAW_TRY(read_elements(tensor, column.numbers.data()));
  }
  if (const std::size_t have = column.rows(); have < rows) {
    column.missing.resize(have, 0);
    column.missing.resize(rows, 1);
    if (column.is_text) {
      column.texts.resize(rows);
    } else {
      column.numbers.resize(rows, std::numeric_limits<double>::quiet_NaN());
      if (!is_float(column.dtype)) column.dtype = DType::fp64;
    }
  }
  return column;
}

Result<Frame> frame_from_columns(const InferenceRequest& request) {
  DataFrame frame;
  frame.rows = request_rows(request);
  for (const Tensor& tensor : request.inputs) {
    JACKDAW_TRY(check_tensor(tensor));
    JACKDAW_ASSIGN(frame.columns.emplace_back(), column_from(tensor, frame.rows));
  }
  return Frame{std::move(frame)};
}

}  // namespace

template <typename T>
Result<void> read_elements(const Tensor& tensor, T* out) {
  const std::size_t count = tensor.element_count();
  switch (tensor.dtype) {
    case DType::boolean:
    case DType::uint8:
      widen<std::uint8_t>(tensor, out);
      break;
    case DType::uint16:
      widen<std::uint16_t>(tensor, out);
      break;
    case DType::uint32:
      widen<std::uint32_t>(tensor, out);
      break;
    case DType::uint64:
      widen<std::uint64_t>(tensor, out);
      break;
    case DType::int8:
      widen<std::int8_t>(tensor, out);
      break;
    case DType::int16:
      widen<std::int16_t>(tensor, out);
      break;
    case DType::int32:
      widen<std::int32_t>(tensor, out);
      break;
    case DType::int64:
      widen<std::int64_t>(tensor, out);
      break;
    case DType::fp32:
      widen<float>(tensor, out);
      break;
    case DType::fp64:
      widen<double>(tensor, out);
      break;
    case DType::fp16:
    case DType::bf16:
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t bits = tensor.as<std::uint16_t>()[i];
        out[i] = static_cast<T>(tensor.dtype == DType::fp16 ? float_from_half(bits) : float_from_bfloat16(bits));
      }
      break;
    case DType::bytes:
      JACKDAW_TRY(parse_all(tensor, out));
      break;
  }
  put_missing(tensor, out);
  return {};
}
template Result<void> read_elements<float>(const Tensor&, float*);
template Result<void> read_elements<double>(const Tensor&, double*);

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) out += fmt::format("{}{}", i == 0 ? "" : ",", shape[i]);
  return out + (shape.size() == 1 ? ",)" : ")");
}

Result<void> check_tensor(const Tensor& tensor) {
  std::int64_t count = 0;
  const std::size_t have = tensor.element_count();
  const bool fits = element_count(tensor.shape, count) && static_cast<std::uint64_t>(count) == have &&
                    (tensor.dtype == DType::bytes || tensor.data.size() % element_size(tensor.dtype) == 0) &&
                    (tensor.missing.empty() || tensor.missing.size() == have);
  if (fits) return {};
  return make_error(Code::invalid_argument, "cannot reshape array of size {} into shape {}", have,
                    shape_text(tensor.shape));
}

Result<const Tensor*> matrix_tensor(const InferenceRequest& request, bool mlserver) {
  if (mlserver && request.inputs.size() != 1) {
    return make_error(Code::invalid_argument,
                      "There was an error encoding / decoding the payload: The 'np' codec only supports a single input "
                      "tensor ({} were received)",
                      request.inputs.size());
  }
  if (request.inputs.empty()) return make_error(Code::invalid_argument, "The request has no inputs.");
  JACKDAW_TRY(check_tensor(request.inputs[0]));
  return &request.inputs[0];
}

std::size_t request_rows(const InferenceRequest& request) {
  if (request.inputs.empty()) return 0;
  if (request.form == engine::InputForm::tensor) {
    const auto& shape = request.inputs[0].shape;
    return shape.empty() ? 0 : static_cast<std::size_t>(std::max<std::int64_t>(shape[0], 0));
  }
  std::size_t rows = 0;
  for (const Tensor& tensor : request.inputs) rows = std::max(rows, tensor.element_count());
  return rows;
}

Result<Frame> frame_from_request(const InferenceRequest& request, const FrameRule& rule) {
  if (request.form == engine::InputForm::columns) return frame_from_columns(request);
  JACKDAW_ASSIGN(const Tensor* tensor, matrix_tensor(request, rule.mlserver));
  return frame_from_matrix(*tensor, rule);
}

}  // namespace jackdaw::predict
