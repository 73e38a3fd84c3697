// The LightGBM engine: Booster.predict under both dialects, always float64.
#include <algorithm>
#include <cmath>

#include "src/predict/engine_base.h"
#include "src/predict/inputs.h"
#include "src/predict/lightgbm.h"
#include "src/predict/model_files.h"
#include "src/predict/outputs.h"

namespace jackdaw::predict {
namespace {

using engine::InferenceRequest;
using engine::Tensor;
using formats::LightgbmModel;

// Features whose training values were categories: feature_infos says "1:0:2" there, "[0:5.5]" or "none" elsewhere.
std::vector<std::size_t> category_features(const LightgbmModel& model) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < model.feature_infos.size(); ++i) {
    const std::string& info = model.feature_infos[i];
    if (info != "none" && !info.starts_with("[")) out.push_back(i);
  }
  return out;
}

bool has_own_names(const LightgbmModel& model) {
  for (std::size_t i = 0; i < model.feature_names.size(); ++i) {
    if (model.feature_names[i] != fmt::format("Column_{}", i)) return true;
  }
  return false;
}

class LightgbmEngine final : public EngineBase {
 public:
  LightgbmEngine(engine::EngineSpec engine_spec, const LightgbmModel& model, LightgbmScorer scorer)
      : EngineBase(std::move(engine_spec)), scorer_(std::move(scorer)), names_(model.feature_names) {
    name_categories(model);
    metadata_.platform = "lightgbm";
    const std::vector<std::string> shown = has_own_names(model) ? names_ : std::vector<std::string>{};
    explained_features_ = shown;
    metadata_.inputs = matrix_specs(DType::fp64, static_cast<std::int64_t>(scorer_.n_features()), shown);
    const auto width = static_cast<std::int64_t>(scorer_.n_outputs());
    std::vector<std::int64_t> shape{-1};
    if (width > 1 || mlserver()) shape.push_back(width);
    metadata_.outputs.push_back({mlserver() ? "predict" : "output-0", DType::fp64, shape});
  }

 protected:
  Result<Tensors> answer(const InferenceRequest& request) const override {
    const Scratch<double> lease;
    const std::vector<double>& scratch = lease.values();
    JACKDAW_ASSIGN(const std::size_t rows, read_rows(request, lease.values()));
    JACKDAW_TRY(check_answer_size(rows, scorer_.n_outputs()));
    Tensor out = make_output(DType::fp64, prediction_shape(rows, scorer_.n_outputs()));
    scorer_.raw_scores(scratch.data(), rows, out.as<double>());
    scorer_.convert(out.as<double>(), rows);
    Tensors result;
    result.push_back(std::move(out));
    if (!mlserver()) return kserve_outputs(std::move(result), request, spec().model_name);
    result[0] = named(std::move(result[0]), "predict", true);  // MLServer does not look at the outputs asked for.
    return result;
  }
  Result<Tensor> contributions(const InferenceRequest& request) const override {
    const Scratch<double> lease;
    JACKDAW_ASSIGN(const std::size_t rows, read_rows(request, lease.values()));
    JACKDAW_ASSIGN(Tensor out, make_contributions(DType::fp64, rows, scorer_.n_outputs(), scorer_.n_features()));
    JACKDAW_TRY(scorer_.contributions(lease.values().data(), rows, out.as<double>()));
    return out;
  }
  double cost_ns(std::size_t rows) const override { return scorer_.row_ns() * static_cast<double>(rows); }
  double explain_ns(std::size_t rows) const override {
    return scorer_.explain_call_ns() + scorer_.explain_row_ns() * static_cast<double>(rows);
  }
  std::size_t model_bytes() const override { return scorer_.resident_bytes(); }

 private:
  // pandas_categorical has one list per category column, in column order, without saying which columns these are.
  void name_categories(const LightgbmModel& model) {
    const std::vector<std::size_t> features = category_features(model);
    if (features.size() != model.pandas_categorical.size()) return;
    for (std::size_t i = 0; i < features.size(); ++i) {
      categories_.set(features[i], model.pandas_categorical[i].texts, model.pandas_categorical[i].numbers);
    }
  }

  // The request's rows as LightGBM's predictor sees them.
  Result<std::size_t> read_rows(const InferenceRequest& request, std::vector<double>& out) const {
    JACKDAW_ASSIGN(const std::size_t rows,
                   request.form == engine::InputForm::columns ? read_frame(request, out) : read_matrix(request, out));
    if (rows == 0) return make_error(Code::invalid_argument, "Input data must have at least one row.");
    for (std::size_t row = 0; row < rows; ++row) scorer_.prepare_row(out.data() + row * scorer_.n_features());
    return rows;
  }

  Result<std::size_t> read_matrix(const InferenceRequest& request, std::vector<double>& out) const {
    JACKDAW_ASSIGN(const Tensor* tensor, matrix_tensor(request, mlserver()));
    if (tensor->shape.size() != 2) {
      return make_error(Code::invalid_argument, "Input numpy.ndarray must be 2 dimensional, got {}",
                        shape_text(tensor->shape));
    }
    if (static_cast<std::size_t>(tensor->shape[1]) != scorer_.n_features()) {
      return make_error(
          Code::invalid_argument,
          "The number of features in data ({}) is not the same as it was in training data ({}).\nYou can set "
          "``predict_disable_shape_check=true`` to discard this error, but please be aware what you are doing.",
          tensor->shape[1], scorer_.n_features());
    }
    out.resize(tensor->element_count());
    JACKDAW_TRY(read_elements(*tensor, out.data()));
    // LightGBM keeps float64 and takes everything else through float32.
    if (tensor->dtype != DType::fp64) {
      for (double& x : out) x = static_cast<double>(static_cast<float>(x));
    }
    return static_cast<std::size_t>(tensor->shape[0]);
  }

  Result<std::size_t> read_frame(const InferenceRequest& request, std::vector<double>& out) const {
    ColumnRule rule;
    rule.names = names_;
    rule.n_features = scorer_.n_features();
    rule.categories = &categories_;
    rule.absent_is_missing = true;
    rule.unknown_is_missing = true;
    JACKDAW_ASSIGN(FrameRows frame, rows_from_columns(request, rule));
    out = std::move(frame.values);
    return frame.rows;
  }

  LightgbmScorer scorer_;
  std::vector<std::string> names_;
  CategoryTable categories_;
};

}  // namespace

Result<std::shared_ptr<engine::Engine>> load_lightgbm_engine(const engine::EngineSpec& spec, const std::string& path) {
  JACKDAW_ASSIGN(const auto bytes, read_model_file(path, spec.memory_limit_bytes));
  JACKDAW_ASSIGN(LightgbmModel model, formats::read_lightgbm(as_text(bytes)));
  std::vector<formats::LightgbmTree> trees = std::move(model.trees);
  const LightgbmModel described = model;
  model.trees = std::move(trees);
  JACKDAW_ASSIGN(LightgbmScorer scorer, LightgbmScorer::build(std::move(model)));
  return std::shared_ptr<engine::Engine>(std::make_shared<LightgbmEngine>(spec, described, std::move(scorer)));
}

}  // namespace jackdaw::predict
