// The XGBoost engine. KServe's server answers Booster.predict over all trees; MLServer's loads the model into
// XGBRegressor, or into XGBClassifier when the file says that it was saved by one, and stops at best_iteration.
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/predict/engine_base.h"
#include "src/predict/inputs.h"
#include "src/predict/model_files.h"
#include "src/predict/outputs.h"
#include "src/predict/xgboost.h"

namespace jackdaw::predict {
namespace {

using engine::InferenceRequest;
using engine::Tensor;
using formats::XgboostModel;

// The scikit-learn wrapper leaves its kind in the attribute "scikit_learn": {"_estimator_type": "classifier", ...}.
bool saved_by_classifier(const XgboostModel& model) {
  const std::string text(formats::value_or(model.attributes, "scikit_learn", ""));
  if (text.empty()) return false;
  simdjson::dom::parser parser;
  std::string_view kind;
  const auto found = parser.parse(simdjson::padded_string(text)).at_key("_estimator_type").get_string().get(kind);
  return found == simdjson::SUCCESS && kind == "classifier";
}

// Rows as the model compares them; `data` is the request's own or the calling thread's scratch.
struct FloatRows {
  const float* data = nullptr;
  std::size_t rows = 0;
  std::size_t stride = 0;
};

class XgboostEngine final : public EngineBase {
 public:
  XgboostEngine(engine::EngineSpec engine_spec, const XgboostModel& model, XgboostScorer scorer)
      : EngineBase(std::move(engine_spec)),
        scorer_(std::move(scorer)),
        classifier_(saved_by_classifier(model)),
        n_classes_(std::max(2u, model.num_class)),
        names_(model.feature_names) {
    for (std::size_t i = 0; i < model.categories.size(); ++i) {
      if (!model.categories[i].empty()) categories_.set(i, model.categories[i].texts, model.categories[i].numbers);
    }
    describe();
  }

 protected:
  Result<Tensors> answer(const InferenceRequest& request) const override {
    if (mlserver()) JACKDAW_TRY(check_wanted(request));
    const Scratch<float> lease;
    JACKDAW_ASSIGN(const FloatRows rows, rows_of(request, lease.values()));
    JACKDAW_TRY(check_answer_size(rows.rows, scorer_.n_groups()));
    return mlserver() ? answer_mlserver(request, rows) : answer_kserve(request, rows);
  }
  Result<Tensor> contributions(const InferenceRequest& request) const override {
    const Scratch<float> lease;
    JACKDAW_ASSIGN(const FloatRows rows, rows_of(request, lease.values()));
    JACKDAW_ASSIGN(Tensor out, make_contributions(DType::fp32, rows.rows, scorer_.n_groups(), scorer_.n_features()));
    JACKDAW_TRY(scorer_.contributions(rows.data, rows.rows, rows.stride, out.as<float>()));
    return out;
  }
  double cost_ns(std::size_t rows) const override { return scorer_.row_ns() * static_cast<double>(rows); }
  double explain_ns(std::size_t rows) const override {
    return scorer_.explain_call_ns() + scorer_.explain_row_ns() * static_cast<double>(rows);
  }
  std::size_t model_bytes() const override { return scorer_.resident_bytes(); }

 private:
  void describe() {
    metadata_.platform = "xgboost";
    explained_features_ = names_;
    metadata_.inputs = matrix_specs(DType::fp32, static_cast<std::int64_t>(scorer_.n_features()), names_);
    const auto width = static_cast<std::int64_t>(scorer_.n_outputs());
    if (!mlserver()) {
      metadata_.outputs.push_back({"output-0", DType::fp32, prediction_shape_spec(width)});
      return;
    }
    const bool labels = classifier_ && scorer_.transform() != XgboostTransform::argmax;
    metadata_.outputs.push_back({"predict", labels ? DType::int64 : DType::fp32, {-1, labels ? 1 : width}});
    if (!classifier_) return;
    metadata_.outputs.push_back({"predict_proba", DType::fp32, {-1, static_cast<std::int64_t>(n_classes_)}});
    for (std::uint32_t i = 0; i < n_classes_; ++i) metadata_.classes.push_back(std::to_string(i));
  }
  static std::vector<std::int64_t> prediction_shape_spec(std::int64_t width) {
    return width == 1 ? std::vector<std::int64_t>{-1} : std::vector<std::int64_t>{-1, width};
  }

  // ---- inputs ----

  Result<FloatRows> rows_of(const InferenceRequest& request, std::vector<float>& scratch) const {
    return request.form == engine::InputForm::columns ? frame_rows_of(request, scratch)
                                                      : matrix_rows_of(request, scratch);
  }

  Result<FloatRows> matrix_rows_of(const InferenceRequest& request, std::vector<float>& scratch) const {
    JACKDAW_ASSIGN(const Tensor* tensor, matrix_tensor(request, mlserver()));
    if (tensor->shape.size() != 2) {
      return make_error(Code::invalid_argument, "Expecting 2 dimensional numpy.ndarray, got:  {}",
                        shape_text(tensor->shape));
    }
    FloatRows rows{nullptr, static_cast<std::size_t>(tensor->shape[0]), static_cast<std::size_t>(tensor->shape[1])};
    JACKDAW_TRY(check_width(rows.stride));
    if (tensor->dtype == DType::fp32 && tensor->missing.empty()) {
      rows.data = tensor->as<float>();
    } else {
      scratch.resize(tensor->element_count());
      JACKDAW_TRY(read_elements(*tensor, scratch.data()));
      rows.data = scratch.data();
    }
    JACKDAW_TRY(check_finite(rows.data, rows.rows * rows.stride));
    if (rows.stride < scorer_.n_features()) return widened(rows, scratch);
    return rows;
  }

  // Booster.predict takes shorter rows, the rest is missing; the scikit-learn wrapper refuses them.
  Result<void> check_width(std::size_t width) const {
    const std::size_t wanted = scorer_.n_features();
    if (width == wanted || (width < wanted && !mlserver())) return {};
    return make_error(Code::invalid_argument, "Feature shape mismatch, expected: {}, got {}", wanted, width);
  }

  // DMatrix refuses infinities; the wrapper's in-place path does not look.
  Result<void> check_finite(const float* values, std::size_t count) const {
    if (mlserver()) return {};
    if (std::none_of(values, values + count, [](float x) { return std::isinf(x); })) return {};
    return make_error(Code::invalid_argument,
                      "Input data contains `inf` or a value too large, while `missing` is not set to `inf`");
  }

  Result<FloatRows> widened(const FloatRows& rows, std::vector<float>& scratch) const {
    const std::size_t width = scorer_.n_features();
    std::size_t cells = 0;
    if (!checked_mul(rows.rows, width, cells) || cells > (std::size_t{1} << 30)) {
      return make_error(Code::too_large, "{} rows of {} features are too many for one request.", rows.rows, width);
    }
    std::vector<float> wide(cells, std::numeric_limits<float>::quiet_NaN());
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::copy_n(rows.data + row * rows.stride, rows.stride, wide.data() + row * width);
    }
    scratch = std::move(wide);
    return FloatRows{scratch.data(), rows.rows, width};
  }

  Result<FloatRows> frame_rows_of(const InferenceRequest& request, std::vector<float>& scratch) const {
    ColumnRule rule;
    rule.names = names_;
    rule.n_features = scorer_.n_features();
    rule.categories = &categories_;
    JACKDAW_ASSIGN(const FrameRows frame, rows_from_columns(request, rule));
    scratch.resize(frame.values.size());
    std::transform(frame.values.begin(), frame.values.end(), scratch.begin(),
                   [](double x) { return static_cast<float>(x); });
    JACKDAW_TRY(check_finite(scratch.data(), scratch.size()));
    return FloatRows{scratch.data(), frame.rows, scorer_.n_features()};
  }

  // ---- answers ----

  Tensor booster_predict(const FloatRows& rows) const {
    Tensor out = make_output(DType::fp32, prediction_shape(rows.rows, scorer_.n_outputs()));
    if (scorer_.n_outputs() == scorer_.n_groups()) {
      scorer_.margins(rows.data, rows.rows, rows.stride, out.as<float>());
      scorer_.predict_from(out.as<float>(), rows.rows, out.as<float>());
    } else {
      std::vector<float> margins = margins_of(rows);
      scorer_.predict_from(margins.data(), rows.rows, out.as<float>());
    }
    return out;
  }
  std::vector<float> margins_of(const FloatRows& rows) const {
    std::vector<float> margins(rows.rows * scorer_.n_groups());
    scorer_.margins(rows.data, rows.rows, rows.stride, margins.data());
    return margins;
  }

  Result<Tensors> answer_kserve(const InferenceRequest& request, const FloatRows& rows) const {
    Tensors result;
    result.push_back(booster_predict(rows));
    return kserve_outputs(std::move(result), request, spec().model_name);
  }

  Result<void> check_wanted(const InferenceRequest& request) const {
    for (const std::string& name : request.outputs) {
      if (name == "predict" || name == "predict_proba") continue;
      return make_error(Code::invalid_argument,
                        "XGBoostModel only supports 'predict' and 'predict_proba' as outputs ({} was received)", name);
    }
    const bool proba =
        std::find(request.outputs.begin(), request.outputs.end(), "predict_proba") != request.outputs.end();
    if (!proba || classifier_) return {};
    return make_error(Code::invalid_argument, "XGBRegressor models do not support 'predict_proba");
  }

  Result<Tensors> answer_mlserver(const InferenceRequest& request, const FloatRows& rows) const {
    Tensors out;
    if (request.outputs.empty()) out.push_back(named(wrapper_predict(rows), "predict", true));
    for (const std::string& name : request.outputs) {
      Tensor tensor = name == "predict" ? wrapper_predict(rows) : wrapper_proba(rows);
      out.push_back(named(std::move(tensor), name, true));
    }
    return out;
  }

  // XGBClassifier.predict (xgboost 2.1, sklearn.py): labels out of the booster's answer.
  Tensor wrapper_predict(const FloatRows& rows) const {
    Tensor values = booster_predict(rows);
    if (!classifier_) return values;
    const std::size_t width = scorer_.n_outputs();
    if (width > 1 && n_classes_ != 2) return best_column(values, rows.rows, width);
    if (width > 1) return over_half<double>(values, DType::fp64);
    if (scorer_.transform() != XgboostTransform::argmax) return over_half<std::int64_t>(values, DType::int64);
    Tensor labels = make_output(DType::int32, values.shape);
    std::transform(values.as<float>(), values.as<float>() + rows.rows, labels.as<std::int32_t>(),
                   [](float x) { return static_cast<std::int32_t>(x); });
    return labels;
  }
  static Tensor best_column(const Tensor& values, std::size_t rows, std::size_t width) {
    Tensor labels = make_output(DType::int64, {static_cast<std::int64_t>(rows)});
    for (std::size_t row = 0; row < rows; ++row) {
      const float* begin = values.as<float>() + row * width;
      labels.as<std::int64_t>()[row] = std::max_element(begin, begin + width) - begin;
    }
    return labels;
  }
  template <typename T>
  static Tensor over_half(const Tensor& values, DType dtype) {
    Tensor labels = make_output(dtype, values.shape);
    const float* begin = values.as<float>();
    std::transform(begin, begin + values.element_count(), labels.as<T>(),
                   [](float x) { return x > 0.5f ? T{1} : T{0}; });
    return labels;
  }

  Tensor wrapper_proba(const FloatRows& rows) const {
    if (scorer_.transform() == XgboostTransform::argmax) {
      Tensor out = make_output(DType::fp32,
                               {static_cast<std::int64_t>(rows.rows), static_cast<std::int64_t>(scorer_.n_groups())});
      scorer_.margins(rows.data, rows.rows, rows.stride, out.as<float>());
      for (std::size_t row = 0; row < rows.rows; ++row) {
        xgboost_softmax(out.as<float>() + row * scorer_.n_groups(), scorer_.n_groups());
      }
      return out;
    }
    const Tensor values = booster_predict(rows);
    if (scorer_.n_outputs() > 1) return values;
    Tensor out = make_output(DType::fp32, {static_cast<std::int64_t>(rows.rows), 2});
    for (std::size_t row = 0; row < rows.rows; ++row) {
      const float one = values.as<float>()[row];
      out.as<float>()[2 * row] = 1.0f - one;
      out.as<float>()[2 * row + 1] = one;
    }
    return out;
  }

  XgboostScorer scorer_;
  bool classifier_;
  std::uint32_t n_classes_;
  std::vector<std::string> names_;
  CategoryTable categories_;
};

}  // namespace

Result<std::shared_ptr<engine::Engine>> load_xgboost_engine(const engine::EngineSpec& spec, const std::string& path) {
  JACKDAW_ASSIGN(const auto bytes, read_model_file(path, spec.memory_limit_bytes));
  JACKDAW_ASSIGN(const XgboostModel model, formats::read_xgboost(bytes));
  std::optional<std::size_t> rounds;
  if (spec.mlserver_dialect && model.best_iteration) rounds = std::size_t{*model.best_iteration} + 1;
  JACKDAW_ASSIGN(XgboostScorer scorer, XgboostScorer::build(model, rounds));
  return std::shared_ptr<engine::Engine>(std::make_shared<XgboostEngine>(spec, model, std::move(scorer)));
}

}  // namespace jackdaw::predict
