#include "src/serving/joined_request.h"

#include <algorithm>
#include <iterator>

#include "jackdaw/base/bytes.h"

namespace jackdaw::serving {
namespace {

using engine::InferenceRequest;
using engine::InputForm;
using engine::Tensor;

// Its rows when shape, data and marks of missing values agree.
std::optional<std::size_t> tensor_rows(const Tensor& tensor) {
  std::int64_t count = 0;
  if (tensor.shape.empty() || tensor.shape.front() <= 0 || !element_count(tensor.shape, count)) return std::nullopt;
  const std::size_t have = tensor.element_count();
  const bool whole = tensor.dtype == DType::bytes || tensor.data.size() % element_size(tensor.dtype) == 0;
  const bool marked = tensor.missing.empty() || tensor.missing.size() == have;
  if (static_cast<std::uint64_t>(count) != have || !whole || !marked) return std::nullopt;
  return static_cast<std::size_t>(tensor.shape.front());
}

bool same_kind(const Tensor& a, const Tensor& b, bool by_name) {
  return a.dtype == b.dtype && (!by_name || a.name == b.name) && a.content_type == b.content_type &&
         a.missing.empty() == b.missing.empty() && a.shape.size() == b.shape.size() &&
         std::equal(a.shape.begin() + 1, a.shape.end(), b.shape.begin() + 1);
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append_rows(Tensor& to, const Tensor& from) {
  to.shape.front() += from.shape.front();
  append(to.data, from.data);
  append(to.strings, from.strings);
  append(to.missing, from.missing);
}

void reserve_rows(Tensor& tensor, std::size_t i, std::span<const InferenceRequest* const> requests) {
  std::size_t bytes = 0, strings = 0;
  for (const InferenceRequest* request : requests) {
    bytes += request->inputs[i].data.size();
    strings += request->inputs[i].strings.size();
  }
  tensor.data.reserve(bytes);
  tensor.strings.reserve(strings);
}

template <typename T>
void take_slice(const std::vector<T>& from, std::size_t first, std::size_t count, std::vector<T>& to) {
  if (from.empty()) return;
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(first);
  to.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
}

Tensor slice(const Tensor& tensor, std::size_t first, std::size_t count) {
  Tensor out;
  out.name = tensor.name;
  out.dtype = tensor.dtype;
  out.content_type = tensor.content_type;
  out.shape = tensor.shape;
  const std::size_t width = tensor.element_count() / static_cast<std::size_t>(tensor.shape.front());
  out.shape.front() = static_cast<std::int64_t>(count);
  const std::size_t bytes = width * element_size(tensor.dtype);
  take_slice(tensor.data, first * bytes, count * bytes, out.data);
  take_slice(tensor.strings, first * width, count * width, out.strings);
  take_slice(tensor.missing, first * width, count * width, out.missing);
  return out;
}

}  // namespace

std::optional<std::size_t> joinable_rows(const InferenceRequest& request) {
  if (request.verb != engine::Verb::predict || request.inputs.empty()) return std::nullopt;
  // Of several matrices the engines read the first or refuse them all: not worth joining.
  if (request.form == InputForm::tensor && request.inputs.size() != 1) return std::nullopt;
  const auto rows = tensor_rows(request.inputs.front());
  for (const Tensor& tensor : request.inputs) {
    if (tensor_rows(tensor) != rows) return std::nullopt;
  }
  return rows;
}

bool same_signature(const InferenceRequest& a, const InferenceRequest& b) {
  if (a.form != b.form || a.inputs.size() != b.inputs.size() || a.outputs != b.outputs) return false;
  const bool by_name = a.form == InputForm::columns;
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    if (!same_kind(a.inputs[i], b.inputs[i], by_name)) return false;
  }
  return true;
}

InferenceRequest joined(std::span<const InferenceRequest* const> requests) {
  const InferenceRequest& first = *requests.front();
  InferenceRequest out;
  out.verb = first.verb;
  out.form = first.form;
  out.outputs = first.outputs;
  for (std::size_t i = 0; i < first.inputs.size(); ++i) {
    Tensor& tensor = out.inputs.emplace_back();
    reserve_rows(tensor, i, requests);
    tensor.name = first.inputs[i].name;
    tensor.dtype = first.inputs[i].dtype;
    tensor.content_type = first.inputs[i].content_type;
    tensor.shape = first.inputs[i].shape;
    tensor.shape.front() = 0;
    for (const InferenceRequest* request : requests) append_rows(tensor, request->inputs[i]);
  }
  return out;
}

bool splits_by_rows(const std::vector<Tensor>& outputs, std::size_t rows) {
  return std::all_of(outputs.begin(), outputs.end(),
                     [rows](const Tensor& tensor) { return tensor.shape.size() <= 2 && tensor_rows(tensor) == rows; });
}

std::vector<Tensor> rows_of(const std::vector<Tensor>& outputs, std::size_t first, std::size_t count) {
  std::vector<Tensor> out;
  out.reserve(outputs.size());
  for (const Tensor& tensor : outputs) out.push_back(slice(tensor, first, count));
  return out;
}

}  // namespace jackdaw::serving
