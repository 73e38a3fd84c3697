// Preprocessing of numbers: Normalizer (norm), Binarizer (threshold), PolynomialFeatures (degree or _min_degree and
// _max_degree, interaction_only, include_bias), and the rows of the whole family.
#include "src/predict/sklearn/preprocessing.h"

#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/math.h"

namespace jackdaw::predict {
namespace {

enum class Norm : unsigned char { l1, l2, max };

class Normalizer : public Transformer {
 public:
  // Since 1.0 a dense row counts as zero when its norm is below 10 eps.
  Normalizer(InputRule rule, Norm norm, bool small_is_zero)
      : Transformer(std::move(rule)), norm_(norm), small_is_zero_(small_is_zero) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    return normalize(std::move(in).take());
  }
  Result<Frame> transform_owned(Frame&& x) const override {
    JACKDAW_ASSIGN(Matrix in, check_owned_input(std::move(x), rule_));
    return normalize(std::move(in));
  }

 private:
  double norm_of(const double* values, std::size_t n, DType dtype) const {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double v = std::abs(values[i]);
      sum = norm_ == Norm::max ? std::max(sum, v) : norm_ == Norm::l1 ? sum + v : sum + v * v;
    }
    return round_to(dtype, norm_ == Norm::l2 ? std::sqrt(round_to(dtype, sum)) : sum);
  }

  Result<Frame> normalize(Matrix m) const {
    const double eps = m.dtype == DType::fp32 ? 1.1920928955078125e-07 : 2.220446049250313e-16;
    const double least = small_is_zero_ && !m.sparse ? 10 * eps : 0.0;
    for (std::size_t r = 0; r < m.rows; ++r) {
      double* values = m.sparse ? m.values.data() + m.row_begin[r] : m.row(r);
      const std::size_t n = m.sparse ? m.row_begin[r + 1] - m.row_begin[r] : m.cols;
      const double norm = norm_of(values, n, m.dtype);
      if (norm == 0 || norm < least) continue;
      for (std::size_t i = 0; i < n; ++i) values[i] = round_to(m.dtype, values[i] / norm);
    }
    return Frame(std::move(m));
  }

  Norm norm_;
  bool small_is_zero_;
};

Result<std::unique_ptr<Estimator>> build_normalizer(const BuildContext& c) {
  const std::string name = c.text_or("norm", "l2");
  if (name != "l1" && name != "l2" && name != "max") {
    return c.error(Code::unsupported, fmt::format("norm '{}' is not known", name));
  }
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  rule.accept_sparse = true;
  const Norm norm = name == "l1" ? Norm::l1 : name == "max" ? Norm::max : Norm::l2;
  return std::unique_ptr<Estimator>(new Normalizer(std::move(rule), norm, written_since(c, 1, 0)));
}

class Binarizer : public Transformer {
 public:
  Binarizer(InputRule rule, double threshold) : Transformer(std::move(rule)), threshold_(threshold) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(MatrixRef in, check_input(x, rule_));
    Matrix m = std::move(in).take();
    if (m.sparse && threshold_ < 0) {
      return make_error(Code::invalid_argument, "Cannot binarize a sparse matrix with threshold < 0");
    }
    for (double& v : m.values) v = v > threshold_ ? 1.0 : 0.0;
    return Frame(std::move(m));
  }

 private:
  double threshold_;
};

Result<std::unique_ptr<Estimator>> build_binarizer(const BuildContext& c) {
  InputRule rule = InputRule::of(c);
  rule.accept_sparse = true;
  return std::unique_ptr<Estimator>(new Binarizer(std::move(rule), c.number_or("threshold", 0.0)));
}

// One output column: the column `parent` times the input `feature`; a parent of -1 is 1.
struct Term {
  std::int64_t parent;
  std::uint32_t feature;
};

class PolynomialFeatures : public Transformer {
 public:
  PolynomialFeatures(InputRule rule, std::vector<Term> terms, std::size_t first, bool bias)
      : Transformer(std::move(rule)), terms_(std::move(terms)), first_(first), bias_(bias) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef checked, check_input(x, rule_));
    const std::size_t kept = terms_.size() - first_;
    const std::size_t width = kept + (bias_ ? 1 : 0);
    if (width != 0 && checked->rows > (std::size_t{1} << 28) / width) {
      return make_error(Code::too_large, "PolynomialFeatures would make {} x {} numbers", checked->rows, width);
    }
    const Matrix dense = checked->sparse ? to_dense(*checked) : Matrix();
    const Matrix& in = checked->sparse ? dense : *checked;
    Matrix out = Matrix::dense(in.rows, width, in.dtype);
    double* all = scratch(2, terms_.size());
    for (std::size_t r = 0; r < in.rows; ++r) {
      expand(in.row(r), in.dtype, all);
      double* row = out.row(r);
      if (bias_) *row++ = 1.0;
      std::copy(all + first_, all + terms_.size(), row);
    }
    return checked->sparse ? Frame(to_sparse(out)) : Frame(std::move(out));
  }

  double cost_ns(std::size_t rows) const override {
    return 80.0 + 2.0 * static_cast<double>(terms_.size()) * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + terms_.size() * sizeof(Term); }

 private:
  void expand(const double* x, DType dtype, double* out) const {
    for (std::size_t t = 0; t < terms_.size(); ++t) {
      const Term& term = terms_[t];
      const double v = x[term.feature];
      out[t] = term.parent < 0 ? v : round_to(dtype, out[term.parent] * v);
    }
  }

  std::vector<Term> terms_;  // degree 1 first, then 2, ...
  std::size_t first_;        // terms below min_degree are computed, but not given out
  bool bias_;
};

constexpr std::size_t terms_max = 1u << 22;

// Terms of the next degree in scikit-learn's order: feature i times every term of the last degree whose first factor
// is i or later (later, for interactions only). `first[i]` is the first term of the last degree with first factor >= i.
void add_degree(std::vector<Term>& terms, std::vector<std::size_t>& first, bool interaction_only) {
  std::vector<std::size_t> next;
  const std::size_t end = terms.size();
  const std::size_t n = first.size() - 1;
  for (std::size_t i = 0; i < n; ++i) {
    next.push_back(terms.size());
    for (std::size_t t = first[interaction_only ? i + 1 : i]; t < end; ++t) {
      terms.push_back({static_cast<std::int64_t>(t), static_cast<std::uint32_t>(i)});
      if (terms.size() > terms_max) return;
    }
  }
  next.push_back(terms.size());
  first = std::move(next);
}

Result<std::unique_ptr<Estimator>> build_polynomial(const BuildContext& c) {
  InputRule rule = InputRule::of(c);
  rule.numbers = Numbers::floats;
  rule.accept_sparse = true;
  if (rule.n_features < 0) rule.n_features = c.integer_or("n_input_features_", c.integer_or("_n_features", -1));
  if (rule.n_features <= 0 || rule.n_features > 1'000'000)
    return c.error(Code::parse_error, "'n_features_in_' is missing");
  std::int64_t low = c.integer_or("_min_degree", 0);
  std::int64_t high = c.integer_or("_max_degree", c.integer_or("degree", -1));
  if (high < 0 || high > 64 || low < 0 || low > high) return c.error(Code::parse_error, "'degree' is out of range");
  std::vector<Term> terms;
  std::vector<std::size_t> first;
  std::size_t given_out_from = 0;
  const auto n = static_cast<std::size_t>(rule.n_features);
  for (std::size_t i = 0; i < n && high > 0; ++i) {
    first.push_back(i);
    terms.push_back({-1, static_cast<std::uint32_t>(i)});
  }
  first.push_back(terms.size());
  if (low > 1) given_out_from = terms.size();
  for (std::int64_t d = 2; d <= high; ++d) {
    add_degree(terms, first, c.flag_or("interaction_only", false));
    if (terms.size() > terms_max) return c.error(Code::too_large, "more than 4 million output features");
    if (d < low) given_out_from = terms.size();
  }
  return std::unique_ptr<Estimator>(
      new PolynomialFeatures(std::move(rule), std::move(terms), given_out_from, c.flag_or("include_bias", true)));
}

constexpr ClassRow rows[] = {
    {"sklearn.preprocessing.StandardScaler", build_standard_scaler},
    {"sklearn.preprocessing.MinMaxScaler", build_min_max_scaler},
    {"sklearn.preprocessing.MaxAbsScaler", build_max_abs_scaler},
    {"sklearn.preprocessing.RobustScaler", build_robust_scaler},
    {"sklearn.preprocessing.Normalizer", build_normalizer},
    {"sklearn.preprocessing.Binarizer", build_binarizer},
    {"sklearn.preprocessing.PolynomialFeatures", build_polynomial},
    {"sklearn.preprocessing.FunctionTransformer", build_function_transformer},
    {"sklearn.preprocessing.KBinsDiscretizer", build_bins_discretizer},
    {"sklearn.preprocessing.PowerTransformer", build_power_transformer},
    {"sklearn.preprocessing.QuantileTransformer", build_quantile_transformer},
    {"sklearn.preprocessing.SplineTransformer", build_spline_transformer},
};

}  // namespace

std::span<const ClassRow> preprocessing_rows() {
  return rows;
}

}  // namespace jackdaw::predict
