// SimpleImputer. Read: statistics_ (float or object array; NaN = a column without values at the fit), missing_values,
// strategy, add_indicator and indicator_.features_, keep_empty_features (1.2+).
#include "src/predict/sklearn/imputers.h"

#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

MissingMark MissingMark::read(const BuildContext& c) {
  MissingMark mark;
  const NodeId node = c.attribute("missing_values");
  if (node == formats::no_node) return mark;
  if (c.graph.kind(node) == NodeKind::text) {
    mark.text = c.graph.text(node);
    const bool old_nan = mark.text == "NaN" && c.canonical() == "sklearn.preprocessing.Imputer";
    mark.kind = old_nan ? Kind::nan : Kind::text;
  } else if (const auto number = formats::to_number(c.graph, node)) {
    mark.kind = std::isnan(*number) ? Kind::nan : Kind::number;
    mark.number = *number;
  } else {
    mark.kind = Kind::none;
  }
  return mark;
}

bool MissingMark::matches(double value) const {
  return kind == Kind::number ? value == number : kind != Kind::text && std::isnan(value);
}

bool MissingMark::matches(const ColumnView& column, std::size_t r) const {
  if (column.is_missing(r)) return kind == Kind::nan || kind == Kind::none;
  if (column.is_text()) return kind == Kind::text && column.text(r) == text;
  return kind == Kind::number && column.number(r) == number;
}

Result<std::optional<std::vector<std::size_t>>> read_indicator(const BuildContext& c, std::size_t width) {
  std::optional<std::vector<std::size_t>> out;
  if (!c.flag_or("add_indicator", false) || !c.has("indicator_")) return out;
  const BuildContext inner = c.child(c.attribute("indicator_"), "indicator_");
  JACKDAW_ASSIGN(const std::vector<double> features, inner.doubles("features_"));
  out.emplace();
  for (double f : features) {
    if (!(f >= 0 && f < static_cast<double>(width)))
      return inner.error(Code::parse_error, "'features_' is out of range");
    out->push_back(static_cast<std::size_t>(f));
  }
  return out;
}

Matrix with_indicator(const Matrix& values, const std::vector<std::uint8_t>& mask, std::size_t mask_cols,
                      const std::vector<std::size_t>& features) {
  Matrix out = Matrix::dense(values.rows, values.cols + features.size(), promote(values.dtype, DType::boolean));
  for (std::size_t r = 0; r < values.rows; ++r) {
    std::copy(values.row(r), values.row(r) + values.cols, out.row(r));
    for (std::size_t i = 0; i < features.size(); ++i) {
      out.row(r)[values.cols + i] = mask[r * mask_cols + features[i]] != 0 ? 1.0 : 0.0;
    }
  }
  return out;
}

namespace {

// What a column's missing values become.
struct Fill {
  bool drop = false;  // the column had no values at the fit and is left out
  bool is_text = false;
  bool is_none = false;
  double number = 0;
  std::string text;
};

class SimpleImputer : public Transformer {
 public:
  SimpleImputer(InputRule rule, MissingMark mark, std::vector<Fill> fills,
                std::optional<std::vector<std::size_t>> indicator)
      : Transformer(std::move(rule)),
        mark_(std::move(mark)),
        fills_(std::move(fills)),
        indicator_(std::move(indicator)) {
    object_ = std::any_of(fills_.begin(), fills_.end(), [](const Fill& f) { return f.is_text; });
    for (const Fill& f : fills_) kept_ += !f.drop;
  }

  Result<Frame> transform(const Frame& x) const override {
    if (is_object(x)) return impute_columns(x);
    JACKDAW_ASSIGN(const MatrixRef in, check_input(x, rule_));
    return impute_matrix(*in);
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + fills_.size() * sizeof(Fill); }

 private:
  bool is_object(const Frame& x) const {
    if (object_ || std::holds_alternative<Texts>(x)) return true;
    const auto* frame = std::get_if<DataFrame>(&x);
    return frame != nullptr && rule_.numbers == Numbers::numeric &&
           std::any_of(frame->columns.begin(), frame->columns.end(), [](const Column& c) { return c.is_text; });
  }

  Result<Frame> impute_matrix(const Matrix& in) const {
    if (in.sparse) return impute_sparse(in);
    Matrix out = Matrix::dense(in.rows, kept_, in.dtype);
    for (std::size_t r = 0; r < in.rows; ++r) {
      double* row = out.row(r);
      for (std::size_t c = 0; c < in.cols; ++c) {
        if (fills_[c].drop) continue;
        const double v = in.row(r)[c];
        *row++ = mark_.matches(v) ? round_to(in.dtype, fills_[c].number) : v;
      }
    }
    if (!indicator_) return Frame(std::move(out));
    return Frame(with_indicator(out, mask_of(in), in.cols, *indicator_));
  }

  Result<Frame> impute_sparse(const Matrix& in) const {
    if (mark_.kind == MissingMark::Kind::number && mark_.number == 0) {
      return make_error(Code::invalid_argument,
                        "Imputation not possible when missing_values == 0 and input is sparse.");
    }
    std::vector<std::size_t> kept;
    for (std::size_t c = 0; c < fills_.size(); ++c) {
      if (!fills_[c].drop) kept.push_back(c);
    }
    Matrix out = select_columns(in, kept);
    for (std::size_t k = 0; k < out.values.size(); ++k) {
      if (mark_.matches(out.values[k])) out.values[k] = round_to(out.dtype, fills_[kept[out.columns[k]]].number);
    }
    if (!indicator_) return Frame(std::move(out));
    const Matrix dense = to_dense(in);
    return Frame(to_sparse(with_indicator(to_dense(out), mask_of(dense), in.cols, *indicator_)));
  }

  std::vector<std::uint8_t> mask_of(const Matrix& in) const {
    std::vector<std::uint8_t> mask(in.values.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mark_.matches(in.values[i]);
    return mask;
  }

  Result<Frame> impute_columns(const Frame& x) const {
    JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(x, rule_));
    DataFrame out;
    out.rows = frame_rows(x);
    for (std::size_t c = 0; c < views.size(); ++c) {
      if (!fills_[c].drop) out.columns.push_back(impute_column(views[c], fills_[c]));
    }
    if (indicator_) {
      for (std::size_t f : *indicator_) out.columns.push_back(indicator_column(views[f]));
    }
    return Frame(std::move(out));
  }

  Column impute_column(const ColumnView& view, const Fill& fill) const {
    Column out = view.copy();
    if (fill.is_text != out.is_text && !fill.is_none) make_text(out);
    out.missing.resize(view.rows(), 0);
    for (std::size_t r = 0; r < view.rows(); ++r) {
      if (!mark_.matches(view, r)) continue;
      out.missing[r] = fill.is_none;
      if (fill.is_none) continue;
      if (out.is_text) {
        out.texts[r] = fill.is_text ? fill.text : fmt::format("{}", fill.number);
      } else {
        out.numbers[r] = round_to(out.dtype, fill.number);
      }
    }
    return out;
  }

  // A column of numbers whose missing ones become texts is a column of texts from then on.
  static void make_text(Column& column) {
    if (column.is_text) return;
    column.is_text = true;
    column.missing.resize(column.numbers.size(), 0);
    for (std::size_t r = 0; r < column.numbers.size(); ++r) {
      column.missing[r] |= std::isnan(column.numbers[r]);
      column.texts.push_back(fmt::format("{}", column.numbers[r]));
    }
    column.numbers.clear();
    column.dtype = DType::bytes;
  }

  Column indicator_column(const ColumnView& view) const {
    Column out;
    out.dtype = DType::boolean;
    for (std::size_t r = 0; r < view.rows(); ++r) out.numbers.push_back(mark_.matches(view, r) ? 1.0 : 0.0);
    return out;
  }

  MissingMark mark_;
  std::vector<Fill> fills_;
  std::optional<std::vector<std::size_t>> indicator_;
  bool object_ = false;
  std::size_t kept_ = 0;
};

Result<Fill> read_fill(const BuildContext& c, NodeId node) {
  Fill fill;
  if (c.graph.kind(node) == NodeKind::none) {
    fill.is_none = true;
  } else if (auto text = to_text(c.graph, node)) {
    fill.is_text = true;
    fill.text = std::move(*text);
  } else if (const auto number = formats::to_number(c.graph, node)) {
    fill.number = *number;
  } else {
    return c.error(Code::unsupported, "'statistics_' holds something else than numbers and texts");
  }
  return fill;
}

Result<std::vector<Fill>> read_fills(const BuildContext& c) {
  JACKDAW_ASSIGN(const formats::NdArray array, c.ndarray("statistics_"));
  std::vector<Fill> fills;
  if (array.dtype.kind == 'O') {
    for (NodeId node : array.objects) {
      JACKDAW_ASSIGN(Fill fill, read_fill(c, node));
      fills.push_back(std::move(fill));
    }
  } else if (array.dtype.kind == 'U' || array.dtype.kind == 'S') {
    JACKDAW_ASSIGN(std::vector<std::string> texts, formats::to_strings(c.graph, array));
    for (std::string& t : texts) fills.push_back(Fill{false, true, false, 0, std::move(t)});
  } else {
    JACKDAW_ASSIGN(const std::vector<double> numbers, formats::to_doubles(c.graph, array));
    for (double v : numbers) fills.push_back(Fill{false, false, false, v, {}});
  }
  return fills;
}

Result<std::unique_ptr<Estimator>> simple_imputer(const BuildContext& c) {
  JACKDAW_ASSIGN(std::vector<Fill> fills, read_fills(c));
  const std::string strategy = c.text_or("strategy", "mean");
  const bool keeps_all = c.flag_or("keep_empty_features", false) || (strategy == "constant" && !written_since(c, 1, 7));
  for (Fill& fill : fills) {
    const bool empty = !fill.is_text && !fill.is_none && std::isnan(fill.number);
    fill.drop = empty && !keeps_all;
  }
  JACKDAW_ASSIGN(auto indicator, read_indicator(c, fills.size()));
  MissingMark mark = MissingMark::read(c);
  InputRule rule = InputRule::of(c);
  rule.finite = mark.finite();
  rule.accept_sparse = true;
  rule.numbers = strategy == "mean" || strategy == "median" ? Numbers::floats : Numbers::numeric;
  JACKDAW_TRY(fit_width(c, rule, fills.size()));
  return std::unique_ptr<Estimator>(
      new SimpleImputer(std::move(rule), std::move(mark), std::move(fills), std::move(indicator)));
}

// sklearn.preprocessing.Imputer, gone since 0.22: missing_values 'NaN' was spelt as a text.
Result<std::unique_ptr<Estimator>> old_imputer(const BuildContext& c) {
  if (c.integer_or("axis", 0) != 0) return c.error(Code::unsupported, "axis=1 is not supported");
  return simple_imputer(c);
}

constexpr ClassRow rows[] = {
    {"sklearn.impute.SimpleImputer", simple_imputer},
    {"sklearn.preprocessing.Imputer", old_imputer},
    {"sklearn.impute.MissingIndicator", build_missing_indicator},
    {"sklearn.impute.KNNImputer", build_knn_imputer},
    {"sklearn.impute.IterativeImputer", build_iterative_imputer},
};

}  // namespace

std::span<const ClassRow> imputer_rows() {
  return rows;
}

}  // namespace jackdaw::predict
