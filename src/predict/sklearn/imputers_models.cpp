// MissingIndicator (features, features_, error_on_new), KNNImputer (_fit_X, _mask_fit_X, n_neighbors,
// weights) and IterativeImputer (initial_imputer_, imputation_sequence_, n_iter_, _min_value, _max_value).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/imputers.h"

namespace jackdaw::predict {
namespace {

using formats::NodeId;

class MissingIndicator : public Transformer {
 public:
  MissingIndicator(InputRule rule, MissingMark mark, std::vector<std::size_t> features, bool refuse_new)
      : Transformer(std::move(rule)), mark_(std::move(mark)), features_(std::move(features)), refuse_new_(refuse_new) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(x, rule_));
    if (refuse_new_) JACKDAW_TRY(check_new(views));
    Matrix out = Matrix::dense(frame_rows(x), features_.size(), DType::boolean);
    for (std::size_t i = 0; i < features_.size(); ++i) {
      for (std::size_t r = 0; r < out.rows; ++r) out.row(r)[i] = mark_.matches(views[features_[i]], r) ? 1.0 : 0.0;
    }
    return Frame(std::move(out));
  }

 private:
  Result<void> check_new(const std::vector<ColumnView>& views) const {
    std::vector<std::size_t> fresh;
    for (std::size_t c = 0; c < views.size(); ++c) {
      if (std::find(features_.begin(), features_.end(), c) != features_.end()) continue;
      for (std::size_t r = 0; r < views[c].rows(); ++r) {
        if (!mark_.matches(views[c], r)) continue;
        fresh.push_back(c);
        break;
      }
    }
    if (fresh.empty()) return {};
    return make_error(Code::invalid_argument,
                      "The features [{}] have missing values in transform but have no missing values in fit.",
                      fmt::join(fresh, " "));
  }

  MissingMark mark_;
  std::vector<std::size_t> features_;
  bool refuse_new_;
};

// ---- nearest neighbours -------------------------------------------------------------------------------------------

class KnnImputer : public Transformer {
 public:
  struct Fitted {
    Matrix rows;                        // _fit_X
    std::vector<std::uint8_t> missing;  // _mask_fit_X
    std::vector<std::uint8_t> valid;    // columns that had values
    std::size_t neighbors = 5;
    bool by_distance = false;
    bool keep_empty = false;
    bool skips_distant = false;  // since 1.3 donors without a distance weigh nothing
  };
  KnnImputer(InputRule rule, MissingMark mark, Fitted fitted, std::optional<std::vector<std::size_t>> indicator)
      : Transformer(std::move(rule)), mark_(std::move(mark)), f_(std::move(fitted)), indicator_(std::move(indicator)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef checked, check_input(x, rule_));
    const Matrix& in = *checked;
    std::vector<std::uint8_t> mask(in.values.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mark_.matches(in.values[i]);
    Matrix filled = in;
    std::vector<double> distances(f_.rows.rows);
    for (std::size_t r = 0; r < in.rows; ++r) fill_row(in, mask, r, distances, filled);
    Matrix out = keep_columns(filled);
    round_all(out);
    if (!indicator_) return Frame(std::move(out));
    return Frame(with_indicator(out, mask, in.cols, *indicator_));
  }

  double cost_ns(std::size_t rows) const override {
    return 200.0 + static_cast<double>(f_.rows.values.size()) * 2.0 * static_cast<double>(rows);
  }
  std::size_t resident_bytes() const override { return sizeof(*this) + 9 * f_.rows.values.size(); }

 private:
  // Euclidean distance over the columns both rows have, scaled up for those that are missing; NaN without any.
  double distance(const Matrix& in, const std::vector<std::uint8_t>& mask, std::size_t r, std::size_t donor) const {
    double sum = 0;
    std::size_t present = 0;
    for (std::size_t c = 0; c < in.cols; ++c) {
      if (mask[r * in.cols + c] != 0 || f_.missing[donor * in.cols + c] != 0) continue;
      const double d = in.row(r)[c] - f_.rows.row(donor)[c];
      sum += d * d;
      ++present;
    }
    if (present == 0) return NAN;
    return std::sqrt(sum * static_cast<double>(in.cols) / static_cast<double>(present));
  }

  void fill_row(const Matrix& in, const std::vector<std::uint8_t>& mask, std::size_t r, std::vector<double>& distances,
                Matrix& out) const {
    bool measured = false;
    for (std::size_t c = 0; c < in.cols; ++c) {
      if (mask[r * in.cols + c] == 0 || f_.valid[c] == 0) continue;
      if (!measured) {
        for (std::size_t d = 0; d < distances.size(); ++d) distances[d] = distance(in, mask, r, d);
        measured = true;
      }
      out.row(r)[c] = donate(distances, c);
    }
  }

  double donate(const std::vector<double>& distances, std::size_t c) const {
    std::vector<std::size_t> donors;
    bool any = false;
    for (std::size_t d = 0; d < f_.rows.rows; ++d) {
      if (f_.missing[d * f_.rows.cols + c] != 0) continue;
      donors.push_back(d);
      any |= !std::isnan(distances[d]);
    }
    const auto key = [&](std::size_t d) { return std::isnan(distances[d]) ? INFINITY : distances[d]; };
    if (any) {
      std::stable_sort(donors.begin(), donors.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
      donors.resize(std::min(donors.size(), f_.neighbors));
    }
    return average(donors, distances, c, any);
  }

  double average(const std::vector<std::size_t>& donors, const std::vector<double>& distances, std::size_t c,
                 bool any) const {
    const bool exact = any && f_.by_distance &&
                       std::any_of(donors.begin(), donors.end(), [&](std::size_t d) { return distances[d] == 0; });
    double sum = 0;
    double weights = 0;
    for (std::size_t d : donors) {
      double w = 1.0;
      if (any && std::isnan(distances[d])) {
        w = f_.by_distance || f_.skips_distant ? 0.0 : 1.0;
      } else if (any && f_.by_distance) {
        w = exact ? (distances[d] == 0 ? 1.0 : 0.0) : 1.0 / distances[d];
      }
      sum += w * f_.rows.row(d)[c];
      weights += w;
    }
    return sum / weights;
  }

  Matrix keep_columns(const Matrix& filled) const {
    if (f_.keep_empty) {
      Matrix out = filled;
      for (std::size_t r = 0; r < out.rows; ++r) {
        for (std::size_t c = 0; c < out.cols; ++c) {
          if (f_.valid[c] == 0) out.row(r)[c] = 0.0;
        }
      }
      return out;
    }
    std::vector<std::size_t> kept;
    for (std::size_t c = 0; c < filled.cols; ++c) {
      if (f_.valid[c] != 0) kept.push_back(c);
    }
    return select_columns(filled, kept);
  }

  MissingMark mark_;
  Fitted f_;
  std::optional<std::vector<std::size_t>> indicator_;
};

// ---- one model per feature ----------------------------------------------------------------------------------------

class IterativeImputer : public Transformer {
 public:
  struct Turn {
    std::size_t feature;
    std::vector<std::size_t> neighbors;
    std::unique_ptr<Estimator> model;
  };
  struct Fitted {
    std::unique_ptr<Estimator> initial;
    std::vector<std::size_t> kept;  // columns the initial imputer gives
    std::vector<Turn> turns;
    std::vector<double> low, high;
  };
  IterativeImputer(InputRule rule, MissingMark mark, Fitted fitted, std::optional<std::vector<std::size_t>> indicator)
      : Transformer(std::move(rule)), mark_(std::move(mark)), f_(std::move(fitted)), indicator_(std::move(indicator)) {}

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef in, check_input(x, rule_));
    std::vector<std::uint8_t> mask(in->values.size());
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = mark_.matches(in->values[i]);
    JACKDAW_ASSIGN(Frame first, f_.initial->transform(Frame(*in)));
    auto* filled = std::get_if<Matrix>(&first);
    if (filled == nullptr || filled->sparse || filled->cols != f_.kept.size()) {
      return make_error(Code::internal, "the initial imputer gave another width than at the fit");
    }
    for (const Turn& turn : f_.turns) JACKDAW_TRY(take_turn(turn, mask, in->cols, *filled));
    if (!indicator_) return first;
    return Frame(with_indicator(*filled, mask, in->cols, *indicator_));
  }

  double cost_ns(std::size_t rows) const override {
    double sum = 500;
    for (const Turn& turn : f_.turns) sum += turn.model->cost_ns(rows);
    return sum;
  }

 private:
  Result<void> take_turn(const Turn& turn, const std::vector<std::uint8_t>& mask, std::size_t width, Matrix& x) const {
    std::vector<std::size_t> rows;
    for (std::size_t r = 0; r < x.rows; ++r) {
      if (mask[r * width + f_.kept[turn.feature]] != 0) rows.push_back(r);
    }
    if (rows.empty()) return {};
    Matrix in = Matrix::dense(rows.size(), turn.neighbors.size(), x.dtype);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t k = 0; k < turn.neighbors.size(); ++k) in.row(i)[k] = x.row(rows[i])[turn.neighbors[k]];
    }
    JACKDAW_ASSIGN(const Matrix got, only_numbers(turn.model->run(Method::predict, Frame(std::move(in)))));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double v = std::clamp(got.values[i], f_.low[turn.feature], f_.high[turn.feature]);
      x.row(rows[i])[turn.feature] = round_to(x.dtype, v);
    }
    return {};
  }

  MissingMark mark_;
  Fitted f_;
  std::optional<std::vector<std::size_t>> indicator_;
};

Result<std::vector<std::size_t>> read_places(const BuildContext& c, NodeId node, std::size_t limit) {
  JACKDAW_ASSIGN(const Matrix values, matrix_at(c, node, "imputation_sequence_"));
  std::vector<std::size_t> out;
  for (double v : values.values) {
    if (!(v >= 0 && v < static_cast<double>(limit))) {
      return c.error(Code::parse_error, "'imputation_sequence_' is out of range");
    }
    out.push_back(static_cast<std::size_t>(v));
  }
  return out;
}

// imputation_sequence_: named tuples (feat_idx, neighbor_feat_idx, estimator), one per feature and round.
Result<IterativeImputer::Turn> read_turn(const BuildContext& c, NodeId node, std::size_t width, std::size_t index) {
  NodeId fields = node;
  if (c.graph.kind(node) == formats::NodeKind::object) fields = c.graph.object(node).args;
  if (fields == formats::no_node || c.graph.kind(fields) != formats::NodeKind::tuple ||
      c.graph.items(fields).size() != 3) {
    return c.error(Code::parse_error, "'imputation_sequence_' cannot be read");
  }
  const auto items = c.graph.items(fields);
  IterativeImputer::Turn turn;
  const auto feature = formats::to_number(c.graph, items[0]);
  if (!feature || !(*feature >= 0 && *feature < static_cast<double>(width))) {
    return c.error(Code::parse_error, "'imputation_sequence_' is out of range");
  }
  turn.feature = static_cast<std::size_t>(*feature);
  JACKDAW_ASSIGN(turn.neighbors, read_places(c, items[1], width));
  JACKDAW_ASSIGN(turn.model, build_estimator(c.child(items[2], fmt::format("imputation_sequence_[{}]", index))));
  return turn;
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_missing_indicator(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<double> places, c.doubles("features_"));
  MissingMark mark = MissingMark::read(c);
  InputRule rule = InputRule::of(c);
  if (rule.n_features < 0) rule.n_features = c.integer_or("_n_features", -1);
  if (rule.n_features < 0) return c.error(Code::parse_error, "'n_features_in_' is missing");
  rule.finite = mark.finite();
  std::vector<std::size_t> features;
  const bool all = c.text_or("features", "missing-only") == "all";
  for (double f : places) {
    if (!(f >= 0 && f < static_cast<double>(rule.n_features)))
      return c.error(Code::parse_error, "'features_' is out of range");
    if (!all) features.push_back(static_cast<std::size_t>(f));
  }
  if (all) {
    features.resize(static_cast<std::size_t>(std::min<std::int64_t>(rule.n_features, 1 << 24)));
    std::iota(features.begin(), features.end(), 0);
  }
  return std::unique_ptr<Estimator>(new MissingIndicator(std::move(rule), std::move(mark), std::move(features),
                                                         !all && c.flag_or("error_on_new", true)));
}

Result<std::unique_ptr<Estimator>> build_knn_imputer(const BuildContext& c) {
  KnnImputer::Fitted f;
  JACKDAW_ASSIGN(f.rows, shaped_matrix(c, "_fit_X", -1, -1));
  const auto cols = static_cast<std::int64_t>(f.rows.cols);
  JACKDAW_ASSIGN(const Matrix missing, shaped_matrix(c, "_mask_fit_X", static_cast<std::int64_t>(f.rows.rows), cols));
  for (double v : missing.values) f.missing.push_back(v != 0);
  // _valid_mask (1.1+): the columns that had a value.
  f.valid.assign(f.rows.cols, 0);
  for (std::size_t i = 0; i < f.missing.size(); ++i) f.valid[i % f.rows.cols] |= f.missing[i] == 0;
  JACKDAW_ASSIGN(const std::int64_t neighbors, c.integer("n_neighbors"));
  if (neighbors < 1) return c.error(Code::parse_error, "'n_neighbors' is out of range");
  f.neighbors = static_cast<std::size_t>(neighbors);
  const std::string weights = c.text_or("weights", "");
  if (weights != "uniform" && weights != "distance") return c.error(Code::unsupported, "its weights are Python code");
  f.by_distance = weights == "distance";
  if (c.text_or("metric", "") != "nan_euclidean") return c.error(Code::unsupported, "its metric is Python code");
  f.keep_empty = c.flag_or("keep_empty_features", false);
  f.skips_distant = written_since(c, 1, 3);
  JACKDAW_ASSIGN(auto indicator, read_indicator(c, f.rows.cols));
  MissingMark mark = MissingMark::read(c);
  InputRule rule = InputRule::of(c);
  rule.finite = mark.finite();
  rule.numbers = Numbers::floats;
  JACKDAW_TRY(fit_width(c, rule, f.rows.cols));
  return std::unique_ptr<Estimator>(
      new KnnImputer(std::move(rule), std::move(mark), std::move(f), std::move(indicator)));
}

Result<std::unique_ptr<Estimator>> build_iterative_imputer(const BuildContext& c) {
  if (c.flag_or("sample_posterior", false)) {
    return c.error(Code::unsupported, "sample_posterior=True draws random numbers; fit it with sample_posterior=False");
  }
  IterativeImputer::Fitted f;
  JACKDAW_ASSIGN(f.initial, c.estimator("initial_imputer_"));
  const BuildContext initial = c.child(c.attribute("initial_imputer_"), "initial_imputer_");
  JACKDAW_ASSIGN(const std::vector<double> statistics, initial.doubles("statistics_"));
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    if (!std::isnan(statistics[i]) || c.flag_or("keep_empty_features", false)) f.kept.push_back(i);
  }
  JACKDAW_ASSIGN(f.low, sized_doubles(c, "_min_value", f.kept.size()));
  JACKDAW_ASSIGN(f.high, sized_doubles(c, "_max_value", f.kept.size()));
  for (std::size_t i = 0; i < f.low.size(); ++i) {
    if (!(f.low[i] <= f.high[i])) return c.error(Code::parse_error, "'_min_value' is above '_max_value'");
  }
  if (c.has("imputation_sequence_") && c.graph.kind(c.attribute("imputation_sequence_")) == formats::NodeKind::list) {
    const auto nodes = c.graph.items(c.attribute("imputation_sequence_"));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      JACKDAW_ASSIGN(IterativeImputer::Turn turn, read_turn(c, nodes[i], f.kept.size(), i));
      f.turns.push_back(std::move(turn));
    }
  }
  JACKDAW_ASSIGN(auto indicator, read_indicator(c, statistics.size()));
  MissingMark mark = MissingMark::read(c);
  InputRule rule = InputRule::of(c);
  rule.finite = mark.finite();
  rule.numbers = Numbers::floats;
  JACKDAW_TRY(fit_width(c, rule, statistics.size()));
  return std::unique_ptr<Estimator>(
      new IterativeImputer(std::move(rule), std::move(mark), std::move(f), std::move(indicator)));
}

}  // namespace jackdaw::predict
