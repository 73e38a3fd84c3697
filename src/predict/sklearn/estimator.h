// Estimator: one fitted scikit-learn object as jackdaw runs it, and the table of classes that can be built.
//
// A builder reads the attributes it needs from the object graph once, checks their shapes, and returns an immutable
// Estimator that any thread may call. Attribute names and layouts per scikit-learn version stand beside each builder.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/engine/tensor.h"
#include "jackdaw/formats/object_graph.h"
#include "src/predict/frame.h"

namespace jackdaw::predict {

enum class Method : unsigned char {
  predict,
  predict_proba,
  predict_log_proba,
  decision_function,
  transform,
  score_samples
};
std::string_view method_name(Method method);
std::optional<Method> method_from_name(std::string_view name);

// The labels a classifier maps its argmax to: integers, texts, booleans or reals, with numpy's dtype.
struct Labels {
  DType dtype = DType::int64;
  std::vector<double> numbers;  // every dtype but bytes
  std::vector<std::string> texts;
  std::size_t size() const { return dtype == DType::bytes ? texts.size() : numbers.size(); }
};

// The outcome of a method: one array, or several (multi-output predict_proba gives a list).
struct Output {
  std::vector<engine::Tensor> arrays;  // unnamed; dtype and shape as numpy's
};

class Estimator {
 public:
  virtual ~Estimator() = default;
  virtual bool supports(Method method) const = 0;
  // Everything but transform. Errors are the user's: wrong column count, text where numbers are needed, NaN where the
  // estimator takes none. Their words follow scikit-learn's ("X has 3 features, but ... is expecting 4 features as
  // input").
  virtual Result<Output> run(Method method, const Frame& x) const = 0;
  // The input of the next step. Code::unsupported unless supports(Method::transform).
  virtual Result<Frame> transform(const Frame& x) const = 0;
  // The same for an input nobody needs any more: in place where that is easy.
  virtual Result<Frame> transform_owned(Frame&& x) const { return transform(x); }
  // Back from transform's answer to its input, for regression targets. Code::unsupported for most.
  virtual Result<Frame> inverse_transform(const Frame& x) const;
  // transform as a last step, for the few whose answer is one-dimensional.
  virtual Result<Output> transform_output(const Frame& x) const;
  // As scikit-learn's n_features_in_; -1 when it takes any width (texts).
  virtual std::int64_t n_features_in() const = 0;
  // As feature_names_in_; empty when it was fitted without names.
  virtual std::span<const std::string> feature_names_in() const { return {}; }
  // Classes of a classifier (one entry per output), else empty.
  virtual std::span<const Labels> classes() const { return {}; }
  virtual bool is_classifier() const { return !classes().empty(); }
  virtual bool is_outlier_detector() const { return false; }
  // Estimated cost of `rows` rows in nanoseconds.
  virtual double cost_ns(std::size_t rows) const = 0;
  virtual std::size_t resident_bytes() const = 0;
  virtual bool takes_texts() const { return false; }
};

// Any method by name: run, or transform as an Output. Code::unsupported when the estimator lacks it, in Python's words
// ("'Ridge' object has no attribute 'predict_proba'").
Result<Output> call_method(const Estimator& estimator, Method method, const Frame& x);
// A frame as numpy's array: a matrix (dense; too_large past 2^28 elements), or object rows for a frame with texts.
Result<Output> to_output(const Frame& frame);
Result<Output> to_output(Frame&& frame);

// What all builders below one root share: bounds on what a small hostile file may unfold into.
struct BuildState {
  std::vector<formats::NodeId> open;  // objects being built, outermost first: the cycle guard
  std::size_t built = 0;
  std::size_t built_max = 20'000;
  std::uint64_t bytes = 0;  // numbers copied out of the graph so far
  std::uint64_t bytes_max = 4ull << 30;
};

// Where a builder is in the object graph. `path` names the step for errors: "Pipeline.steps['clf']".
struct BuildContext {
  const formats::ObjectGraph& graph;
  formats::NodeId node;
  std::string path;
  int depth = 0;
  std::string sklearn_version;        // from the nearest __getstate__ `_sklearn_version`, "" before 0.18
  std::shared_ptr<BuildState> state;  // made by the outermost build_estimator

  // "sklearn.linear_model.Ridge" and "Ridge".
  std::string canonical() const;
  std::string short_class() const;

  BuildContext child(formats::NodeId n, std::string_view step) const;

  // Attributes of the object at `node`. A missing one is a parse_error naming path, class and attribute, unless the
  // name says optional.
  formats::NodeId attribute(std::string_view name) const;  // no_node when absent
  bool has(std::string_view name) const;                   // present and not None
  Result<double> number(std::string_view name) const;
  double number_or(std::string_view name, double fallback) const;  // None counts as absent
  Result<std::int64_t> integer(std::string_view name) const;
  std::int64_t integer_or(std::string_view name, std::int64_t fallback) const;
  bool flag_or(std::string_view name, bool fallback) const;
  Result<std::string> text(std::string_view name) const;
  std::string text_or(std::string_view name, std::string_view fallback) const;  // fallback also when it is no text
  Result<std::vector<double>> doubles(std::string_view name) const;             // any numeric ndarray or list, flat
  Result<formats::NdArray> ndarray(std::string_view name) const;
  // A 2-d array; a 1-d one counts as one row. Dense.
  Result<Matrix> matrix(std::string_view name) const;
  Result<Labels> labels(std::string_view name) const;  // a classes_ array
  // classes_ of a multi-output classifier: a list of arrays, or one array as a list of one.
  Result<std::vector<Labels>> labels_list(std::string_view name) const;
  std::vector<std::string> strings_or_empty(std::string_view name) const;  // arrays, lists and tuples of text
  // The estimator in an attribute, its path being "path.name".
  Result<std::unique_ptr<Estimator>> estimator(std::string_view name) const;
  Error error(Code code, std::string_view message) const;  // with path and class in it
};

using Builder = Result<std::unique_ptr<Estimator>> (*)(const BuildContext& context);

// One row per class. `class_name` is canonical ("sklearn.svm._classes.SVC" is written "sklearn.svm.SVC"): the public
// package plus the class, private and old module parts taken out.
struct ClassRow {
  std::string_view class_name;
  Builder build;
};
// The rows of each family; estimator_table.cpp joins them.
std::span<const ClassRow> linear_rows();         // linear.cpp: linear_model.*, svm.LinearSVC/LinearSVR
std::span<const ClassRow> preprocessing_rows();  // scalers, bins, polynomial features, functions
std::span<const ClassRow> encoder_rows();        // OneHotEncoder, OrdinalEncoder, TargetEncoder, label encoders
std::span<const ClassRow> imputer_rows();        // SimpleImputer, MissingIndicator, KNNImputer
std::span<const ClassRow> compose_rows();  // Pipeline, FeatureUnion, ColumnTransformer, searches, TransformedTarget
std::span<const ClassRow> text_rows();
std::span<const ClassRow> naive_bayes_rows();
std::span<const ClassRow> decomposition_rows();  // PCA, TruncatedSVD, NMF
std::span<const ClassRow> cluster_rows();        // KMeans & co
std::span<const ClassRow> feature_selection_rows();
std::span<const ClassRow> dummy_rows();
std::span<const ClassRow> tree_rows();      // tree.*, ensemble forests, IsolationForest
std::span<const ClassRow> boosting_rows();  // GradientBoosting*, HistGradientBoosting*, AdaBoost*
std::span<const ClassRow> ensemble_rows();  // Bagging*, Voting*, Stacking*, CalibratedClassifierCV, multi*
std::span<const ClassRow> svm_rows();       // libsvm family
std::span<const ClassRow> neighbors_rows();
std::span<const ClassRow> neural_rows();   // MLP*
std::span<const ClassRow> mixture_rows();  // LDA, QDA, GaussianMixture ... (discriminant_analysis, mixture)

// "sklearn.ensemble.forest.RandomForestClassifier" -> "sklearn.ensemble.RandomForestClassifier".
std::string canonical_class(std::string_view module, std::string_view name);

// Builds whatever object stands at the context's node; nested estimators come here too. Unknown class: unsupported,
// with the path, the class and what to do instead (the nearest supported class, or ONNX export). Bounded: 64 levels,
// no cycles, BuildState's limits.
Result<std::unique_ptr<Estimator>> build_estimator(const BuildContext& context);

// The joined table (sorted by class_name) and its search; nullptr when the class is not in it.
std::span<const ClassRow> estimator_table();
const ClassRow* find_class(std::string_view canonical);

}  // namespace jackdaw::predict
