#include "src/predict/outputs.h"

#include <algorithm>

#include "src/predict/sklearn/labels.h"

namespace jackdaw::predict {
namespace {

using engine::Tensor;

constexpr std::size_t elements_max = 1u << 28;

bool same_kind(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape;
}

Tensor column_tensor(const Column& column) {
  Tensor out =
      column.is_text ? Tensor{} : make_tensor(column.dtype, {static_cast<std::int64_t>(column.rows())}, column.numbers);
  if (column.is_text) {
    out.dtype = DType::bytes;
    out.shape = {static_cast<std::int64_t>(column.rows())};
    out.strings = column.texts;
  }
  out.missing = column.missing;
  out.name = column.name;
  return out;
}

// Numbers alone make one matrix, as numpy sees such a frame.
Result<Tensor> numeric_frame(const DataFrame& frame) {
  JACKDAW_TRY(check_answer_size(frame.rows, frame.columns.size()));
  Matrix matrix = Matrix::dense(frame.rows, frame.columns.size(), frame.columns[0].dtype);
  for (std::size_t c = 0; c < frame.columns.size(); ++c) {
    matrix.dtype = promote(matrix.dtype, frame.columns[c].dtype);
    for (std::size_t r = 0; r < frame.rows; ++r) matrix.row(r)[c] = frame.columns[c].numbers[r];
  }
  return make_tensor(matrix.dtype, {static_cast<std::int64_t>(matrix.rows), static_cast<std::int64_t>(matrix.cols)},
                     matrix.values);
}

}  // namespace

Tensor make_output(DType dtype, std::vector<std::int64_t> shape) {
  Tensor out;
  std::int64_t count = 0;
  CHECK(element_count(shape, count));
  out.dtype = dtype;
  out.shape = std::move(shape);
  out.data.resize(static_cast<std::size_t>(count) * element_size(dtype));
  return out;
}

std::vector<std::int64_t> prediction_shape(std::size_t rows, std::size_t cols) {
  if (cols == 1) return {static_cast<std::int64_t>(rows)};
  return {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(cols)};
}

Tensor named(Tensor tensor, std::string_view name, bool mlserver) {
  tensor.name = name;
  if (!mlserver) return tensor;
  if (tensor.shape.size() == 1) tensor.shape.push_back(1);
  tensor.content_type = "np";
  return tensor;
}

std::vector<Tensor> stacked(Output output) {
  std::vector<Tensor>& arrays = output.arrays;
  const bool alike =
      std::all_of(arrays.begin(), arrays.end(), [&](const Tensor& t) { return same_kind(t, arrays[0]); });
  if (arrays.size() < 2 || !alike) return std::move(arrays);
  Tensor all = arrays[0];
  all.shape.insert(all.shape.begin(), static_cast<std::int64_t>(arrays.size()));
  for (std::size_t i = 1; i < arrays.size(); ++i) {
    all.data.insert(all.data.end(), arrays[i].data.begin(), arrays[i].data.end());
    all.strings.insert(all.strings.end(), arrays[i].strings.begin(), arrays[i].strings.end());
  }
  std::vector<Tensor> out;
  out.push_back(std::move(all));
  return out;
}

Result<std::vector<Tensor>> frame_tensors(Frame frame) {
  std::vector<Tensor> out;
  if (const auto* matrix = std::get_if<Matrix>(&frame)) {
    JACKDAW_TRY(check_answer_size(matrix->rows, matrix->cols));
    out = matrix_output(matrix->sparse ? to_dense(*matrix) : *matrix).arrays;
  } else if (const auto* texts = std::get_if<Texts>(&frame)) {
    Tensor& tensor = out.emplace_back();
    tensor.dtype = DType::bytes;
    tensor.shape = {static_cast<std::int64_t>(texts->values.size())};
    tensor.strings = texts->values;
  } else {
    const auto& columns = std::get<DataFrame>(frame).columns;
    if (!columns.empty() && std::none_of(columns.begin(), columns.end(), [](const Column& c) { return c.is_text; })) {
      JACKDAW_ASSIGN(out.emplace_back(), numeric_frame(std::get<DataFrame>(frame)));
    } else {
      for (const Column& column : columns) out.push_back(column_tensor(column));
    }
  }
  return out;
}

Result<void> check_answer_size(std::size_t rows, std::size_t cols) {
  std::size_t count = 0;
  if (checked_mul(rows, cols, count) && count <= elements_max) return {};
  return make_error(Code::too_large, "The answer would have {} x {} elements; send fewer rows.", rows, cols);
}

Result<std::vector<Tensor>> kserve_outputs(std::vector<Tensor> result, const engine::InferenceRequest& request,
                                           std::string_view model_name) {
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = named(std::move(result[i]), result.size() == 1 ? "output-0" : fmt::format("output-{}", i), false);
  }
  if (request.outputs.empty()) return result;
  std::vector<Tensor> out;
  for (const std::string& wanted : request.outputs) {
    const auto found = std::find_if(result.begin(), result.end(), [&](const Tensor& t) { return t.name == wanted; });
    if (found == result.end()) {
      return make_error(Code::invalid_argument, "Unexpected inference output '{}' for model '{}'", wanted, model_name);
    }
    out.push_back(*found);
  }
  return out;
}

}  // namespace jackdaw::predict
