// KBinsDiscretizer: bin_edges_ (an object array of arrays), n_bins_, encode. Since 1.1 a value's bin is its place among
// the inner edges; before, a value within 1e-8 + 1e-5 |x| below an edge counted as on it.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/preprocessing.h"

namespace jackdaw::predict {
namespace {

enum class BinCode : unsigned char { ordinal, onehot, onehot_dense };

struct Bins {
  std::vector<double> edges;  // n + 1 of them
  std::size_t n = 0;
  std::size_t offset = 0;  // first one-hot column
};

class BinsDiscretizer : public Transformer {
 public:
  BinsDiscretizer(InputRule rule, std::vector<Bins> bins, BinCode code, bool tolerant, std::optional<DType> dtype)
      : Transformer(std::move(rule)), bins_(std::move(bins)), code_(code), tolerant_(tolerant), dtype_(dtype) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    if (dtype_) m.dtype = *dtype_;
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) m.row(r)[c] = static_cast<double>(bin_of(bins_[c], m.row(r)[c]));
    }
    if (code_ == BinCode::ordinal) return Frame(std::move(m));
    return Frame(code_ == BinCode::onehot ? one_hot(m) : to_dense(one_hot(m)));
  }

 private:
  std::size_t bin_of(const Bins& bins, double v) const {
    if (tolerant_) v += 1e-8 + 1e-5 * std::abs(v);
    const auto first = bins.edges.begin() + 1;
    const auto last = bins.edges.end() - 1;
    if (std::isnan(v)) return static_cast<std::size_t>(last - first);
    return static_cast<std::size_t>(std::upper_bound(first, last, v) - first);
  }

  Matrix one_hot(const Matrix& m) const {
    Matrix out = Matrix::csr(bins_.back().offset + bins_.back().n, m.dtype);
    for (std::size_t r = 0; r < m.rows; ++r) {
      for (std::size_t c = 0; c < m.cols; ++c) {
        out.push(static_cast<std::uint32_t>(bins_[c].offset + static_cast<std::size_t>(m.row(r)[c])), 1.0);
      }
      out.end_row();
    }
    return out;
  }

  std::vector<Bins> bins_;
  BinCode code_;
  bool tolerant_;
  std::optional<DType> dtype_;
};

Result<std::vector<Bins>> read_bins(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<formats::NodeId> columns, object_list(c, "bin_edges_"));
  std::vector<Bins> out;
  std::size_t offset = 0;
  for (formats::NodeId column : columns) {
    Bins bins;
    JACKDAW_ASSIGN(Matrix edges, matrix_at(c, column, "bin_edges_"));
    bins.edges = std::move(edges.values);
    if (bins.edges.size() < 2) return c.error(Code::parse_error, "'bin_edges_' holds a column without bins");
    for (std::size_t i = 1; i < bins.edges.size(); ++i) {
      if (!(bins.edges[i - 1] <= bins.edges[i])) return c.error(Code::parse_error, "'bin_edges_' are not in order");
    }
    bins.n = bins.edges.size() - 1;
    bins.offset = offset;
    offset += bins.n;
    out.push_back(std::move(bins));
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_bins_discretizer(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<Bins> bins, read_bins(c));
  const std::string encode = c.text_or("encode", "onehot");
  const BinCode code = encode == "ordinal"        ? BinCode::ordinal
                       : encode == "onehot-dense" ? BinCode::onehot_dense
                                                  : BinCode::onehot;
  InputRule rule = InputRule::of(c);
  const bool typed = written_since(c, 0, 24);  // Before, everything became float64.
  rule.numbers = typed ? Numbers::floats : Numbers::fp64;
  JACKDAW_TRY(fit_width(c, rule, bins.size()));
  std::optional<DType> dtype;
  if (c.has("dtype")) {
    const formats::NodeId type = c.attribute("dtype");
    if (c.graph.kind(type) == formats::NodeKind::global) {
      dtype = c.graph.name(type) == "float32" ? DType::fp32 : DType::fp64;
      rule.numbers = *dtype == DType::fp32 ? Numbers::fp32 : Numbers::fp64;
    }
  }
  return std::unique_ptr<Estimator>(
      new BinsDiscretizer(std::move(rule), std::move(bins), code, !written_since(c, 1, 1), dtype));
}

}  // namespace jackdaw::predict
