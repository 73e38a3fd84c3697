#include "src/predict/sklearn/labels.h"

#include <cmath>
#include <cstring>

namespace jackdaw::predict {
namespace {

using formats::NodeId;
using formats::NodeKind;
using formats::ObjectGraph;

template <typename T>
void fill(std::vector<std::byte>& data, std::span<const double> values) {
  T* out = reinterpret_cast<T*>(data.data());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(values[i]);
}

// Conversions of values out of range are undefined in C++: integers are clamped by the narrowest check that is cheap.
template <typename T>
void fill_integer(std::vector<std::byte>& data, std::span<const double> values) {
  T* out = reinterpret_cast<T*>(data.data());
  constexpr double low = static_cast<double>(std::numeric_limits<T>::min());
  constexpr double high = static_cast<double>(std::numeric_limits<T>::max());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    out[i] = !(v > low) ? std::numeric_limits<T>::min() : v >= high ? std::numeric_limits<T>::max() : static_cast<T>(v);
  }
}

Result<Labels> object_labels(const ObjectGraph& graph, const formats::NdArray& array) {
  Labels labels;
  std::vector<std::string> words;
  std::size_t texts = 0, booleans = 0, integers = 0;
  for (NodeId id : array.objects) {
    const NodeKind kind = graph.kind(id);
    if (auto word = to_text(graph, id)) {
      words.push_back(std::move(*word));
      ++texts;
    }
    booleans += kind == NodeKind::boolean;
    integers += kind == NodeKind::integer;
  }
  const std::size_t count = array.objects.size();
  if (texts == count) {
    labels.dtype = DType::bytes;
    labels.texts = std::move(words);
    return labels;
  }
  for (NodeId id : array.objects) {
    const auto number = formats::to_number(graph, id);
    if (!number) return make_error(Code::unsupported, "classes_ mixes texts with other kinds of labels");
    labels.numbers.push_back(*number);
  }
  labels.dtype = booleans == count ? DType::boolean : integers + booleans == count ? DType::int64 : DType::fp64;
  return labels;
}

}  // namespace

std::optional<std::string> to_text(const ObjectGraph& graph, NodeId node) {
  if (graph.kind(node) == NodeKind::text) return std::string(graph.text(node));
  if (!formats::is_ndarray(graph, node)) return std::nullopt;
  const auto array = formats::to_ndarray(graph, node);
  if (!array || array->dtype.kind != 'U' || array->count() != 1) return std::nullopt;
  auto texts = formats::to_strings(graph, *array);
  if (!texts || texts->size() != 1) return std::nullopt;
  return std::move(texts->front());
}

std::optional<DType> dtype_of(const formats::NumpyDType& dtype) {
  switch (dtype.kind) {
    case 'b':
      return DType::boolean;
    case 'i':
      return dtype.item_size == 1   ? DType::int8
             : dtype.item_size == 2 ? DType::int16
             : dtype.item_size == 4 ? DType::int32
                                    : DType::int64;
    case 'u':
      return dtype.item_size == 1   ? DType::uint8
             : dtype.item_size == 2 ? DType::uint16
             : dtype.item_size == 4 ? DType::uint32
                                    : DType::uint64;
    case 'f':
      return dtype.item_size == 2 ? DType::fp16 : dtype.item_size == 4 ? DType::fp32 : DType::fp64;
    case 'U':
    case 'S':
      return DType::bytes;
    default:
      return std::nullopt;
  }
}

Result<Labels> read_labels(const ObjectGraph& graph, NodeId node) {
  Labels labels;
  if (!formats::is_ndarray(graph, node)) return make_error(Code::parse_error, "classes_ is not an array");
  JACKDAW_ASSIGN(const formats::NdArray array, formats::to_ndarray(graph, node));
  if (array.dtype.kind == 'O') return object_labels(graph, array);
  const auto dtype = dtype_of(array.dtype);
  if (!dtype) return make_error(Code::unsupported, "classes_ has dtype kind '{}'", array.dtype.kind);
  labels.dtype = *dtype;
  if (*dtype == DType::bytes) {
    JACKDAW_ASSIGN(labels.texts, formats::to_strings(graph, array));
  } else {
    JACKDAW_ASSIGN(labels.numbers, formats::to_doubles(graph, array));
  }
  return labels;
}

engine::Tensor make_tensor(DType dtype, std::vector<std::int64_t> shape, std::span<const double> values) {
  CHECK(dtype != DType::bytes);
  if (dtype == DType::fp16 || dtype == DType::bf16) dtype = DType::fp32;
  engine::Tensor tensor;
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.data.resize(values.size() * element_size(dtype));
  switch (dtype) {
    case DType::fp64:
      if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), values.size_bytes());
      break;
    case DType::fp32:
      fill<float>(tensor.data, values);
      break;
    case DType::boolean:
      for (std::size_t i = 0; i < values.size(); ++i) tensor.data[i] = static_cast<std::byte>(values[i] != 0.0);
      break;
    case DType::int8:
      fill_integer<std::int8_t>(tensor.data, values);
      break;
    case DType::int16:
      fill_integer<std::int16_t>(tensor.data, values);
      break;
    case DType::int32:
      fill_integer<std::int32_t>(tensor.data, values);
      break;
    case DType::int64:
      fill_integer<std::int64_t>(tensor.data, values);
      break;
    case DType::uint8:
      fill_integer<std::uint8_t>(tensor.data, values);
      break;
    case DType::uint16:
      fill_integer<std::uint16_t>(tensor.data, values);
      break;
    case DType::uint32:
      fill_integer<std::uint32_t>(tensor.data, values);
      break;
    case DType::uint64:
      fill_integer<std::uint64_t>(tensor.data, values);
      break;
    default:
      break;
  }
  return tensor;
}

engine::Tensor label_tensor(const Labels& labels, std::span<const std::uint32_t> indices) {
  const auto rows = static_cast<std::int64_t>(indices.size());
  if (labels.dtype == DType::bytes) {
    engine::Tensor tensor;
    tensor.dtype = DType::bytes;
    tensor.shape = {rows};
    tensor.strings.reserve(indices.size());
    for (std::uint32_t index : indices) tensor.strings.push_back(labels.texts[index]);
    return tensor;
  }
  std::vector<double> values(indices.size());
  for (std::size_t i = 0; i < indices.size(); ++i) values[i] = labels.numbers[indices[i]];
  return make_tensor(labels.dtype, {rows}, values);
}

Output one_array(engine::Tensor tensor) {
  Output out;
  out.arrays.push_back(std::move(tensor));
  return out;
}

Output vector_output(DType dtype, std::span<const double> values) {
  return one_array(make_tensor(dtype, {static_cast<std::int64_t>(values.size())}, values));
}

Output matrix_output(const Matrix& m) {
  CHECK(!m.sparse);
  return one_array(
      make_tensor(m.dtype, {static_cast<std::int64_t>(m.rows), static_cast<std::int64_t>(m.cols)}, m.values));
}

engine::Tensor stacked_labels(std::span<const Labels> labels, std::span<const std::uint32_t> indices,
                              std::size_t rows) {
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(labels.size())};
  DType dtype = labels.empty() ? DType::int64 : labels[0].dtype;
  for (const Labels& l : labels) dtype = promote(dtype, l.dtype);
  if (dtype == DType::bytes) {
    engine::Tensor tensor;
    tensor.dtype = dtype;
    tensor.shape = shape;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t o = 0; o < labels.size(); ++o) {
        const std::uint32_t index = indices[o * rows + r];
        tensor.strings.push_back(labels[o].dtype == DType::bytes ? labels[o].texts[index]
                                                                 : fmt::format("{}", labels[o].numbers[index]));
      }
    }
    return tensor;
  }
  std::vector<double> values(rows * labels.size());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t o = 0; o < labels.size(); ++o) {
      values[r * labels.size() + o] = labels[o].numbers[indices[o * rows + r]];
    }
  }
  return make_tensor(dtype, shape, values);
}

}  // namespace jackdaw::predict
