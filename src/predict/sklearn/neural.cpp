// MLPClassifier and MLPRegressor: coefs_ (a list of (in, out) matrices), intercepts_, activation, out_activation_,
// classes_ and _label_binarizer.y_type_ (whether the outputs are classes or labels of their own).
//
// A network fitted on float32 answers in float32 for float32 rows, as numpy would.
#include <algorithm>
#include <cmath>
#include <utility>

#include "src/predict/sklearn/fitted.h"
#include "src/predict/sklearn/point_panels.h"

namespace jackdaw::predict {

using formats::no_node;
using formats::NodeId;

namespace {

enum class Activation { identity, logistic, tanh, relu, softmax, exp };

std::optional<Activation> activation_named(std::string_view name) {
  constexpr std::pair<std::string_view, Activation> names[] = {
      {"identity", Activation::identity}, {"logistic", Activation::logistic}, {"tanh", Activation::tanh},
      {"relu", Activation::relu},         {"softmax", Activation::softmax},   {"exp", Activation::exp}};
  for (const auto& [known, activation] : names) {
    if (known == name) return activation;
  }
  return std::nullopt;
}

void softmax_row(double* row, std::size_t n) {
  const double top = *std::max_element(row, row + n);
  double sum = 0.0;
  for (std::size_t i = 0; i < n; ++i) sum += row[i] = std::exp(row[i] - top);
  for (std::size_t i = 0; i < n; ++i) row[i] /= sum;
}

void activate(Activation activation, double* row, std::size_t n) {
  switch (activation) {
    case Activation::identity:
      return;
    case Activation::logistic:
      for (std::size_t i = 0; i < n; ++i) row[i] = sigmoid(row[i]);
      return;
    case Activation::tanh:
      for (std::size_t i = 0; i < n; ++i) row[i] = std::tanh(row[i]);
      return;
    case Activation::relu:
      for (std::size_t i = 0; i < n; ++i) row[i] = std::max(row[i], 0.0);
      return;
    case Activation::exp:
      for (std::size_t i = 0; i < n; ++i) row[i] = std::exp(row[i]);
      return;
    case Activation::softmax:
      return softmax_row(row, n);
  }
}

class Network {
 public:
  static Result<Network> read(const BuildContext& context);

  std::size_t inputs() const { return layers_.front().weights.cols(); }
  std::size_t outputs() const { return layers_.back().weights.count(); }
  DType dtype() const { return dtype_; }
  Matrix forward(const Matrix& x) const;
  double row_ns() const { return 20.0 + 0.6 * static_cast<double>(weights_); }
  std::size_t resident_bytes() const { return weights_ * sizeof(double); }

 private:
  struct Layer {
    PointPanels weights;  // one point per output unit
    std::vector<double> intercepts;
    Activation activation = Activation::identity;
  };
  Result<void> read_layer(const BuildContext& context, NodeId coefficients, NodeId intercepts, std::size_t i);

  std::vector<Layer> layers_;
  std::size_t weights_ = 0;
  std::size_t widest_ = 0;
  DType dtype_ = DType::fp32;  // fp64 as soon as one array is
};

Matrix transposed(const Matrix& m) {
  Matrix out = Matrix::dense(m.cols, m.rows, m.dtype);
  for (std::size_t r = 0; r < m.rows; ++r) {
    for (std::size_t c = 0; c < m.cols; ++c) out.row(c)[r] = m.row(r)[c];
  }
  return out;
}

Result<void> Network::read_layer(const BuildContext& context, NodeId coefficients, NodeId intercepts, std::size_t i) {
  JACKDAW_ASSIGN(const Matrix w, matrix_at(context, coefficients, fmt::format("coefs_[{}]", i)));
  JACKDAW_ASSIGN(Matrix b, matrix_at(context, intercepts, fmt::format("intercepts_[{}]", i)));
  if (w.rows == 0 || w.cols == 0 || b.values.size() != w.cols) {
    return context.error(Code::parse_error,
                         fmt::format("coefs_[{}] has shape ({}, {}), intercepts_ has {} numbers for it", i, w.rows,
                                     w.cols, b.values.size()));
  }
  if (!layers_.empty() && layers_.back().weights.count() != w.rows) {
    return context.error(Code::parse_error, fmt::format("coefs_[{}] takes {} inputs, the layer before gives {}", i,
                                                        w.rows, layers_.back().weights.count()));
  }
  if (w.dtype != DType::fp32 || b.dtype != DType::fp32) dtype_ = DType::fp64;
  weights_ += w.values.size();
  widest_ = std::max({widest_, w.rows, w.cols});
  layers_.push_back({PointPanels(transposed(w)), std::move(b.values), Activation::identity});
  return {};
}

Result<Network> Network::read(const BuildContext& context) {
  Network out;
  const auto hidden = activation_named(context.text_or("activation", ""));
  const auto last = activation_named(context.text_or("out_activation_", ""));
  if (!hidden || !last || *hidden == Activation::softmax) {
    return context.error(Code::unsupported,
                         fmt::format("activation='{}' with out_activation_='{}'", context.text_or("activation", ""),
                                     context.text_or("out_activation_", "")));
  }
  JACKDAW_ASSIGN(const std::vector<NodeId> coefficients, object_list(context, "coefs_"));
  JACKDAW_ASSIGN(const std::vector<NodeId> intercepts, object_list(context, "intercepts_"));
  if (coefficients.size() != intercepts.size()) {
    return context.error(Code::parse_error,
                         fmt::format("coefs_ has {} layers, intercepts_ {}", coefficients.size(), intercepts.size()));
  }
  for (std::size_t i = 0; i < coefficients.size(); ++i) {
    JACKDAW_TRY(out.read_layer(context, coefficients[i], intercepts[i], i));
    out.layers_.back().activation = i + 1 < coefficients.size() ? *hidden : *last;
  }
  return out;
}

Matrix Network::forward(const Matrix& x) const {
  const DType dtype = x.dtype == DType::fp32 ? dtype_ : DType::fp64;
  Matrix out = Matrix::dense(x.rows, outputs(), dtype);
  std::vector<double> in(widest_);
  std::vector<double> next(widest_);
  for (std::size_t r = 0; r < x.rows; ++r) {
    std::copy_n(x.row(r), x.cols, in.begin());
    for (const Layer& layer : layers_) {
      const std::size_t units = layer.weights.count();
      layer.weights.dots(in.data(), next.data());
      for (std::size_t u = 0; u < units; ++u) next[u] += layer.intercepts[u];
      activate(layer.activation, next.data(), units);
      for (std::size_t u = 0; dtype == DType::fp32 && u < units; ++u) next[u] = round_to(dtype, next[u]);
      in.swap(next);
    }
    std::copy_n(in.begin(), out.cols, out.row(r));
  }
  return out;
}

Result<Signature> network_signature(const BuildContext& context, const Network& network) {
  Signature out = read_signature(context, static_cast<std::int64_t>(network.inputs()));
  out.rule.numbers = Numbers::floats;
  if (out.rule.n_features == static_cast<std::int64_t>(network.inputs())) return out;
  return context.error(Code::parse_error, fmt::format("coefs_[0] takes {} inputs, n_features_in_ is {}",
                                                      network.inputs(), out.rule.n_features));
}

class MlpClassifier final : public FittedEstimator {
 public:
  MlpClassifier(Signature signature, Network network, bool multilabel)
      : FittedEstimator(std::move(signature)), network_(std::move(network)), multilabel_(multilabel) {}
  bool supports(Method method) const override {
    return method == Method::predict || method == Method::predict_proba || method == Method::predict_log_proba;
  }
  Result<Output> run(Method method, const Frame& x) const override {
    if (!supports(method)) return no_method(method);
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    Matrix p = network_.forward(*m);
    if (method == Method::predict) return labels(p);
    if (p.cols == 1) p = with_complement(p);
    if (method == Method::predict_log_proba) log_in_place(p);
    return matrix_output(p);
  }
  double cost_ns(std::size_t rows) const override { return 300.0 + static_cast<double>(rows) * network_.row_ns(); }
  std::size_t resident_bytes() const override { return network_.resident_bytes(); }

 private:
  static Matrix with_complement(const Matrix& p) {
    Matrix out = Matrix::dense(p.rows, 2, p.dtype);
    for (std::size_t r = 0; r < p.rows; ++r) {
      out.row(r)[0] = 1.0 - p.values[r];
      out.row(r)[1] = p.values[r];
    }
    round_all(out);
    return out;
  }
  Output labels(const Matrix& p) const {
    if (multilabel_) {
      Matrix out = Matrix::dense(p.rows, p.cols, DType::int64);
      for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] = p.values[i] > 0.5;
      return matrix_output(out);
    }
    if (p.cols > 1) return one_array(label_tensor(classes()[0], row_argmax(p)));
    std::vector<std::uint32_t> picks(p.rows);
    for (std::size_t r = 0; r < p.rows; ++r) picks[r] = p.values[r] > 0.5;
    return one_array(label_tensor(classes()[0], picks));
  }

  Network network_;
  bool multilabel_;
};

Result<std::unique_ptr<Estimator>> build_classifier(const BuildContext& context) {
  JACKDAW_ASSIGN(Network network, Network::read(context));
  JACKDAW_ASSIGN(Signature signature, network_signature(context, network));
  JACKDAW_ASSIGN(Labels labels, context.labels("classes_"));
  const BuildContext binarizer = context.child(context.attribute("_label_binarizer"), "_label_binarizer");
  const bool multilabel = binarizer.node != no_node && binarizer.text_or("y_type_", "").starts_with("multilabel");
  const std::size_t wanted = labels.size() == 2 && !multilabel ? 1 : labels.size();
  if (labels.size() < 2 && !multilabel) return context.error(Code::unsupported, "classes_ has a single class");
  if (network.outputs() != wanted) {
    return context.error(Code::parse_error,
                         fmt::format("the network has {} outputs for {} classes", network.outputs(), labels.size()));
  }
  signature.classes.push_back(std::move(labels));
  return std::unique_ptr<Estimator>(
      std::make_unique<MlpClassifier>(std::move(signature), std::move(network), multilabel));
}

class MlpRegressor final : public MatrixRegressor {
 public:
  MlpRegressor(Signature signature, Network network)
      : MatrixRegressor(std::move(signature)), network_(std::move(network)) {}
  double cost_ns(std::size_t rows) const override { return 300.0 + static_cast<double>(rows) * network_.row_ns(); }
  std::size_t resident_bytes() const override { return network_.resident_bytes(); }

 protected:
  Result<Matrix> values(const Frame& x) const override {
    JACKDAW_ASSIGN(const MatrixRef m, dense_input(x, rule()));
    return network_.forward(*m);
  }

 private:
  Network network_;
};

Result<std::unique_ptr<Estimator>> build_regressor(const BuildContext& context) {
  JACKDAW_ASSIGN(Network network, Network::read(context));
  JACKDAW_ASSIGN(Signature signature, network_signature(context, network));
  return std::unique_ptr<Estimator>(std::make_unique<MlpRegressor>(std::move(signature), std::move(network)));
}

constexpr ClassRow rows[] = {
    {"sklearn.neural_network.MLPClassifier", build_classifier},
    {"sklearn.neural_network.MLPRegressor", build_regressor},
};

}  // namespace

std::span<const ClassRow> neural_rows() {
  return rows;
}

}  // namespace jackdaw::predict
