#include <chrono>
#include <new>
#include <thread>

#include "jackdaw/predict/predict.h"
#include "src/predict/engine_base.h"
#include "src/predict/inputs.h"
#include "src/predict/model_files.h"

namespace jackdaw::predict {

using engine::EngineSpec;
using engine::InferenceRequest;
using engine::Tensor;

// ---- EngineBase ---------------------------------------------------------------------------------------------------

Result<std::vector<Tensor>> EngineBase::admitted(const InferenceRequest& request) const {
  if (draining_.load(std::memory_order_seq_cst)) {
    return make_error(Code::not_ready, "Model with name {} is not ready.", spec_.model_name);
  }
  if (request.verb != engine::Verb::predict) {
    return make_error(Code::unsupported, "Model {} can predict, nothing else.", spec_.model_name);
  }
  if (request.deadline != Instant::max() && std::chrono::steady_clock::now() > request.deadline) {
    return make_error(Code::deadline_exceeded, "The request was too late when its turn came.");
  }
  try {
    return answer(request);
  } catch (const std::bad_alloc&) {
    return make_error(Code::resource_exhausted, "There is not enough memory for this request.");
  }
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
  const double ns = call_ns + cost_ns(request_rows(request));
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
