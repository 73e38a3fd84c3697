#include <algorithm>

#include "src/predict/sklearn/compose.h"

namespace jackdaw::predict {
namespace {

constexpr std::size_t elements_max = 1u << 28;

// A frame's numbers; text that is not a number is an error.
Result<MatrixRef> numbers_of(const Frame& frame, std::string_view class_name) {
  InputRule rule;
  rule.class_name = class_name;
  rule.finite = Finite::any;
  rule.accept_sparse = true;
  return check_input(frame, rule);
}

bool has_texts(const Frame& frame) {
  if (std::holds_alternative<Texts>(frame)) return true;
  const auto* data = std::get_if<DataFrame>(&frame);
  return data != nullptr &&
         std::any_of(data->columns.begin(), data->columns.end(), [](const Column& c) { return c.is_text; });
}

void append_columns(const Frame& part, std::size_t rows, DataFrame& out) {
  if (const auto* data = std::get_if<DataFrame>(&part)) {
    out.columns.insert(out.columns.end(), data->columns.begin(), data->columns.end());
  } else if (const auto* texts = std::get_if<Texts>(&part)) {
    out.columns.push_back(ColumnView(*texts).copy());
  } else {
    const Matrix dense = to_dense(std::get<Matrix>(part));
    for (std::size_t c = 0; c < dense.cols; ++c) out.columns.push_back(ColumnView(dense, c).copy());
  }
  out.rows = rows;
}

Matrix stack_sparse(const std::vector<MatrixRef>& parts, std::size_t rows, DType dtype) {
  std::size_t width = 0;
  std::vector<Matrix> sparse;
  for (const MatrixRef& part : parts) {
    sparse.push_back(to_sparse(*part));
    width += part->cols;
  }
  Matrix out = Matrix::csr(width, dtype);
  for (std::size_t r = 0; r < rows; ++r) {
    std::size_t offset = 0;
    for (const Matrix& part : sparse) {
      for (std::size_t k = part.row_begin[r]; k < part.row_begin[r + 1]; ++k) {
        out.push(static_cast<std::uint32_t>(offset + part.columns[k]), part.values[k]);
      }
      offset += part.cols;
    }
    out.end_row();
  }
  return out;
}

void copy_rows(const Matrix& part, std::size_t offset, Matrix& out) {
  for (std::size_t r = 0; r < part.rows; ++r) {
    double* row = out.row(r) + offset;
    if (!part.sparse) {
      std::copy(part.row(r), part.row(r) + part.cols, row);
      continue;
    }
    for (std::size_t k = part.row_begin[r]; k < part.row_begin[r + 1]; ++k) row[part.columns[k]] += part.values[k];
  }
}

}  // namespace

void scale_frame(Frame& frame, double weight) {
  if (weight == 1.0) return;
  auto* m = std::get_if<Matrix>(&frame);
  if (m == nullptr) return;
  if (!is_float(m->dtype)) m->dtype = DType::fp64;
  for (double& v : m->values) v = round_to(m->dtype, v * weight);
}

Result<Frame> stack_frames(std::vector<Frame> parts, std::size_t rows, bool sparse, std::string_view class_name) {
  if (parts.empty()) return Frame(Matrix::dense(rows, 0, DType::fp64));
  for (const Frame& part : parts) {
    if (frame_rows(part) != rows)
      return make_error(Code::internal, "{}: a step changed the number of rows", class_name);
  }
  if (!sparse && std::any_of(parts.begin(), parts.end(), has_texts)) {
    DataFrame out;
    for (const Frame& part : parts) append_columns(part, rows, out);
    return Frame(std::move(out));
  }
  if (parts.size() == 1 && std::holds_alternative<Matrix>(parts[0]) && std::get<Matrix>(parts[0]).sparse == sparse) {
    return std::move(parts[0]);
  }
  std::vector<MatrixRef> matrices;
  DType dtype = DType::boolean;
  std::size_t width = 0;
  for (const Frame& part : parts) {
    JACKDAW_ASSIGN(MatrixRef m, numbers_of(part, class_name));
    dtype = matrices.empty() ? m->dtype : promote(dtype, m->dtype);
    width += m->cols;
    matrices.push_back(std::move(m));
  }
  if (width > 0xffffffffu) return make_error(Code::too_large, "{}: more than 2^32 columns", class_name);
  if (sparse) return Frame(stack_sparse(matrices, rows, dtype));
  if (width != 0 && rows > elements_max / width) {
    return make_error(Code::too_large, "{} would make {} x {} numbers; send fewer rows", class_name, rows, width);
  }
  Matrix out = Matrix::dense(rows, width, dtype);
  std::size_t offset = 0;
  for (const MatrixRef& m : matrices) {
    copy_rows(*m, offset, out);
    offset += m->cols;
  }
  round_all(out);
  return Frame(std::move(out));
}

}  // namespace jackdaw::predict
