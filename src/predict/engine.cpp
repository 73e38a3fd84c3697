#include <algorithm>
#include <chrono>
#include <new>
#include <thread>

#include "jackdaw/predict/predict.h"
#include "src/predict/engine_base.h"
#include "src/predict/inputs.h"
#include "src/predict/model_files.h"
#include "src/predict/outputs.h"

namespace jackdaw::predict {

using engine::EngineSpec;
using engine::InferenceRequest;
using engine::Tensor;

// ---- EngineBase ---------------------------------------------------------------------------------------------------

Result<std::vector<Tensor>> EngineBase::admitted(const InferenceRequest& request) const {
  if (draining_.load(std::memory_order_seq_cst)) {
    return make_error(Code::not_ready, "Model with name {} is not ready.", spec_.model_name);
  }
  if (request.verb != engine::Verb::predict && request.verb != engine::Verb::explain) {
    return make_error(Code::unsupported, "Model {} can predict and explain, nothing else.", spec_.model_name);
  }
  if (request.deadline != Instant::max() && std::chrono::steady_clock::now() > request.deadline) {
    return make_error(Code::deadline_exceeded, "The request was too late when its turn came.");
  }
  try {
    return answer_or_explain(request);
  } catch (const std::bad_alloc&) {
    return make_error(Code::resource_exhausted, "There is not enough memory for this request.");
  }
}

namespace {

bool is_contributions(const std::string& output) {
  return output == engine::contributions_output;
}

bool asks_contributions(const InferenceRequest& request) {
  return request.verb == engine::Verb::explain ||
         std::any_of(request.outputs.begin(), request.outputs.end(), is_contributions);
}

// Whether anything but contributions is wanted.
bool asks_prediction(const InferenceRequest& request) {
  return request.outputs.empty() || !std::all_of(request.outputs.begin(), request.outputs.end(), is_contributions);
}

Tensor feature_names_tensor(const std::vector<std::string>& names) {
  Tensor out;
  out.name = engine::feature_names_output;
  out.dtype = DType::bytes;
  out.shape = {static_cast<std::int64_t>(names.size())};
  out.strings = names;
  return out;
}

}  // namespace

// Contributions stand where they were asked for; Verb::explain puts them and their features' names first.
Result<std::vector<Tensor>> EngineBase::answer_or_explain(const InferenceRequest& request) const {
  if (!asks_contributions(request)) return answer(request);
  // Deep trees of many features cost milliseconds a row; a thread of the pool is not given away for minutes.
  constexpr double explain_ns_max = 60e9;
  if (const double ns = explain_ns(request_rows(request)); ns > explain_ns_max) {
    return make_error(Code::too_large,
                      "Explaining {} rows would take about {:.0f} s, more than {:.0f}; send fewer rows.",
                      request_rows(request), ns * 1e-9, explain_ns_max * 1e-9);
  }
  JACKDAW_ASSIGN(Tensor explained, contributions(request));
  const std::int64_t features = explained.shape.back() - 1;
  explained.name = engine::contributions_output;
  if (mlserver()) explained.content_type = "np";
  Tensors predicted;
  if (asks_prediction(request)) {
    InferenceRequest rest = request;
    std::erase_if(rest.outputs, is_contributions);
    JACKDAW_ASSIGN(predicted, answer(rest));
  }
  std::size_t place = 0;
  if (request.verb == engine::Verb::explain) {
    const bool named = features == static_cast<std::int64_t>(explained_features_.size());
    if (named) predicted.insert(predicted.begin(), feature_names_tensor(explained_features_));
  } else {
    const auto asked = std::find_if(request.outputs.begin(), request.outputs.end(), is_contributions);
    place = std::min(static_cast<std::size_t>(asked - request.outputs.begin()), predicted.size());
  }
  predicted.insert(predicted.begin() + static_cast<std::ptrdiff_t>(place), std::move(explained));
  return predicted;
}

Result<std::vector<Tensor>> EngineBase::predict(const InferenceRequest& request) {
  // in_flight_ goes up before draining_ is read: drain() sees this request, or this request sees the drain.
  in_flight_.fetch_add(1, std::memory_order_seq_cst);
  auto result = admitted(request);
  requests_.fetch_add(1, std::memory_order_relaxed);
  if (!result) failures_.fetch_add(1, std::memory_order_relaxed);
  in_flight_.fetch_sub(1, std::memory_order_release);
  return result;
}

void EngineBase::submit(std::shared_ptr<const InferenceRequest> request,
                        std::shared_ptr<engine::ResponseStream> stream) {
  auto result = predict(*request);
  if (!result) return stream->error(std::move(result).error());
  stream->tensors(std::move(*result));
  stream->done();
}

std::uint64_t EngineBase::estimate_ns(const InferenceRequest& request) const {
  constexpr double call_ns = 500.0;
  const std::size_t rows = request_rows(request);
  double ns = call_ns;
  if (asks_prediction(request)) ns += cost_ns(rows);
  if (asks_contributions(request)) ns += explain_ns(rows);
  return ns < 1e18 ? static_cast<std::uint64_t>(ns) : 1'000'000'000'000'000'000ull;
}

engine::EngineStats EngineBase::stats() const {
  engine::EngineStats stats;
  stats.requests = requests_.load(std::memory_order_relaxed);
  stats.failures = failures_.load(std::memory_order_relaxed);
  stats.in_flight = in_flight_.load(std::memory_order_relaxed);
  stats.resident_bytes = model_bytes();
  return stats;
}

void EngineBase::drain(Instant deadline) {
  draining_.store(true, std::memory_order_seq_cst);
  while (in_flight_.load(std::memory_order_seq_cst) != 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

std::vector<engine::TensorSpec> matrix_specs(DType dtype, std::int64_t n_features,
                                             const std::vector<std::string>& names) {
  std::vector<engine::TensorSpec> specs;
  for (const std::string& name : names) specs.push_back({name, dtype, {-1}});
  if (specs.empty()) specs.push_back({"input-0", dtype, {-1, n_features}});
  return specs;
}

Result<Tensor> make_contributions(DType dtype, std::size_t rows, std::size_t outputs, std::size_t features) {
  constexpr std::size_t numbers_max = std::size_t{1} << 26;
  std::size_t per_row = 0, count = 0;
  if (!checked_mul(outputs, features + 1, per_row) || !checked_mul(rows, per_row, count) || count > numbers_max) {
    return make_error(Code::too_large,
                      "The contributions of {} rows to {} outputs by {} features are more than {}; send "
                      "fewer rows.",
                      rows, outputs, features, numbers_max);
  }
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(rows)};
  if (outputs != 1) shape.push_back(static_cast<std::int64_t>(outputs));
  shape.push_back(static_cast<std::int64_t>(features) + 1);
  return make_output(dtype, std::move(shape));
}

Error cannot_explain(std::string_view class_name) {
  return make_error(Code::unsupported,
                    "{} cannot be explained here. Contributions (TreeSHAP) are built in for XGBoost, LightGBM and "
                    "scikit-learn's DecisionTree*, ExtraTree*, RandomForest*, ExtraTrees*, GradientBoosting*, "
                    "HistGradientBoosting* and IsolationForest, alone or as a Pipeline's last step.",
                    class_name);
}

// ---- the factory --------------------------------------------------------------------------------------------------

namespace {

struct FormatRow {
  std::string_view format;
  Result<std::shared_ptr<engine::Engine>> (*load)(const EngineSpec& spec, const std::string& path);
};
constexpr FormatRow formats_table[] = {
    {"sklearn", load_sklearn_engine},
    {"xgboost", load_xgboost_engine},
    {"lightgbm", load_lightgbm_engine},
};

class Factory final : public engine::EngineFactory {
 public:
  Result<std::shared_ptr<engine::Engine>> load(const EngineSpec& spec) override {
    JACKDAW_ASSIGN(const ModelFile file, find_model_file(spec));
    EngineSpec complete = spec;
    if (complete.predict_fn.empty()) complete.predict_fn = file.predict_fn;
    for (const FormatRow& row : formats_table) {
      if (row.format == spec.model_format) return load_with(row, complete, file.path);
    }
    return make_error(Code::unsupported, "Model format '{}' is not one of sklearn, xgboost, lightgbm.",
                      spec.model_format);
  }

 private:
  static Result<std::shared_ptr<engine::Engine>> load_with(const FormatRow& row, const EngineSpec& spec,
                                                           const std::string& path) {
    try {
      auto engine = row.load(spec, path);
      if (!engine) return std::move(engine).error().at(path);
      return engine;
    } catch (const std::bad_alloc&) {
      return make_error(Code::resource_exhausted, "There is not enough memory to load {}.", path);
    }
  }
};

}  // namespace

std::unique_ptr<engine::EngineFactory> make_engine_factory() {
  return std::make_unique<Factory>();
}

}  // namespace jackdaw::predict
