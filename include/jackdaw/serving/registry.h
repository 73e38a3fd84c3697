// Registry: the models this daemon answers for, as an immutable snapshot that any io thread reads without waiting.
//
// One writer at a time (control) publishes a new snapshot; readers take a shared pointer and keep it for the length of
// a request, so a model that is replaced or unloaded stays alive until its last request has ended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/metrics.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

class Batcher;
class PayloadLogger;
class ResponseCache;

// Whose answers a model gives; chosen by KServe's runtime selection.
enum class Dialect : unsigned char { kserve, mlserver };

// Names as the repository index prints them: LOADING, READY, UNAVAILABLE (unloaded or failed), UNLOADING.
enum class ModelState : unsigned char { loading, ready, unavailable, unloading };
std::string_view state_name(ModelState state);

// Metrics of one model, looked up once. KServe's histograms and Triton's counters side by side.
struct ModelMetrics {
  ModelMetrics(MetricsRegistry& registry, std::string_view model, std::string_view version);

  Histogram& preprocess_seconds;
  Histogram& predict_seconds;
  Histogram& postprocess_seconds;
  Histogram& explain_seconds;
  Counter& request_success;
  Counter& request_failure;
  Counter& inference_count;
  Counter& exec_count;
  Counter& request_duration_us;
  Counter& queue_duration_us;
  Counter& compute_input_duration_us;
  Counter& compute_infer_duration_us;
  Counter& compute_output_duration_us;
  Gauge& pending_requests;
};

// One numbered version of a model. Engine is null unless state is ready.
struct ModelVersion {
  std::string version;  // "1"
  ModelState state = ModelState::loading;
  std::string reason;  // why it is unavailable, as a sentence
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<ModelMetrics> metrics;
  std::shared_ptr<Batcher> batcher = {};      // null: every call runs by itself
  std::shared_ptr<ResponseCache> cache = {};  // null: every call runs
};

struct ServedModel {
  std::string name;            // what clients call it
  std::string namespace_name;  // Kubernetes namespace of its InferenceService
  std::string service_name;    // metadata.name; differs from `name` when --model_name says so
  // Further names clients may call it by (vLLM's --served-model-name with several); a model's own name comes first.
  std::vector<std::string> aliases;
  bool generates = false;  // declared as a language model; known before its engine is there
  Dialect dialect = Dialect::kserve;
  bool unloaded = false;               // unloaded on request: KServe and MLServer then answer as if it were not there
  std::vector<ModelVersion> versions;  // ascending; the last one answers when none is asked for

  std::shared_ptr<PayloadLogger> logger;  // null: nobody is told of requests and answers

  const ModelVersion* latest() const { return versions.empty() ? nullptr : &versions.back(); }
  const ModelVersion* version(std::string_view wanted) const;
  bool answers_to(std::string_view wanted) const;  // its name or one of its aliases
};

class RegistrySnapshot {
 public:
  // The model of that name: the only one, or the one in the namespace that `host` ("iris-default.example.com",
  // "iris.default.example.com") points at, or the one in "default". Null when there is none or it stays ambiguous.
  // Aliases are looked at when no model has the name as its own.
  const ServedModel* find(std::string_view name, std::string_view host = {}) const;
  // In name order.
  const std::vector<std::shared_ptr<const ServedModel>>& models() const { return models_; }
  // Every declared model that was not unloaded on purpose has a ready version.
  bool all_ready() const;

 private:
  friend class Registry;
  std::vector<std::shared_ptr<const ServedModel>> models_;  // sorted by (name, namespace)
  using Names = std::map<std::string, std::vector<const ServedModel*>, std::less<>>;
  Names by_name_;
  Names by_alias_;
};

class Registry {
 public:
  Registry();
  std::shared_ptr<const RegistrySnapshot> snapshot() const;
  // Adds or replaces the model with the same name and namespace.
  void put(ServedModel model);
  // Removes it; false when it was not there.
  bool remove(std::string_view name, std::string_view namespace_name);

 private:
  void publish(std::vector<std::shared_ptr<const ServedModel>> models);

  mutable std::mutex mutex_;
  std::shared_ptr<const RegistrySnapshot> snapshot_;
};

}  // namespace jackdaw::serving
