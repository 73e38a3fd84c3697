#include "src/predict/sklearn/svm_kernel.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace jackdaw::predict {

Result<SupportVectors> SupportVectors::read(const BuildContext& context) {
  SupportVectors out;
  JACKDAW_TRY(out.read_kernel(context));
  JACKDAW_TRY(out.read_vectors(context));
  return out;
}

Result<void> SupportVectors::read_kernel(const BuildContext& context) {
  constexpr std::pair<std::string_view, Kind> kinds[] = {
      {"linear", Kind::linear}, {"poly", Kind::poly}, {"rbf", Kind::rbf}, {"sigmoid", Kind::sigmoid}};
  const std::string name = context.text_or("kernel", "a function");
  const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& k) { return k.first == name; });
  if (found == std::end(kinds)) {
    return context.error(
        Code::unsupported,
        fmt::format("kernel='{}' needs the training set or Python at every call; linear, poly, rbf and "
                    "sigmoid are served",
                    name));
  }
  kind_ = found->second;
  coef0_ = context.number_or("coef0", 0.0);
  degree_ = context.integer_or("degree", 3);
  if (degree_ < 0 || degree_ > 1'000'000) return context.error(Code::parse_error, fmt::format("degree is {}", degree_));
  if (kind_ == Kind::linear) return {};
  JACKDAW_ASSIGN(gamma_, context.number("_gamma"));
  return {};
}

namespace {

Result<void> check_csr(const BuildContext& context, const formats::CsrMatrix& m) {
  for (std::int32_t c : m.columns) {
    if (c >= 0 && c < m.cols) continue;
    return context.error(Code::parse_error, fmt::format("support_vectors_ has column {} of {}", c, m.cols));
  }
  for (std::size_t r = 0; r + 1 < m.row_begin.size(); ++r) {
    if (std::is_sorted(m.columns.begin() + m.row_begin[r], m.columns.begin() + m.row_begin[r + 1])) continue;
    return context.error(Code::parse_error, fmt::format("support_vectors_ row {} is not sorted by column", r));
  }
  return {};
}

}  // namespace

Result<void> SupportVectors::read_vectors(const BuildContext& context) {
  const formats::NodeId node = context.attribute("support_vectors_");
  sparse_ = node != formats::no_node && formats::is_csr(context.graph, node);
  if (sparse_) {
    auto csr = formats::to_csr(context.graph, node);
    if (!csr) return context.error(csr.error().code, "support_vectors_: " + csr.error().text());
    JACKDAW_TRY(spend_bytes(context, csr->values.size() * 12 + csr->row_begin.size() * 8));
    csr_ = std::move(*csr);
    count_ = static_cast<std::size_t>(csr_.rows);
    cols_ = static_cast<std::size_t>(csr_.cols);
    return check_csr(context, csr_);
  }
  JACKDAW_ASSIGN(const Matrix dense, context.matrix("support_vectors_"));
  count_ = dense.rows;
  cols_ = dense.cols;
  panels_ = PointPanels(dense);
  return {};
}

namespace {

struct SparseRow {
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
};

// Non-zeros of a row, sorted by column.
void collect_row(const Matrix& x, std::size_t r, SparseRow& out) {
  out.columns.clear();
  out.values.clear();
  if (!x.sparse) {
    for (std::size_t c = 0; c < x.cols; ++c) {
      if (x.row(r)[c] == 0.0) continue;
      out.columns.push_back(static_cast<std::uint32_t>(c));
      out.values.push_back(x.row(r)[c]);
    }
    return;
  }
  std::vector<std::pair<std::uint32_t, double>> cells;
  for (std::size_t k = x.row_begin[r]; k < x.row_begin[r + 1]; ++k) cells.emplace_back(x.columns[k], x.values[k]);
  std::stable_sort(cells.begin(), cells.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [column, value] : cells) {
    out.columns.push_back(column);
    out.values.push_back(value);
  }
}

}  // namespace

void SupportVectors::measure_sparse(const Matrix& x, std::size_t r, double* out) const {
  static thread_local SparseRow row;
  collect_row(x, r, row);
  const bool distance = kind_ == Kind::rbf;
  for (std::size_t s = 0; s < count_; ++s) {
    std::size_t i = 0;
    auto k = static_cast<std::size_t>(csr_.row_begin[s]);
    const auto end = static_cast<std::size_t>(csr_.row_begin[s + 1]);
    double sum = 0.0;
    while (i < row.columns.size() && k < end) {
      const auto column = static_cast<std::uint32_t>(csr_.columns[k]);
      const double a = row.columns[i] <= column ? row.values[i] : 0.0;
      const double b = column <= row.columns[i] ? csr_.values[k] : 0.0;
      const bool step_row = row.columns[i] <= column;
      const bool step_vector = column <= row.columns[i];
      i += step_row;
      k += step_vector;
      sum += distance ? (a - b) * (a - b) : a * b;
    }
    for (; distance && i < row.columns.size(); ++i) sum += row.values[i] * row.values[i];
    for (; distance && k < end; ++k) sum += csr_.values[k] * csr_.values[k];
    out[s] = sum;
  }
}

namespace {

double integer_power(double base, std::int64_t exponent) {
  double out = 1.0;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) out *= base;
    base *= base;
  }
  return out;
}

}  // namespace

void SupportVectors::finish(double* out) const {
  switch (kind_) {
    case Kind::linear:
      return;
    case Kind::rbf:
      for (std::size_t s = 0; s < count_; ++s) out[s] = std::exp(-gamma_ * out[s]);
      return;
    case Kind::poly:
      for (std::size_t s = 0; s < count_; ++s) out[s] = integer_power(gamma_ * out[s] + coef0_, degree_);
      return;
    case Kind::sigmoid:
      for (std::size_t s = 0; s < count_; ++s) out[s] = std::tanh(gamma_ * out[s] + coef0_);
      return;
  }
}

void SupportVectors::kernel_row(const Matrix& x, std::size_t r, double* out) const {
  if (sparse_) {
    measure_sparse(x, r, out);
  } else if (kind_ == Kind::rbf) {
    panels_.squared_distances(x.row(r), out);
  } else {
    panels_.dots(x.row(r), out);
  }
  finish(out);
}

double SupportVectors::row_ns() const {
  const double vectors = static_cast<double>(count_);
  const double measured =
      sparse_ ? 2.0 * static_cast<double>(csr_.values.size()) : 0.4 * vectors * static_cast<double>(cols_);
  return measured + (kind_ == Kind::linear ? 1.0 : 12.0) * vectors;
}

std::size_t SupportVectors::resident_bytes() const {
  return panels_.resident_bytes() + csr_.values.size() * 12;
}

}  // namespace jackdaw::predict
