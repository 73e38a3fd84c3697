// LocalOutlierFactor(novelty=True): _fit_X, n_neighbors_, _distances_fit_X_, _lrd, offset_.
// NearestCentroid: centroids_, classes_, metric; since 1.6 class_prior_ and within_class_std_dev_.
#include <algorithm>
#include <cmath>

#include "src/predict/sklearn/neighbors.h"
#include "src/predict/sklearn/neighbors_index.h"

namespace jackdaw::predict {

namespace {

class LocalOutlierFactor final : public FittedEstimator {
 public:
  struct Parts {
    NeighborIndex index;
    std::size_t k = 1;
    std::vector<double> reach;    // distance to the k-th neighbour of each training row
    std::vector<double> density;  // local reachability density of each training row
    double offset = -1.5;
  };
  LocalOutlierFactor(Signature signature, Parts parts)
      : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::decision_function || method == Method::score_samples;
  }
  bool is_outlier_detector() const override { return true; }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    std::vector<double> out(m->rows);
    for (std::size_t r = 0; r < m->rows; ++r) {
      out[r] = score(m->row(r));
      if (method != Method::score_samples) out[r] -= parts_.offset;
      if (method == Method::predict) out[r] = out[r] < 0.0 ? -1.0 : 1.0;
    }
    return vector_output(method == Method::predict ? DType::int64 : DType::fp64, out);
  }
  double cost_ns(std::size_t rows) const override { return 300.0 + static_cast<double>(rows) * parts_.index.row_ns(); }
  std::size_t resident_bytes() const override { return parts_.index.resident_bytes() + parts_.reach.size() * 16; }

 private:
  double score(const double* x) const {
    static thread_local std::vector<Neighbor> found;
    parts_.index.nearest(x, parts_.k, found);
    const auto k = static_cast<double>(parts_.k);
    double reach = 0.0;
    for (const Neighbor& n : found) reach += std::max(n.distance, parts_.reach[n.index]);
    const double density = 1.0 / (reach / k + 1e-10);
    double ratio = 0.0;
    for (const Neighbor& n : found) ratio += parts_.density[n.index] / density;
    return -ratio / k;
  }

  Parts parts_;
};

}  // namespace

Result<std::unique_ptr<Estimator>> build_local_outlier_factor(const BuildContext& context) {
  if (!context.flag_or("novelty", false)) {
    return context.error(Code::unsupported,
                         "it was fitted with novelty=False and cannot judge new rows; fit it with novelty=True");
  }
  LocalOutlierFactor::Parts parts;
  JACKDAW_ASSIGN(parts.index, NeighborIndex::read(context));
  const std::size_t rows = parts.index.count();
  JACKDAW_ASSIGN(const std::int64_t k, context.integer("n_neighbors_"));
  if (k < 1 || k > static_cast<std::int64_t>(rows)) {
    return context.error(Code::parse_error, fmt::format("n_neighbors_ is {} with {} training rows", k, rows));
  }
  parts.k = static_cast<std::size_t>(k);
  JACKDAW_ASSIGN(const Matrix distances,
                 shaped_matrix(context, "_distances_fit_X_", static_cast<std::int64_t>(rows), -1));
  if (distances.cols < parts.k)
    return context.error(Code::parse_error, "_distances_fit_X_ has fewer columns than n_neighbors_");
  for (std::size_t r = 0; r < rows; ++r) parts.reach.push_back(distances.row(r)[parts.k - 1]);
  JACKDAW_ASSIGN(parts.density, sized_doubles(context, "_lrd", rows));
  JACKDAW_ASSIGN(parts.offset, context.number("offset_"));
  Signature signature = read_signature(context, static_cast<std::int64_t>(parts.index.cols()));
  signature.rule.n_features = static_cast<std::int64_t>(parts.index.cols());
  return std::unique_ptr<Estimator>(std::make_unique<LocalOutlierFactor>(std::move(signature), std::move(parts)));
}

// ---- NearestCentroid ----------------------------------------------------------------------------------------------

namespace {

class NearestCentroid final : public FittedEstimator {
 public:
  struct Parts {
    Matrix centroids;
    bool manhattan = false;
    bool uniform = true;            // equal priors: the nearest wins
    std::vector<double> deviation;  // empty before 1.6
    std::vector<double> prior;
  };
  NearestCentroid(Signature signature, Parts parts) : FittedEstimator(std::move(signature)), parts_(std::move(parts)) {}
  bool supports(Method method) const override {
    const bool scored =
        method == Method::predict_proba || method == Method::predict_log_proba || method == Method::decision_function;
    return method == Method::predict || (scored && has_scores());
  }
  Result<Output> run(Method method, const Frame& x) const override;
  double cost_ns(std::size_t rows) const override {
    return 300.0 + static_cast<double>(rows) * static_cast<double>(parts_.centroids.values.size());
  }
  std::size_t resident_bytes() const override { return parts_.centroids.values.size() * sizeof(double); }

 private:
  bool has_scores() const { return !parts_.manhattan && !parts_.deviation.empty(); }
  Matrix negative_distances(const Matrix& x) const;
  Matrix discriminants(const Matrix& x) const;

  Parts parts_;
};

Matrix NearestCentroid::negative_distances(const Matrix& x) const {
  Matrix out = Matrix::dense(x.rows, parts_.centroids.rows, DType::fp64);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t k = 0; k < out.cols; ++k) {
      double sum = 0.0;
      for (std::size_t c = 0; c < x.cols; ++c) {
        const double d = x.row(r)[c] - parts_.centroids.row(k)[c];
        sum += parts_.manhattan ? std::abs(d) : d * d;
      }
      out.row(r)[k] = -sum;
    }
  }
  return out;
}

Matrix NearestCentroid::discriminants(const Matrix& x) const {
  Matrix out = Matrix::dense(x.rows, parts_.centroids.rows, DType::fp64);
  for (std::size_t r = 0; r < x.rows; ++r) {
    for (std::size_t k = 0; k < out.cols; ++k) {
      double sum = 0.0;
      for (std::size_t c = 0; c < x.cols; ++c) {
        const double scale = parts_.deviation[c] == 0.0 ? 1.0 : parts_.deviation[c];
        const double d = x.row(r)[c] / scale - parts_.centroids.row(k)[c] / scale;
        sum += d * d;
      }
      out.row(r)[k] = -sum + 2.0 * std::log(parts_.prior[k]);
    }
  }
  return out;
}

Result<Output> NearestCentroid::run(Method method, const Frame& x) const {
  if (!supports(method)) return no_method(method);
  JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
  if (method == Method::predict) {
    return one_array(
        label_tensor(classes()[0], row_argmax(parts_.uniform ? negative_distances(*m) : discriminants(*m))));
  }
  Matrix scores = discriminants(*m);
  if (method == Method::decision_function) {
    if (scores.cols != 2) return matrix_output(scores);
    std::vector<double> out(scores.rows);
    for (std::size_t r = 0; r < scores.rows; ++r) out[r] = scores.row(r)[1] - scores.row(r)[0];
    return vector_output(DType::fp64, out);
  }
  if (method == Method::predict_log_proba) {
    log_softmax_in_place(scores);
  } else {
    softmax_in_place(scores);
  }
  return matrix_output(scores);
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_nearest_centroid(const BuildContext& context) {
  NearestCentroid::Parts parts;
  const std::string metric = context.text_or("metric", "a function");
  if (metric != "euclidean" && metric != "manhattan") {
    return context.error(Code::unsupported, fmt::format("metric='{}'; euclidean and manhattan are served", metric));
  }
  parts.manhattan = metric == "manhattan";
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  JACKDAW_ASSIGN(parts.centroids, shaped_matrix(context, "centroids_", static_cast<std::int64_t>(labels.size()), -1));
  Signature signature = read_signature(context, static_cast<std::int64_t>(parts.centroids.cols));
  if (signature.rule.n_features != static_cast<std::int64_t>(parts.centroids.cols)) {
    return context.error(Code::parse_error, fmt::format("centroids_ has {} columns, n_features_in_ is {}",
                                                        parts.centroids.cols, signature.rule.n_features));
  }
  if (context.has("within_class_std_dev_") && context.has("class_prior_")) {
    JACKDAW_ASSIGN(parts.deviation, sized_doubles(context, "within_class_std_dev_", parts.centroids.cols));
    JACKDAW_ASSIGN(parts.prior, sized_doubles(context, "class_prior_", labels.size()));
    const double even = 1.0 / static_cast<double>(labels.size());
    for (double p : parts.prior) parts.uniform = parts.uniform && std::abs(p - even) <= 1e-8 + 1e-5 * even;
  }
  if (parts.manhattan && !parts.uniform) return context.error(Code::unsupported, "priors with metric='manhattan'");
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(std::make_unique<NearestCentroid>(std::move(signature), std::move(parts)));
}

}  // namespace jackdaw::predict
