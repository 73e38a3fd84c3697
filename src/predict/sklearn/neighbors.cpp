// KNeighbors* and RadiusNeighbors*: _fit_X, _y, n_neighbors or radius, weights, classes_, outputs_2d_, outlier_label_.
//
// _y of a classifier holds positions in classes_, (n,) or (n, outputs). Equal votes go to the first class.
#include "src/predict/sklearn/neighbors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/sklearn/neighbors_index.h"

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;

namespace {

// Either the k nearest or all within a radius.
struct Search {
  NeighborIndex index;
  std::size_t k = 0;  // 0: by radius
  double radius = 0.0;
  bool by_distance = false;

  void find(const double* x, std::vector<Neighbor>& out) const {
    k != 0 ? index.nearest(x, k, out) : index.within(x, radius, out);
  }
  // 1, or 1 / distance; when a neighbour is at the very point, only such count.
  void weigh(const std::vector<Neighbor>& found, std::vector<double>& weights) const {
    weights.assign(found.size(), 1.0);
    if (!by_distance) return;
    bool at_point = false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      weights[i] = 1.0 / found[i].distance;
      at_point |= std::isinf(weights[i]);
    }
    if (!at_point) return;
    for (double& w : weights) w = std::isinf(w) ? 1.0 : 0.0;
  }
};

Result<Search> read_search(const BuildContext& context, bool by_radius) {
  Search out;
  JACKDAW_ASSIGN(out.index, NeighborIndex::read(context));
  const std::string weights = context.has("weights") ? context.text_or("weights", "a function") : "uniform";
  if (weights != "uniform" && weights != "distance") {
    return context.error(Code::unsupported,
                         fmt::format("weights={} is Python code; uniform and distance are served", weights));
  }
  out.by_distance = weights == "distance";
  if (by_radius) {
    JACKDAW_ASSIGN(out.radius, context.number("radius"));
    return out;
  }
  JACKDAW_ASSIGN(const std::int64_t k, context.integer("n_neighbors"));
  if (k < 1 || k > static_cast<std::int64_t>(out.index.count())) {
    return context.error(Code::parse_error,
                         fmt::format("n_neighbors is {} with {} training rows", k, out.index.count()));
  }
  out.k = static_cast<std::size_t>(k);
  return out;
}

// _y as (rows, outputs); `two_dimensional` says whether it was.
struct Targets {
  Matrix values;
  bool two_dimensional = false;
};

Result<Targets> read_targets(const BuildContext& context, std::size_t rows) {
  Targets out;
  JACKDAW_ASSIGN(const formats::NdArray array, context.ndarray("_y"));
  out.two_dimensional = array.shape.size() == 2;
  JACKDAW_ASSIGN(out.values, context.matrix("_y"));
  if (!out.two_dimensional) std::swap(out.values.rows, out.values.cols);
  if (out.values.rows == rows && out.values.cols > 0 && out.values.values.size() == rows * out.values.cols) return out;
  return context.error(Code::parse_error, fmt::format("_y has {} rows, _fit_X has {}", out.values.rows, rows));
}

class NeighborsModel : public FittedEstimator {
 public:
  NeighborsModel(Signature signature, Search search, Targets targets)
      : FittedEstimator(std::move(signature)), search_(std::move(search)), targets_(std::move(targets)) {}
  double cost_ns(std::size_t rows) const override { return 300.0 + static_cast<double>(rows) * search_.index.row_ns(); }
  std::size_t resident_bytes() const override {
    return search_.index.resident_bytes() + targets_.values.values.size() * sizeof(double);
  }

 protected:
  Search search_;
  Targets targets_;
};

// ---- classifiers --------------------------------------------------------------------------------------------------

// What a radius without neighbours means, per output.
struct OutlierLabel {
  std::size_t position = 0;  // in classes_, when known
  bool known = false;
  std::optional<Labels> label;  // of one element; absent: such rows are an error
};

class NeighborsClassifier final : public NeighborsModel {
 public:
  NeighborsClassifier(Signature signature, Search search, Targets targets, std::vector<OutlierLabel> outliers)
      : NeighborsModel(std::move(signature), std::move(search), std::move(targets)), outliers_(std::move(outliers)) {}
  bool supports(Method method) const override { return method == Method::predict || method == Method::predict_proba; }
  Result<Output> run(Method method, const Frame& x) const override;

 private:
  Result<void> count_votes(const double* x, std::size_t row, std::vector<Matrix>& votes) const;
  Output labels_of(const std::vector<Matrix>& votes) const;

  std::vector<OutlierLabel> outliers_;  // empty for KNeighborsClassifier
};

Result<void> NeighborsClassifier::count_votes(const double* x, std::size_t row, std::vector<Matrix>& votes) const {
  static thread_local std::vector<Neighbor> found;
  static thread_local std::vector<double> weights;
  search_.find(x, found);
  search_.weigh(found, weights);
  for (std::size_t o = 0; o < votes.size(); ++o) {
    double* counts = votes[o].row(row);
    for (std::size_t i = 0; i < found.size(); ++i) {
      counts[static_cast<std::size_t>(targets_.values.row(found[i].index)[o])] += weights[i];
    }
    if (!found.empty()) continue;
    if (outliers_.empty() || !outliers_[o].label) {
      return make_error(Code::invalid_argument,
                        "No neighbors found for test sample {}: give a label for outliers or a "
                        "larger radius when training.",
                        row);
    }
    if (outliers_[o].known) counts[outliers_[o].position] = 1.0;
  }
  return {};
}

Output NeighborsClassifier::labels_of(const std::vector<Matrix>& votes) const {
  std::vector<engine::Tensor> columns;
  for (std::size_t o = 0; o < votes.size(); ++o) {
    std::vector<std::uint32_t> picks = row_argmax(votes[o]);
    Labels labels = classes()[o];
    if (!outliers_.empty() && outliers_[o].label) {
      // Rows without a single vote take a label that may lie outside of the classes.
      const Labels& extra = *outliers_[o].label;
      labels.numbers.insert(labels.numbers.end(), extra.numbers.begin(), extra.numbers.end());
      labels.texts.insert(labels.texts.end(), extra.texts.begin(), extra.texts.end());
      for (std::size_t r = 0; r < votes[o].rows; ++r) {
        const double* row = votes[o].row(r);
        if (std::all_of(row, row + votes[o].cols, [](double v) { return v == 0.0; })) {
          picks[r] = static_cast<std::uint32_t>(votes[o].cols);
        }
      }
    }
    columns.push_back(label_tensor(labels, picks));
  }
  return one_array(targets_.two_dimensional ? stack_columns(columns) : std::move(columns[0]));
}

Result<Output> NeighborsClassifier::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  std::vector<Matrix> votes;
  for (const Labels& labels : classes()) votes.push_back(Matrix::dense(m->rows, labels.size(), DType::fp64));
  for (std::size_t r = 0; r < m->rows; ++r) JACKDAW_TRY(count_votes(m->row(r), r, votes));
  if (method == Method::predict) return labels_of(votes);
  Output out;
  for (Matrix& p : votes) {
    for (std::size_t r = 0; r < p.rows; ++r) {
      double sum = 0.0;
      for (std::size_t c = 0; c < p.cols; ++c) sum += p.row(r)[c];
      for (std::size_t c = 0; sum != 0.0 && c < p.cols; ++c) p.row(r)[c] /= sum;
    }
    out.arrays.push_back(std::move(matrix_output(p).arrays[0]));
  }
  return out;
}

Result<void> check_positions(const BuildContext& context, const Targets& targets, const std::vector<Labels>& classes) {
  if (targets.values.cols != classes.size()) {
    return context.error(Code::parse_error,
                         fmt::format("_y has {} outputs, classes_ has {}", targets.values.cols, classes.size()));
  }
  for (std::size_t r = 0; r < targets.values.rows; ++r) {
    for (std::size_t o = 0; o < classes.size(); ++o) {
      const double v = targets.values.row(r)[o];
      if (v >= 0.0 && v < static_cast<double>(classes[o].size())) continue;
      return context.error(Code::parse_error, fmt::format("_y[{}] names class {} of {}", r, v, classes[o].size()));
    }
  }
  return {};
}

// outlier_label_: None, or one label per output.
Result<std::vector<OutlierLabel>> read_outliers(const BuildContext& context, const std::vector<Labels>& classes) {
  std::vector<OutlierLabel> out(classes.size());
  if (!context.has("outlier_label_")) return out;
  auto items = list_of(context.graph, context.attribute("outlier_label_"));
  if (!items) items = std::vector<NodeId>{context.attribute("outlier_label_")};
  if (items->size() != classes.size())
    return context.error(Code::parse_error, "outlier_label_ is not one label per output");
  for (std::size_t o = 0; o < classes.size(); ++o) {
    Labels label;
    label.dtype = classes[o].dtype;
    if (label.dtype == DType::bytes) {
      auto text = to_text(context.graph, (*items)[o]);
      if (!text) return context.error(Code::unsupported, "outlier_label_ is no text like the classes");
      label.texts.push_back(std::move(*text));
      const auto found = std::find(classes[o].texts.begin(), classes[o].texts.end(), label.texts[0]);
      out[o].known = found != classes[o].texts.end();
      out[o].position = static_cast<std::size_t>(found - classes[o].texts.begin());
    } else {
      const auto number = formats::to_number(context.graph, (*items)[o]);
      if (!number) return context.error(Code::unsupported, "outlier_label_ is no number like the classes");
      label.numbers.push_back(*number);
      const auto found = std::find(classes[o].numbers.begin(), classes[o].numbers.end(), *number);
      out[o].known = found != classes[o].numbers.end();
      out[o].position = static_cast<std::size_t>(found - classes[o].numbers.begin());
    }
    out[o].label = std::move(label);
  }
  return out;
}

Signature neighbors_signature(const BuildContext& context, const Search& search) {
  return read_signature(context, static_cast<std::int64_t>(search.index.cols()));
}

Result<void> check_width(const BuildContext& context, const Signature& signature, const Search& search) {
  if (signature.rule.n_features == static_cast<std::int64_t>(search.index.cols())) return {};
  return context.error(Code::parse_error, fmt::format("_fit_X has {} columns, n_features_in_ is {}",
                                                      search.index.cols(), signature.rule.n_features));
}

Result<std::unique_ptr<Estimator>> build_classifier(const BuildContext& context, bool by_radius) {
  JACKDAW_ASSIGN(Search search, read_search(context, by_radius));
  Signature signature = neighbors_signature(context, search);
  JACKDAW_TRY(check_width(context, signature, search));
  JACKDAW_ASSIGN(signature.classes, context.labels_list("classes_"));
  JACKDAW_ASSIGN(Targets targets, read_targets(context, search.index.count()));
  // A column of one output still counts as one dimension unless outputs_2d_ says otherwise.
  targets.two_dimensional = context.flag_or("outputs_2d_", targets.two_dimensional);
  JACKDAW_TRY(check_positions(context, targets, signature.classes));
  std::vector<OutlierLabel> outliers;
  if (by_radius) {
    JACKDAW_ASSIGN(outliers, read_outliers(context, signature.classes));
  }
  return std::unique_ptr<Estimator>(std::make_unique<NeighborsClassifier>(std::move(signature), std::move(search),
                                                                          std::move(targets), std::move(outliers)));
}

Result<std::unique_ptr<Estimator>> build_k_classifier(const BuildContext& context) {
  return build_classifier(context, false);
}
Result<std::unique_ptr<Estimator>> build_radius_classifier(const BuildContext& context) {
  return build_classifier(context, true);
}

// ---- regressors ---------------------------------------------------------------------------------------------------

class NeighborsRegressor final : public NeighborsModel {
 public:
  using NeighborsModel::NeighborsModel;
  bool supports(Method method) const override { return method == Method::predict; }
  Result<Output> run(Method method, const Frame& x) const override;

 private:
  void mean_row(const double* x, double* out) const;
};

void NeighborsRegressor::mean_row(const double* x, double* out) const {
  static thread_local std::vector<Neighbor> found;
  static thread_local std::vector<double> weights;
  search_.find(x, found);
  search_.weigh(found, weights);
  double total = 0.0;
  for (double w : weights) total += w;
  for (std::size_t o = 0; o < targets_.values.cols; ++o) {
    double sum = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) sum += targets_.values.row(found[i].index)[o] * weights[i];
    out[o] = found.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / total;
  }
}

Result<Output> NeighborsRegressor::run(Method method, const Frame& x) const {
  if (method != Method::predict) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  // Plain means keep the width of the targets, weighted ones are float64.
  const DType dtype = search_.by_distance ? DType::fp64 : float_dtype(targets_.values.dtype);
  Matrix out = Matrix::dense(m->rows, targets_.values.cols, dtype);
  for (std::size_t r = 0; r < m->rows; ++r) mean_row(m->row(r), out.row(r));
  round_all(out);
  return targets_.two_dimensional ? matrix_output(out) : vector_output(out.dtype, out.values);
}

Result<std::unique_ptr<Estimator>> build_regressor(const BuildContext& context, bool by_radius) {
  JACKDAW_ASSIGN(Search search, read_search(context, by_radius));
  Signature signature = neighbors_signature(context, search);
  JACKDAW_TRY(check_width(context, signature, search));
  JACKDAW_ASSIGN(Targets targets, read_targets(context, search.index.count()));
  return std::unique_ptr<Estimator>(
      std::make_unique<NeighborsRegressor>(std::move(signature), std::move(search), std::move(targets)));
}

Result<std::unique_ptr<Estimator>> build_k_regressor(const BuildContext& context) {
  return build_regressor(context, false);
}
Result<std::unique_ptr<Estimator>> build_radius_regressor(const BuildContext& context) {
  return build_regressor(context, true);
}

constexpr ClassRow rows[] = {
    {"sklearn.neighbors.KNeighborsClassifier", build_k_classifier},
    {"sklearn.neighbors.KNeighborsRegressor", build_k_regressor},
    {"sklearn.neighbors.RadiusNeighborsClassifier", build_radius_classifier},
    {"sklearn.neighbors.RadiusNeighborsRegressor", build_radius_regressor},
    {"sklearn.neighbors.LocalOutlierFactor", build_local_outlier_factor},
    {"sklearn.neighbors.NearestCentroid", build_nearest_centroid},
};

}  // namespace

std::span<const ClassRow> neighbors_rows() {
  return rows;
}

}  // namespace jackdaw::predict
