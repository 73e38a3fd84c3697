// Frame: what flows between the steps of a pipeline. A numeric matrix (dense or sparse), a data frame, or texts.
//
// Numbers are held as double together with the width numpy would have: a step on float32 input rounds its results to
// float32 where numpy would keep float32, so that answers and output datatypes follow numpy's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jackdaw/base/dtype.h"

namespace jackdaw::predict {

// Row-major. Sparse: CSR, `row_begin` has rows + 1 entries and `values` goes with `columns`.
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  DType dtype = DType::fp64;  // numpy's dtype of these numbers; the values are exact in it (fp32 values are rounded)
  bool sparse = false;
  std::vector<double> values;
  std::vector<std::size_t> row_begin;
  std::vector<std::uint32_t> columns;

  static Matrix dense(std::size_t rows, std::size_t cols, DType dtype) {
    Matrix m;
    m.rows = rows;
    m.cols = cols;
    m.dtype = dtype;
    m.values.assign(rows * cols, 0.0);
    return m;
  }
  // No rows yet: row_begin is {0}; close each row with end_row().
  static Matrix csr(std::size_t cols, DType dtype) {
    Matrix m;
    m.cols = cols;
    m.dtype = dtype;
    m.sparse = true;
    m.row_begin.push_back(0);
    return m;
  }
  void push(std::uint32_t column, double value) {
    columns.push_back(column);
    values.push_back(value);
  }
  void end_row() {
    row_begin.push_back(values.size());
    ++rows;
  }
  double* row(std::size_t r) { return values.data() + r * cols; }
  const double* row(std::size_t r) const { return values.data() + r * cols; }
};

// The same numbers without (with) zeros left out. A dense matrix comes back as it is from to_dense.
Matrix to_dense(const Matrix& sparse);
Matrix to_sparse(const Matrix& dense);
// The columns at `places` (each below m.cols), in that order; sparse stays sparse.
Matrix select_columns(const Matrix& m, const std::vector<std::size_t>& places);

// One column of a data frame. Either numbers (NaN = missing) or texts (`missing` = None/NaN).
struct Column {
  std::string name;  // "" when the sender gave none
  bool is_text = false;
  DType dtype = DType::fp64;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::vector<std::uint8_t> missing;  // empty, or one per row

  std::size_t rows() const { return is_text ? texts.size() : numbers.size(); }
  bool is_missing(std::size_t r) const;
};

struct DataFrame {
  std::size_t rows = 0;
  std::vector<Column> columns;
};

struct Texts {
  std::vector<std::string> values;
};

using Frame = std::variant<Matrix, DataFrame, Texts>;

std::size_t frame_rows(const Frame& frame);
// Columns of a matrix or data frame; 1 for texts.
std::size_t frame_cols(const Frame& frame);

// A borrowed look at one column of whatever kind of frame. The frame outlives it. Sparse matrices have no views.
class ColumnView {
 public:
  explicit ColumnView(const Column& column) : column_(&column) {}
  ColumnView(const Matrix& matrix, std::size_t index) : matrix_(&matrix), index_(index) {}
  explicit ColumnView(const Texts& texts) : texts_(&texts) {}

  std::size_t rows() const;
  bool is_text() const { return texts_ != nullptr || (column_ != nullptr && column_->is_text); }
  DType dtype() const;  // of numbers; DType::bytes for texts
  std::string_view name() const { return column_ != nullptr ? std::string_view(column_->name) : std::string_view(); }
  bool is_missing(std::size_t r) const;        // None or NaN
  double number(std::size_t r) const;          // numbers only; NaN when missing
  std::string_view text(std::size_t r) const;  // texts only; "" when missing
  Column copy() const;

 private:
  const Column* column_ = nullptr;
  const Matrix* matrix_ = nullptr;
  const Texts* texts_ = nullptr;
  std::size_t index_ = 0;
};

// numpy's result_type for two of our dtypes (bytes with anything is bytes).
DType promote(DType a, DType b);
// FP64 for everything that is not a 16- or 32-bit float, as scikit-learn's FLOAT_DTYPES.
DType float_dtype(DType dtype);

// Rounds to what numpy would store: float32 keeps 24 bits, the others are left alone.
inline double round_to(DType dtype, double value) {
  return dtype == DType::fp32 ? static_cast<double>(static_cast<float>(value)) : value;
}
inline void round_all(Matrix& m) {
  if (m.dtype != DType::fp32) return;
  for (double& v : m.values) v = static_cast<double>(static_cast<float>(v));
}

}  // namespace jackdaw::predict
