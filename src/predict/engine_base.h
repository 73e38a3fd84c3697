// EngineBase: what all predictive engines share: counting, draining, the inline path. An engine says how it answers.
//
// Thread-safe: the model is immutable, the counters are atomic.
#pragma once

#include <atomic>

#include "jackdaw/engine/engine.h"
#include "jackdaw/engine/explanation.h"

namespace jackdaw::predict {

class EngineBase : public engine::Engine {
 public:
  explicit EngineBase(engine::EngineSpec spec) : spec_(std::move(spec)) {}

  const engine::ModelMetadata& metadata() const final { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) final;
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) final;
  std::uint64_t estimate_ns(const engine::InferenceRequest& request) const final;
  engine::EngineStats stats() const final;
  void drain(Instant deadline) final;

 protected:
  using Tensors = std::vector<engine::Tensor>;
  virtual Result<Tensors> answer(const engine::InferenceRequest& request) const = 0;
  virtual double cost_ns(std::size_t rows) const = 0;
  // "contributions": rows x outputs x (features + 1), flat over one output. Code::unsupported names what cannot be
  // explained, and what can.
  virtual Result<engine::Tensor> contributions(const engine::InferenceRequest& request) const = 0;
  virtual double explain_ns(std::size_t rows) const = 0;
  virtual std::size_t model_bytes() const = 0;

  const engine::EngineSpec& spec() const { return spec_; }
  bool mlserver() const { return spec_.mlserver_dialect; }
  engine::ModelMetadata metadata_;
  std::vector<std::string> explained_features_;  // of the features that get contributions; empty = not known

 private:
  Result<Tensors> admitted(const engine::InferenceRequest& request) const;
  Result<Tensors> answer_or_explain(const engine::InferenceRequest& request) const;

  const engine::EngineSpec spec_;
  std::atomic<std::uint64_t> requests_{0}, failures_{0}, in_flight_{0};
  std::atomic<bool> draining_{false};
};

// Inputs as metadata lists them: one per feature when the model has names, else one matrix [-1, n].
std::vector<engine::TensorSpec> matrix_specs(DType dtype, std::int64_t n_features,
                                             const std::vector<std::string>& names);

// Room for the contributions of a request. Errors: too_large past 2^26 numbers.
Result<engine::Tensor> make_contributions(DType dtype, std::size_t rows, std::size_t outputs, std::size_t features);

// What models without TreeSHAP say.
Error cannot_explain(std::string_view class_name);

// Loaders, one per format; blocking. `path` is the file.
Result<std::shared_ptr<engine::Engine>> load_xgboost_engine(const engine::EngineSpec& spec, const std::string& path);
Result<std::shared_ptr<engine::Engine>> load_lightgbm_engine(const engine::EngineSpec& spec, const std::string& path);
Result<std::shared_ptr<engine::Engine>> load_sklearn_engine(const engine::EngineSpec& spec, const std::string& path);

}  // namespace jackdaw::predict
