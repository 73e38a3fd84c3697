#include "src/predict/sklearn/math.h"

#include <algorithm>

#include "src/predict/sklearn/labels.h"

namespace jackdaw::predict {

DType Affine::result_dtype(DType dtype) const {
  const DType product = promote(dtype, weights.dtype);
  return is_float(product) ? promote(product, bias_dtype) : DType::fp64;
}

namespace {

// dtype of an intercept: a Python float bends to the array it meets, an array (and, since numpy 2, a numpy scalar of
// the same width) does not.
DType bias_dtype_of(const BuildContext& c, std::string_view name) {
  const formats::NodeId n = c.attribute(name);
  if (n == formats::no_node || !formats::is_ndarray(c.graph, n)) return DType::fp16;
  const auto array = formats::to_ndarray(c.graph, n);
  if (!array || array->shape.empty()) return DType::fp16;
  return dtype_of(array->dtype).value_or(DType::fp64);
}

bool is_vector(const BuildContext& c, std::string_view name) {
  const formats::NodeId n = c.attribute(name);
  if (n == formats::no_node || !formats::is_ndarray(c.graph, n)) return false;
  const auto array = formats::to_ndarray(c.graph, n);
  return array && array->shape.size() == 1;
}

}  // namespace

Result<Affine> Affine::read(const BuildContext& context, std::string_view coef, std::string_view intercept) {
  Affine out;
  JACKDAW_ASSIGN(out.weights, context.matrix(coef));
  out.one_dimensional = is_vector(context, coef);
  if (context.has(intercept)) {
    JACKDAW_ASSIGN(out.bias, context.doubles(intercept));
    out.bias_dtype = bias_dtype_of(context, intercept);
  } else {
    out.bias = {0.0};
    out.bias_dtype = DType::fp16;
  }
  if (out.bias.size() != 1 && out.bias.size() != out.weights.rows) {
    return context.error(Code::parse_error, fmt::format("'{}' has {} rows, but '{}' has {} entries", coef,
                                                        out.weights.rows, intercept, out.bias.size()));
  }
  if (out.weights.rows == 0 || out.weights.cols == 0) {
    return context.error(Code::parse_error, fmt::format("'{}' is empty", coef));
  }
  return out;
}

double dot(const double* a, const double* b, std::size_t n) {
  if (n < 8) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
  }
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < n; ++i) s0 += a[i] * b[i];
  return (s0 + s1) + (s2 + s3);
}

namespace {

double sparse_dot(const Matrix& x, std::size_t r, const double* weights) {
  double sum = 0;
  for (std::size_t k = x.row_begin[r]; k < x.row_begin[r + 1]; ++k) sum += x.values[k] * weights[x.columns[k]];
  return sum;
}

}  // namespace

void apply(const Affine& affine, const Matrix& x, double* scores) {
  const std::size_t outputs = affine.outputs();
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t o = 0; o < outputs; ++o) {
      const double* w = affine.weights.row(o);
      const double product = x.sparse ? sparse_dot(x, r, w) : dot(x.row(r), w, x.cols);
      scores[r * outputs + o] = product + affine.bias_of(o);
    }
  }
  if (const DType dtype = affine.result_dtype(x.dtype); dtype == DType::fp32) {
    for (std::size_t i = 0; i < x.rows * outputs; ++i) scores[i] = round_to(dtype, scores[i]);
  }
}

void softmax_row(double* row, std::size_t n, DType dtype) {
  const double top = *std::max_element(row, row + n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    row[i] = round_to(dtype, std::exp(row[i] - top));
    sum += row[i];
  }
  for (std::size_t i = 0; i < n; ++i) row[i] = round_to(dtype, row[i] / sum);
}

double log_sum_exp(const double* row, std::size_t n) {
  const double top = *std::max_element(row, row + n);
  if (!std::isfinite(top)) return top;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::exp(row[i] - top);
  return std::log(sum) + top;
}

std::size_t argmax(const double* row, std::size_t n) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isnan(row[i])) return i;
    if (row[i] > row[best]) best = i;
  }
  return best;
}

double* scratch(std::size_t slot, std::size_t n) {
  constexpr std::size_t kept_max = 1u << 20;  // A large request must not pin its memory to the thread.
  thread_local std::vector<double> buffers[4];
  std::vector<double>& buffer = buffers[slot];
  if (buffer.size() < n || (buffer.size() > kept_max && n < kept_max / 16)) {
    std::vector<double>(std::max<std::size_t>(n, 256)).swap(buffer);
  }
  return buffer.data();
}

}  // namespace jackdaw::predict
