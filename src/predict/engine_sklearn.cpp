// The scikit-learn engine: an Estimator built from the object graph, and the methods each dialect lets its users call.
//
// KServe calls predict, or predict_proba for the whole server (EngineSpec::predict_proba) where the model has it, and
// names the result output-0. EngineSpec::predict_fn chooses another method there, which KServe cannot. MLServer goes by
// the outputs asked for (predict, predict_proba, transform), then by predict_fn, then predict.
#include <algorithm>

#include "jackdaw/formats/object_graph.h"
#include "src/predict/engine_base.h"
#include "src/predict/inputs.h"
#include "src/predict/model_files.h"
#include "src/predict/outputs.h"
#include "src/predict/sklearn/explainable.h"

namespace jackdaw::predict {
namespace {

using engine::InferenceRequest;
using engine::Tensor;
using formats::NodeId;
using formats::ObjectGraph;

// Class names for messages, as Python prints them.
struct ClassNames {
  std::string root;          // "Pipeline"
  std::string python_class;  // of the last step of a pipeline: "sklearn.svm._classes.SVC"
};

std::string last_part(const std::string& dotted) {
  return dotted.substr(dotted.rfind('.') + 1);
}

// The estimator of a pipeline's last (name, estimator) pair, or the node itself.
NodeId last_step(const ObjectGraph& graph, NodeId node) {
  if (last_part(graph.class_name(node)) != "Pipeline") return node;
  const NodeId steps = graph.attribute(node, "steps");
  if (steps == formats::no_node || graph.kind(steps) != formats::NodeKind::list || graph.items(steps).empty())
    return node;
  const NodeId pair = graph.items(steps).back();
  const bool is_pair = graph.kind(pair) == formats::NodeKind::tuple && graph.items(pair).size() == 2;
  return is_pair ? graph.items(pair)[1] : node;
}

ClassNames class_names(const ObjectGraph& graph) {
  const NodeId root = graph.root();
  return {last_part(graph.class_name(root)), graph.class_name(last_step(graph, root))};
}

std::vector<std::string> label_texts(const Labels& labels) {
  if (labels.dtype == DType::bytes) return labels.texts;
  std::vector<std::string> out;
  for (const double value : labels.numbers) {
    if (labels.dtype == DType::boolean) {
      out.push_back(value != 0.0 ? "True" : "False");
    } else {
      out.push_back(is_integer(labels.dtype) ? fmt::format("{:.0f}", value) : fmt::format("{}", value));
    }
  }
  return out;
}

class SklearnEngine final : public EngineBase {
 public:
  SklearnEngine(engine::EngineSpec engine_spec, std::unique_ptr<Estimator> estimator, ClassNames names, Method method)
      : EngineBase(std::move(engine_spec)),
        estimator_(std::move(estimator)),
        explainable_(explainable(*estimator_)),
        names_(std::move(names)),
        method_(method) {
    describe();
  }

 protected:
  Result<Tensors> answer(const InferenceRequest& request) const override {
    if (mlserver()) JACKDAW_TRY(check_wanted(request));
    JACKDAW_ASSIGN(const Frame frame, read_frame(request));
    if (mlserver()) return answer_mlserver(request, frame);
    JACKDAW_ASSIGN(Tensors result, run(method_, frame));
    return kserve_outputs(std::move(result), request, spec().model_name);
  }
  Result<Tensor> contributions(const InferenceRequest& request) const override {
    if (explainable_ == nullptr) return cannot_explain("'" + last_part(names_.python_class) + "'");
    JACKDAW_ASSIGN(const Frame frame, read_frame(request));
    JACKDAW_ASSIGN(const Contributions explained, explainable_->explain(frame));
    JACKDAW_ASSIGN(Tensor out, make_contributions(DType::fp64, explained.rows, explained.outputs, explained.features));
    std::copy(explained.values.begin(), explained.values.end(), out.as<double>());
    return out;
  }
  double cost_ns(std::size_t rows) const override { return estimator_->cost_ns(rows); }
  double explain_ns(std::size_t rows) const override {
    return explainable_ != nullptr ? explainable_->explain_ns(rows) : 0.0;
  }
  std::size_t model_bytes() const override { return estimator_->resident_bytes(); }

 private:
  Result<Frame> read_frame(const InferenceRequest& request) const {
    FrameRule rule;
    rule.mlserver = mlserver();
    rule.texts = estimator_->takes_texts();
    rule.n_features = estimator_->n_features_in();
    rule.class_name = names_.root;
    return frame_from_request(request, rule);
  }

  void describe() {
    metadata_.platform = "sklearn";
    if (explainable_ != nullptr) {
      const auto explained = explainable_->explained_names();
      explained_features_.assign(explained.begin(), explained.end());
    }
    const auto names = estimator_->feature_names_in();
    if (estimator_->takes_texts() && names.empty()) {
      metadata_.inputs.push_back({"input-0", DType::bytes, {-1}});
    } else {
      metadata_.inputs = matrix_specs(DType::fp64, estimator_->n_features_in(), {names.begin(), names.end()});
    }
    if (!estimator_->classes().empty()) metadata_.classes = label_texts(estimator_->classes()[0]);
    if (!mlserver()) {
      metadata_.outputs.push_back(output_spec(method_, "output-0"));
      return;
    }
    for (const Method method : {Method::predict, Method::predict_proba, Method::transform}) {
      if (estimator_->supports(method))
        metadata_.outputs.push_back(output_spec(method, std::string(method_name(method))));
    }
  }

  // What is known before a call: labels by the classes, probabilities by their number.
  engine::TensorSpec output_spec(Method method, const std::string& name) const {
    engine::TensorSpec spec{name, DType::fp64, {-1}};
    const auto classes = estimator_->classes();
    if (mlserver()) spec.shape.push_back(method == Method::predict ? 1 : -1);
    if (method == Method::predict && !classes.empty()) {
      spec.dtype = classes[0].dtype;
      if (classes.size() > 1) spec.shape = {-1, static_cast<std::int64_t>(classes.size())};
    } else if (method == Method::predict && estimator_->is_outlier_detector()) {
      spec.dtype = DType::int64;
    } else if (method == Method::predict_proba && classes.size() == 1) {
      spec.shape = {-1, static_cast<std::int64_t>(classes[0].size())};
    } else if (method != Method::predict) {
      spec.shape = {-1, -1};
    }
    return spec;
  }

  Result<Tensors> run(Method method, const Frame& frame) const {
    if (!estimator_->supports(method)) return lacks(method);
    if (method == Method::transform) {
      JACKDAW_ASSIGN(Frame out, estimator_->transform(frame));
      return frame_tensors(std::move(out));
    }
    JACKDAW_ASSIGN(Output output, estimator_->run(method, frame));
    return stacked(std::move(output));
  }

  // scikit-learn's available_if and Python's own words.
  Error lacks(Method method) const {
    if (names_.root == "Pipeline" || names_.root == "GridSearchCV" || names_.root == "RandomizedSearchCV") {
      return make_error(Code::invalid_argument, "This '{}' has no attribute '{}'", names_.root, method_name(method));
    }
    return make_error(Code::invalid_argument, "'{}' object has no attribute '{}'", names_.root, method_name(method));
  }

  // mlserver_sklearn/sklearn.py, _check_request; the missing quote is MLServer's.
  Result<void> check_wanted(const InferenceRequest& request) const {
    for (const std::string& name : request.outputs) {
      if (name == "predict" || name == "predict_proba" || name == "transform") continue;
      return make_error(
          Code::invalid_argument,
          "SKLearnModel only supports 'predict', 'predict_proba' and 'transform' as outputs ({} was received)", name);
    }
    const bool proba = request.outputs.empty() ? method_ == Method::predict_proba
                                               : std::find(request.outputs.begin(), request.outputs.end(),
                                                           "predict_proba") != request.outputs.end();
    if (!proba || estimator_->supports(Method::predict_proba)) return {};
    return make_error(Code::invalid_argument, "<class '{}'> models do not support 'predict_proba", names_.python_class);
  }

  Result<Tensors> answer_mlserver(const InferenceRequest& request, const Frame& frame) const {
    Tensors out;
    std::vector<std::string> wanted = request.outputs;
    if (wanted.empty()) wanted.emplace_back(method_name(method_));
    for (const std::string& name : wanted) {
      JACKDAW_ASSIGN(Tensors arrays, run(*method_from_name(name), frame));
      for (std::size_t i = 0; i < arrays.size(); ++i) {
        out.push_back(named(std::move(arrays[i]), arrays.size() == 1 ? name : fmt::format("{}-{}", name, i), true));
      }
    }
    return out;
  }

  std::unique_ptr<Estimator> estimator_;
  const Explainable* explainable_;  // the estimator, or null
  ClassNames names_;
  Method method_;  // when the request names none
};

Result<Method> default_method(const engine::EngineSpec& spec, const Estimator& estimator) {
  if (!spec.predict_fn.empty()) {
    if (const auto method = method_from_name(spec.predict_fn)) return *method;
    return make_error(Code::invalid_argument,
                      "predict_fn '{}' is not one of predict, predict_proba, predict_log_proba, decision_function, "
                      "transform, score_samples.",
                      spec.predict_fn);
  }
  const bool proba = spec.predict_proba && !spec.mlserver_dialect && estimator.supports(Method::predict_proba);
  return proba ? Method::predict_proba : Method::predict;
}

}  // namespace

Result<std::shared_ptr<engine::Engine>> load_sklearn_engine(const engine::EngineSpec& spec, const std::string& path) {
  formats::ReadLimits limits;
  if (spec.memory_limit_bytes != 0)
    limits.stream_bytes_max = std::min(limits.stream_bytes_max, spec.memory_limit_bytes);
  JACKDAW_ASSIGN(auto bytes, read_model_file(path, spec.memory_limit_bytes));
  JACKDAW_ASSIGN(const ObjectGraph graph, formats::read_object_graph(std::move(bytes), limits));
  const BuildContext context = BuildContext{graph, graph.root(), ""}.child(graph.root(), class_names(graph).root);
  JACKDAW_ASSIGN(std::unique_ptr<Estimator> estimator, build_estimator(context));
  JACKDAW_ASSIGN(const Method method, default_method(spec, *estimator));
  return std::shared_ptr<engine::Engine>(
      std::make_shared<SklearnEngine>(spec, std::move(estimator), class_names(graph), method));
}

}  // namespace jackdaw::predict
