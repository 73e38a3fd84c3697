// HistGradientBoosting*: _predictors (per iteration, per class: a TreePredictor), _baseline_prediction, _bin_mapper,
// loss, and since 1.4 _preprocessor, which moves categorical columns to the front and encodes them.
//
// TreePredictor.nodes is a packed structured array read by name: value, feature_idx (4 or 8 bytes), num_threshold
// (`threshold` before 0.24), missing_go_to_left (since 0.22), left, right, is_leaf, is_categorical and bitset_idx
// (since 0.24), count. raw_left_cat_bitsets: 8 words per categorical split. Trees compare in double.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "jackdaw/ops/forest.h"
#include "jackdaw/ops/forest_contributions.h"
#include "src/predict/sklearn/boosting.h"
#include "src/predict/sklearn/trees.h"

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;

namespace {

constexpr std::size_t category_count = 256;  // categories are bytes
constexpr std::size_t bitset_words = category_count / 32;

// ---- columns ------------------------------------------------------------------------------------------------------

// The categories of one column that the fit met; any other value counts as missing.
using KnownCategories = std::vector<bool>;

// What happens to rows before the trees see them.
struct Columns {
  std::vector<std::pair<std::size_t, KnownCategories>> known;  // by column as the trees number them
  // 1.4 and later: categorical columns come first, encoded.
  std::unique_ptr<Estimator> encoder;
  std::vector<std::size_t> categorical;
  std::vector<std::size_t> numerical;

  // The model's own column of one that the trees number.
  std::size_t own_column(std::size_t column) const {
    if (!encoder) return column;
    return column < categorical.size() ? categorical[column] : numerical[column - categorical.size()];
  }

  Result<Matrix> prepare(const Frame& x, const InputRule& rule) const;
  Result<Matrix> encode(const Frame& x, const InputRule& rule) const;
  void hide_unknown(Matrix& m) const;
};

void Columns::hide_unknown(Matrix& m) const {
  for (const auto& [column, categories] : known) {
    for (std::size_t r = 0; r < m.rows; ++r) {
      double& v = m.row(r)[column];
      // As scikit-learn: truncated to an integer, of which the low byte counts.
      const bool in_range = v >= 0.0 && v < 2147483648.0;
      const std::size_t category = in_range ? static_cast<std::size_t>(v) % category_count : 0;
      v = in_range && categories[category] ? static_cast<double>(category) : std::numeric_limits<double>::quiet_NaN();
    }
  }
}

Frame picked_columns(const std::vector<ColumnView>& views, const std::vector<std::size_t>& picks, bool as_matrix) {
  const std::size_t rows = views.empty() ? 0 : views[0].rows();
  if (as_matrix) {
    Matrix out = Matrix::dense(rows, picks.size(), DType::fp64);
    for (std::size_t c = 0; c < picks.size(); ++c) {
      for (std::size_t r = 0; r < rows; ++r) out.row(r)[c] = views[picks[c]].number(r);
    }
    return out;
  }
  DataFrame out;
  out.rows = rows;
  for (std::size_t pick : picks) out.columns.push_back(views[pick].copy());
  return out;
}

Result<Matrix> Columns::encode(const Frame& x, const InputRule& rule) const {
  JACKDAW_ASSIGN(const std::vector<ColumnView> views, check_columns(x, rule));
  const bool is_matrix = std::holds_alternative<Matrix>(x);
  JACKDAW_ASSIGN(const Frame encoded, encoder->transform(picked_columns(views, categorical, is_matrix)));
  const auto* codes = std::get_if<Matrix>(&encoded);
  if (codes == nullptr || codes->sparse || codes->cols != categorical.size()) {
    return make_error(Code::internal, "the encoder of {} does not answer with one column each", rule.class_name);
  }
  InputRule numbers;
  numbers.class_name = rule.class_name;
  numbers.finite = Finite::any;
  numbers.numbers = Numbers::fp64;
  Matrix out = Matrix::dense(codes->rows, categorical.size() + numerical.size(), DType::fp64);
  for (std::size_t r = 0; r < out.rows; ++r) std::copy_n(codes->row(r), codes->cols, out.row(r));
  if (numerical.empty()) return out;
  JACKDAW_ASSIGN(const Matrix rest, check_owned_input(picked_columns(views, numerical, is_matrix), numbers));
  for (std::size_t r = 0; r < out.rows; ++r) std::copy_n(rest.row(r), rest.cols, out.row(r) + codes->cols);
  return out;
}

Result<Matrix> Columns::prepare(const Frame& x, const InputRule& rule) const {
  if (encoder) {
    JACKDAW_ASSIGN(Matrix m, encode(x, rule));
    hide_unknown(m);
    return m;
  }
  JACKDAW_ASSIGN(MatrixRef checked, check_input(x, rule));
  Matrix m = std::move(checked).take();
  hide_unknown(m);
  return m;
}

Result<std::vector<double>> mask_of(const BuildContext& context, std::string_view name, std::size_t width) {
  if (!context.has(name)) return std::vector<double>(width, 0.0);
  return sized_doubles(context, name, width);
}

Result<void> read_known(const BuildContext& context, std::size_t width, Columns& out) {
  const BuildContext mapper = context.child(context.attribute("_bin_mapper"), "_bin_mapper");
  if (mapper.node == no_node) return {};  // before 0.24 it had another name and no categories
  JACKDAW_ASSIGN(const std::vector<double> mask, mask_of(mapper, "is_categorical_", width));
  if (std::none_of(mask.begin(), mask.end(), [](double v) { return v != 0.0; })) return {};
  JACKDAW_ASSIGN(const std::vector<NodeId> thresholds, object_list(mapper, "bin_thresholds_"));
  if (thresholds.size() != width) {
    return mapper.error(Code::parse_error,
                        fmt::format("bin_thresholds_ is for {} columns of {}", thresholds.size(), width));
  }
  for (std::size_t c = 0; c < width; ++c) {
    if (mask[c] == 0.0) continue;
    JACKDAW_ASSIGN(const Matrix values, matrix_at(mapper, thresholds[c], fmt::format("bin_thresholds_[{}]", c)));
    KnownCategories known(category_count, false);
    for (double v : values.values) {
      if (v >= 0.0 && v < static_cast<double>(category_count)) known[static_cast<std::size_t>(v)] = true;
    }
    out.known.emplace_back(c, std::move(known));
  }
  return {};
}

// transformers_ of the ColumnTransformer: [("encoder", OrdinalEncoder, mask), ("numerical", ...)].
Result<void> read_encoder(const BuildContext& context, std::size_t width, Columns& out) {
  JACKDAW_ASSIGN(const std::vector<double> mask, mask_of(context, "is_categorical_", width));
  for (std::size_t c = 0; c < width; ++c) (mask[c] != 0.0 ? out.categorical : out.numerical).push_back(c);
  const BuildContext compose = context.child(context.attribute("_preprocessor"), "_preprocessor");
  JACKDAW_ASSIGN(const std::vector<NodeId> steps, object_list(compose, "transformers_"));
  for (NodeId step : steps) {
    const auto parts = list_of(context.graph, step);
    if (!parts || parts->size() != 3 || context.graph.kind((*parts)[0]) != formats::NodeKind::text) continue;
    if (context.graph.text((*parts)[0]) != "encoder") continue;
    JACKDAW_ASSIGN(out.encoder, build_estimator(compose.child((*parts)[1], "transformers_['encoder']")));
  }
  if (out.encoder && out.encoder->supports(Method::transform)) return {};
  return compose.error(Code::parse_error, "it has no encoder for categorical columns");
}

Result<Columns> read_columns(const BuildContext& context, std::size_t width) {
  Columns out;
  JACKDAW_TRY(read_known(context, width, out));
  if (context.has("_preprocessor")) JACKDAW_TRY(read_encoder(context, width, out));
  return out;
}

// ---- trees --------------------------------------------------------------------------------------------------------

class HistForestReader {
 public:
  HistForestReader(const BuildContext& context, const Columns& columns, std::size_t width, std::size_t per_iteration)
      : context_(context) {
    spec_.compare = ops::ForestSpec::Compare::less_equal;
    spec_.features_f64 = true;
    spec_.sums_f64 = true;
    spec_.n_features = static_cast<std::uint32_t>(width);
    spec_.n_outputs = static_cast<std::uint32_t>(per_iteration);
    for (const auto& known : columns.known) categorical_.insert(known.first);
  }
  Result<ops::Forest> read();
  // After read().
  Result<ops::ForestContributions> contributions() const { return ops::ForestContributions::build(spec_); }

 private:
  Result<void> read_tree(NodeId predictor, std::uint32_t output, const std::string& name);
  Result<void> read_nodes(const formats::NdArray& array, const std::string& name, std::size_t bitsets,
                          std::size_t bits_begin);
  Result<std::size_t> read_bitsets(NodeId predictor, const std::string& name);
  Error broken(std::string_view name, std::string_view what) const {
    return context_.error(Code::parse_error, fmt::format("{}: {}", name, what));
  }

  const BuildContext& context_;
  ops::ForestSpec spec_;
  std::unordered_set<std::size_t> categorical_;
  std::unordered_set<NodeId> seen_;
};

Result<ops::Forest> HistForestReader::read() {
  JACKDAW_ASSIGN(const std::vector<NodeId> iterations, object_list(context_, "_predictors"));
  for (std::size_t i = 0; i < iterations.size(); ++i) {
    const auto predictors = list_of(context_.graph, iterations[i]);
    if (!predictors || predictors->size() != spec_.n_outputs) {
      return broken(fmt::format("_predictors[{}]", i), fmt::format("is not a list of {} trees", spec_.n_outputs));
    }
    for (std::size_t k = 0; k < predictors->size(); ++k) {
      JACKDAW_TRY(read_tree((*predictors)[k], static_cast<std::uint32_t>(k), fmt::format("_predictors[{}][{}]", i, k)));
    }
  }
  auto forest = ops::Forest::build(spec_);
  if (!forest) return context_.error(forest.error().code, forest.error().text());
  return std::move(*forest);
}

Result<void> HistForestReader::read_tree(NodeId predictor, std::uint32_t output, const std::string& name) {
  constexpr std::size_t nodes_total_max = std::size_t{1} << 26;
  const NodeId nodes = context_.graph.kind(predictor) == formats::NodeKind::object
                           ? context_.graph.attribute(predictor, "nodes")
                           : no_node;
  if (nodes == no_node || !formats::is_ndarray(context_.graph, nodes)) return broken(name, "has no array of nodes");
  if (!seen_.insert(nodes).second) return broken(name, "shares its nodes with another tree");
  JACKDAW_ASSIGN(const formats::NdArray array, placed(context_, name, formats::to_ndarray(context_.graph, nodes)));
  if (array.shape.size() != 1 || array.dtype.kind != 'V' || array.count() < 1) {
    return broken(name, "nodes is not a one-dimensional structured array");
  }
  if (spec_.nodes.size() + static_cast<std::size_t>(array.count()) > nodes_total_max) {
    return broken(name, fmt::format("the model has more than {} nodes", nodes_total_max));
  }
  JACKDAW_TRY(spend_bytes(context_, static_cast<std::uint64_t>(array.count()) * 64));
  const std::size_t bits_begin = spec_.category_bits.size();
  JACKDAW_ASSIGN(const std::size_t bitsets, read_bitsets(predictor, name));
  ops::ForestTree tree;
  tree.node_begin = static_cast<std::uint32_t>(spec_.nodes.size());
  tree.node_count = static_cast<std::uint32_t>(array.count());
  tree.output = output;
  spec_.trees.push_back(tree);
  return read_nodes(array, name, bitsets, bits_begin);
}

Result<std::size_t> HistForestReader::read_bitsets(NodeId predictor, const std::string& name) {
  const NodeId node = context_.graph.attribute(predictor, "raw_left_cat_bitsets");
  if (node == no_node) return std::size_t{0};
  if (!formats::is_ndarray(context_.graph, node)) return broken(name, "raw_left_cat_bitsets is not an array");
  JACKDAW_ASSIGN(const formats::NdArray array, placed(context_, name, formats::to_ndarray(context_.graph, node)));
  if (array.count() == 0) return std::size_t{0};
  if (array.shape.size() != 2 || array.shape[1] != static_cast<std::int64_t>(bitset_words)) {
    return broken(name, "raw_left_cat_bitsets is not (n, 8)");
  }
  JACKDAW_TRY(spend_bytes(context_, static_cast<std::uint64_t>(array.count()) * 4));
  JACKDAW_ASSIGN(const std::vector<std::int64_t> words,
                 placed(context_, name, formats::to_int64s(context_.graph, array)));
  for (std::int64_t word : words) spec_.category_bits.push_back(static_cast<std::uint32_t>(word));
  return words.size() / bitset_words;
}

// Fields of a structured array; an absent one is all zeros.
Result<std::vector<std::int64_t>> field_or_zeros(const formats::NdArray& array, std::string_view field) {
  if (formats::has_field(array, field)) return formats::field_int64s(array, field);
  return std::vector<std::int64_t>(static_cast<std::size_t>(array.count()), 0);
}

std::int32_t narrow(std::int64_t v) {
  return v < 0 || v > std::numeric_limits<std::int32_t>::max() ? std::numeric_limits<std::int32_t>::max()
                                                               : static_cast<std::int32_t>(v);
}

Result<void> HistForestReader::read_nodes(const formats::NdArray& array, const std::string& name, std::size_t bitsets,
                                          std::size_t bits_begin) {
  JACKDAW_ASSIGN(const auto leaf, placed(context_, name, formats::field_int64s(array, "is_leaf")));
  JACKDAW_ASSIGN(const auto left, placed(context_, name, formats::field_int64s(array, "left")));
  JACKDAW_ASSIGN(const auto right, placed(context_, name, formats::field_int64s(array, "right")));
  JACKDAW_ASSIGN(const auto feature, placed(context_, name, formats::field_int64s(array, "feature_idx")));
  JACKDAW_ASSIGN(const auto value, placed(context_, name, formats::field_doubles(array, "value")));
  const bool renamed = formats::has_field(array, "num_threshold");
  JACKDAW_ASSIGN(const auto threshold,
                 placed(context_, name, formats::field_doubles(array, renamed ? "num_threshold" : "threshold")));
  JACKDAW_ASSIGN(const auto missing_left, field_or_zeros(array, "missing_go_to_left"));
  JACKDAW_ASSIGN(const auto categorical, field_or_zeros(array, "is_categorical"));
  JACKDAW_ASSIGN(const auto bitset, field_or_zeros(array, "bitset_idx"));
  if (formats::has_field(array, "count")) {
    JACKDAW_ASSIGN(const auto counts, placed(context_, name, formats::field_doubles(array, "count")));
    spec_.covers.insert(spec_.covers.end(), counts.begin(), counts.end());
  }
  for (std::size_t n = 0; n < leaf.size(); ++n) {
    ops::ForestNode& node = spec_.nodes.emplace_back();
    if (leaf[n] != 0) {
      node.leaf = static_cast<std::uint32_t>(spec_.leaf_values.size());
      spec_.leaf_values.push_back(value[n]);
      continue;
    }
    node.left = narrow(left[n]);
    node.right = narrow(right[n]);
    node.feature = narrow(feature[n]);
    node.threshold = threshold[n];
    node.default_left = missing_left[n] != 0;
    if (categorical[n] == 0) continue;
    if (bitset[n] < 0 || bitset[n] >= static_cast<std::int64_t>(bitsets)) {
      return broken(name, fmt::format("node {} has category set {} of {}", n, bitset[n], bitsets));
    }
    if (feature[n] < 0 || !categorical_.contains(static_cast<std::size_t>(feature[n]))) {
      return broken(name, fmt::format("node {} splits column {} by category, which is not categorical", n, feature[n]));
    }
    node.categorical = true;
    node.category_begin = static_cast<std::uint32_t>(bits_begin + static_cast<std::size_t>(bitset[n]) * bitset_words);
    node.category_words = bitset_words;
  }
  return {};
}

// ---- estimators ---------------------------------------------------------------------------------------------------

struct Hist {
  ops::Forest forest;
  Result<ops::ForestContributions> contributions;
  Columns columns;
  std::vector<double> baseline;

  Result<Matrix> scores(const Frame& x, const InputRule& rule) const {
    JACKDAW_ASSIGN(const Matrix m, columns.prepare(x, rule));
    Matrix out = Matrix::dense(m.rows, baseline.size(), DType::fp64);
    for (std::size_t r = 0; r < out.rows; ++r) std::copy(baseline.begin(), baseline.end(), out.row(r));
    forest.add_scores(m.values.data(), m.rows, m.cols, out.values.data());
    return out;
  }
  Result<Contributions> explain(const Frame& x, const InputRule& rule) const {
    if (!contributions) return contributions.error();
    JACKDAW_ASSIGN(const Matrix m, columns.prepare(x, rule));
    JACKDAW_ASSIGN(Contributions out, room_for_contributions(*contributions, m.rows));
    contributions->write(m.values.data(), m.rows, m.cols, out.values.data());
    std::vector<double> own(out.features);
    for (std::size_t i = 0; i < out.rows * out.outputs; ++i) {
      double* row = out.values.data() + i * (out.features + 1);
      for (std::size_t c = 0; c < out.features; ++c) own[columns.own_column(c)] = row[c];
      std::copy(own.begin(), own.end(), row);
      row[out.features] += baseline[i % out.outputs];
    }
    return out;
  }
  double explain_ns(std::size_t rows) const {
    if (!contributions) return 500.0;
    return 500.0 + (columns.encoder ? columns.encoder->cost_ns(rows) : 0.0) + contributions->call_ns() +
           static_cast<double>(rows) * (contributions->row_ns() + 30.0);
  }
  std::size_t resident_bytes() const {
    return forest.resident_bytes() + (contributions ? contributions->resident_bytes() : 0);
  }
  double cost_ns(std::size_t rows) const {
    return 500.0 + (columns.encoder ? columns.encoder->cost_ns(rows) : 0.0) +
           static_cast<double>(rows) * (forest.row_ns() + 30.0);
  }
};

Result<std::pair<Signature, Hist>> read_hist(const BuildContext& context, std::size_t per_iteration) {
  Signature signature = read_signature(context, context.integer_or("_n_features", -1));
  signature.rule.numbers = Numbers::fp64;
  signature.rule.finite = Finite::any;
  if (signature.rule.n_features < 1 || signature.rule.n_features > 1 << 24) {
    return context.error(Code::parse_error, fmt::format("n_features_in_ is {}", signature.rule.n_features));
  }
  const auto width = static_cast<std::size_t>(signature.rule.n_features);
  JACKDAW_ASSIGN(Columns columns, read_columns(context, width));
  HistForestReader reader(context, columns, width, per_iteration);
  JACKDAW_ASSIGN(ops::Forest forest, reader.read());
  Result<ops::ForestContributions> contributions = reader.contributions();
  JACKDAW_ASSIGN(std::vector<double> baseline, sized_doubles(context, "_baseline_prediction", per_iteration));
  return std::pair(std::move(signature),
                   Hist{std::move(forest), std::move(contributions), std::move(columns), std::move(baseline)});
}

class HistClassifier final : public RawScoreClassifier, public Explainable {
 public:
  HistClassifier(Signature signature, Hist hist) : RawScoreClassifier(std::move(signature)), hist_(std::move(hist)) {}
  double cost_ns(std::size_t rows) const override { return hist_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return hist_.resident_bytes(); }
  std::span<const std::string> explained_names() const override { return feature_names_in(); }
  Result<Contributions> explain(const Frame& x) const override { return hist_.explain(x, rule()); }
  double explain_ns(std::size_t rows) const override { return hist_.explain_ns(rows); }

 protected:
  Result<Matrix> raw_scores(const Frame& x) const override { return hist_.scores(x, rule()); }

 private:
  Hist hist_;
};

class HistRegressor final : public MatrixRegressor, public Explainable {
 public:
  HistRegressor(Signature signature, Hist hist, bool log_link)
      : MatrixRegressor(std::move(signature)), hist_(std::move(hist)), log_link_(log_link) {}
  double cost_ns(std::size_t rows) const override { return hist_.cost_ns(rows); }
  std::size_t resident_bytes() const override { return hist_.resident_bytes(); }
  std::span<const std::string> explained_names() const override { return feature_names_in(); }
  Result<Contributions> explain(const Frame& x) const override { return hist_.explain(x, rule()); }
  double explain_ns(std::size_t rows) const override { return hist_.explain_ns(rows); }

 protected:
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(Matrix out, hist_.scores(x, rule()));
    if (log_link_) {
      for (double& v : out.values) v = std::exp(v);
    }
    return out;
  }

 private:
  Hist hist_;
  bool log_link_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_hist_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  for (std::string_view known : {"log_loss", "auto", "binary_crossentropy", "categorical_crossentropy"}) {
    if (context.text_or("loss", "") != known) continue;
    const std::size_t per_iteration = labels.size() <= 2 && known != "categorical_crossentropy" ? 1 : labels.size();
    JACKDAW_ASSIGN(auto parts, read_hist(context, per_iteration));
    if (labels.size() < 2) return context.error(Code::unsupported, "classes_ has a single class");
    parts.first.classes.push_back(std::move(labels));
    return std::unique_ptr<Estimator>(
        std::make_unique<HistClassifier>(std::move(parts.first), std::move(parts.second)));
  }
  return context.error(Code::unsupported, fmt::format("loss='{}'", context.text_or("loss", "an object")));
}

Result<std::unique_ptr<Estimator>> build_hist_regressor(const BuildContext& context) {
  const std::string loss = context.text_or("loss", "an object");
  const bool log_link = loss == "poisson" || loss == "gamma";
  bool known = log_link;
  for (std::string_view identity :
       {"squared_error", "absolute_error", "quantile", "least_squares", "least_absolute_deviation"}) {
    known |= loss == identity;
  }
  if (!known) return context.error(Code::unsupported, fmt::format("loss='{}'", loss));
  JACKDAW_ASSIGN(auto parts, read_hist(context, 1));
  return std::unique_ptr<Estimator>(
      std::make_unique<HistRegressor>(std::move(parts.first), std::move(parts.second), log_link));
}

}  // namespace jackdaw::predict
