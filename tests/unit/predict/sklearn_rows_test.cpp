// What batching rests on: a row's answer does not depend on the rows it comes with, bit by bit, for every recorded
// model.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sklearn_harness.h"

using namespace jackdaw;
using namespace jackdaw::predict;
using namespace jackdaw::predict::testing;

namespace {

Frame row_of(const Frame& frame, std::size_t r) {
  if (const auto* texts = std::get_if<Texts>(&frame)) return Texts{{texts->values[r]}};
  if (const auto* table = std::get_if<DataFrame>(&frame)) {
    DataFrame out;
    out.rows = 1;
    for (const Column& column : table->columns) {
      Column& one = out.columns.emplace_back();
      one.name = column.name;
      one.is_text = column.is_text;
      one.dtype = column.dtype;
      if (column.is_text) one.texts = {column.texts[r]};
      if (!column.is_text) one.numbers = {column.numbers[r]};
      if (!column.missing.empty()) one.missing = {column.missing[r]};
    }
    return out;
  }
  const auto& matrix = std::get<Matrix>(frame);
  Matrix out = Matrix::dense(1, matrix.cols, matrix.dtype);
  std::copy_n(matrix.row(r), matrix.cols, out.row(0));
  return out;
}

// As the batcher sees it: answers of other shapes are not taken apart.
bool goes_by_rows(const Output& output, std::size_t rows) {
  return std::all_of(output.arrays.begin(), output.arrays.end(), [rows](const engine::Tensor& t) {
    return !t.shape.empty() && t.shape.size() <= 2 && t.shape[0] == static_cast<std::int64_t>(rows);
  });
}

bool is_row(const engine::Tensor& whole, std::size_t r, const engine::Tensor& alone) {
  if (whole.dtype != alone.dtype || whole.shape.size() != alone.shape.size() || alone.shape[0] != 1) return false;
  const std::size_t width = whole.element_count() / static_cast<std::size_t>(whole.shape[0]);
  if (alone.element_count() != width) return false;
  const std::size_t bytes = width * element_size(whole.dtype);
  const auto data = whole.data.begin() + static_cast<std::ptrdiff_t>(r * bytes);
  const auto texts = whole.strings.begin() + static_cast<std::ptrdiff_t>(whole.strings.empty() ? 0 : r * width);
  return std::equal(alone.data.begin(), alone.data.end(), data) &&
         std::equal(alone.strings.begin(), alone.strings.end(), texts);
}

// "" when every row alone gets what it got among the others.
std::string differs(const Estimator& estimator, Method method, const Frame& frame) {
  const std::size_t rows = frame_rows(frame);
  const auto whole = call_method(estimator, method, frame);
  if (!whole || !goes_by_rows(*whole, rows)) return "";
  for (std::size_t r = 0; r < rows; ++r) {
    const auto alone = call_method(estimator, method, row_of(frame, r));
    if (!alone) return fmt::format("row {} alone is refused: {}", r, alone.error().message);
    for (std::size_t i = 0; i < whole->arrays.size(); ++i) {
      if (i >= alone->arrays.size() || !is_row(whole->arrays[i], r, alone->arrays[i])) return fmt::format("row {}", r);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("ARowsAnswerDoesNotDependOnTheRowsItComesWith", "[sklearn]") {
  std::size_t compared = 0;
  for (const SklearnCase& c : read_cases()) {
    const auto model = load_model(c.file);
    if (!model) continue;
    for (const CaseInput& input : c.inputs) {
      const auto* matrix = std::get_if<Matrix>(&input.frame);
      if (matrix != nullptr && matrix->sparse) continue;
      for (const auto& [name, expected] : input.methods) {
        const auto method = method_from_name(name);
        if (!method) continue;
        const std::string difference = differs(*model->estimator, *method, input.frame);
        ++compared;
        INFO(c.version << " " << c.name << " " << input.form << " " << name << ": " << difference);
        CHECK(difference.empty());
      }
    }
  }
  CHECK(compared > 500);
}
