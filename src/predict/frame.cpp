#include "src/predict/frame.h"

#include <cmath>

#include "jackdaw/base/result.h"

namespace jackdaw::predict {

Matrix to_dense(const Matrix& sparse) {
  if (!sparse.sparse) return sparse;
  Matrix out = Matrix::dense(sparse.rows, sparse.cols, sparse.dtype);
  for (std::size_t r = 0; r < sparse.rows; ++r) {
    for (std::size_t k = sparse.row_begin[r]; k < sparse.row_begin[r + 1]; ++k) {
      out.row(r)[sparse.columns[k]] += sparse.values[k];
    }
  }
  return out;
}

Matrix to_sparse(const Matrix& dense) {
  if (dense.sparse) return dense;
  Matrix out = Matrix::csr(dense.cols, dense.dtype);
  out.row_begin.reserve(dense.rows + 1);
  for (std::size_t r = 0; r < dense.rows; ++r) {
    for (std::size_t c = 0; c < dense.cols; ++c) {
      if (double v = dense.row(r)[c]; v != 0.0) out.push(static_cast<std::uint32_t>(c), v);
    }
    out.end_row();
  }
  return out;
}

namespace {

Matrix select_sparse_columns(const Matrix& m, const std::vector<std::size_t>& places) {
  // Where each column goes; a column may be chosen more than once.
  std::vector<std::vector<std::uint32_t>> targets(m.cols);
  for (std::size_t i = 0; i < places.size(); ++i) targets[places[i]].push_back(static_cast<std::uint32_t>(i));
  Matrix out = Matrix::csr(places.size(), m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t k = m.row_begin[r]; k < m.row_begin[r + 1]; ++k) {
      for (std::uint32_t target : targets[m.columns[k]]) out.push(target, m.values[k]);
    }
    out.end_row();
  }
  return out;
}

}  // namespace

Matrix select_columns(const Matrix& m, const std::vector<std::size_t>& places) {
  if (m.sparse) return select_sparse_columns(m, places);
  Matrix out = Matrix::dense(m.rows, places.size(), m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t i = 0; i < places.size(); ++i) out.row(r)[i] = m.row(r)[places[i]];
  }
  return out;
}

bool Column::is_missing(std::size_t r) const {
  if (!missing.empty() && missing[r] != 0) return true;
  return !is_text && std::isnan(numbers[r]);
}

std::size_t frame_rows(const Frame& frame) {
  if (const auto* m = std::get_if<Matrix>(&frame)) return m->rows;
  if (const auto* d = std::get_if<DataFrame>(&frame)) return d->rows;
  return std::get<Texts>(frame).values.size();
}

std::size_t frame_cols(const Frame& frame) {
  if (const auto* m = std::get_if<Matrix>(&frame)) return m->cols;
  if (const auto* d = std::get_if<DataFrame>(&frame)) return d->columns.size();
  return 1;
}

std::size_t ColumnView::rows() const {
  if (column_ != nullptr) return column_->rows();
  return matrix_ != nullptr ? matrix_->rows : texts_->values.size();
}

DType ColumnView::dtype() const {
  if (is_text()) return DType::bytes;
  return column_ != nullptr ? column_->dtype : matrix_->dtype;
}

bool ColumnView::is_missing(std::size_t r) const {
  if (column_ != nullptr) return column_->is_missing(r);
  return matrix_ != nullptr && std::isnan(matrix_->row(r)[index_]);
}

double ColumnView::number(std::size_t r) const {
  CHECK(!is_text());
  if (matrix_ != nullptr) return matrix_->row(r)[index_];
  return column_->is_missing(r) ? std::numeric_limits<double>::quiet_NaN() : column_->numbers[r];
}

std::string_view ColumnView::text(std::size_t r) const {
  CHECK(is_text());
  return column_ != nullptr ? column_->texts[r] : texts_->values[r];
}

Column ColumnView::copy() const {
  if (column_ != nullptr) return *column_;
  Column out;
  out.dtype = dtype();
  out.is_text = is_text();
  if (texts_ != nullptr) {
    out.texts = texts_->values;
    return out;
  }
  out.numbers.resize(matrix_->rows);
  for (std::size_t r = 0; r < matrix_->rows; ++r) out.numbers[r] = matrix_->row(r)[index_];
  return out;
}

namespace {

int bits(DType t) {
  return static_cast<int>(element_size(t)) * 8;
}
bool is_unsigned(DType t) {
  return t >= DType::uint8 && t <= DType::uint64;
}

DType signed_of_bits(int width) {
  return width <= 8 ? DType::int8 : width <= 16 ? DType::int16 : width <= 32 ? DType::int32 : DType::int64;
}

DType promote_integers(DType a, DType b) {
  if (is_unsigned(a) == is_unsigned(b)) return bits(a) >= bits(b) ? a : b;
  const DType u = is_unsigned(a) ? a : b;
  const DType s = is_unsigned(a) ? b : a;
  if (bits(s) > bits(u)) return s;
  return bits(u) == 64 ? DType::fp64 : signed_of_bits(bits(u) * 2);
}

// A float of the smallest width that holds the integers, no smaller than `f`.
DType promote_mixed(DType f, DType i) {
  const DType need = bits(i) <= 8 ? DType::fp16 : bits(i) <= 16 ? DType::fp32 : DType::fp64;
  return bits(f) >= bits(need) ? f : need;
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a == DType::bytes || b == DType::bytes) return DType::bytes;
  if (a == DType::boolean) return b;
  if (b == DType::boolean) return a;
  if (is_float(a) && is_float(b)) return bits(a) >= bits(b) ? a : b;
  if (is_float(a)) return promote_mixed(a, b);
  if (is_float(b)) return promote_mixed(b, a);
  return promote_integers(a, b);
}

DType float_dtype(DType dtype) {
  return dtype == DType::fp32 || dtype == DType::fp16 ? dtype : DType::fp64;
}

}  // namespace jackdaw::predict
