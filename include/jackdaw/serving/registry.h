// Registry: the models this daemon answers for, as an immutable snapshot that any io thread reads without waiting.
//
// One writer at a time (control) publishes a new snapshot; readers take a shared pointer and keep it for the length of
// a request, so a model that is replaced or unloaded stays alive until its last request has ended.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jackdaw/base/metrics.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/serving/gate.h"
#include "jackdaw/serving/revision_counts.h"

namespace jackdaw::serving {

class Batcher;
class PayloadLogger;
class ResponseCache;
class Transformer;

// Whose answers a model gives; chosen by KServe's runtime selection.
enum class Dialect : unsigned char { kserve, mlserver };

// A model in standby has no engine now, and answers all the same: the next request, which its gate holds, brings one
// back.
enum class ModelState : unsigned char { loading, ready, unavailable, unloading, standby };

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
  std::string reason;  // why it is unavailable, or in standby cannot come back, as a sentence
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<ModelMetrics> metrics;
  std::shared_ptr<Batcher> batcher = {};      // null: every call runs by itself
  std::shared_ptr<ResponseCache> cache = {};  // null: every call runs
  std::uint32_t max_model_len = 0;            // of a language model that was loaded once, in standby too; else 0
};

// Whether requests are answered: it is ready, or in standby and nothing kept it from coming back.
bool is_available(const ModelVersion& version);
// As the repository index prints it: LOADING, READY (whatever is available), UNAVAILABLE (unloaded or failed),
// UNLOADING.
std::string_view state_name(const ModelVersion& version);

struct Traffic;
struct ServedModel;
using ServedModelPtr = std::shared_ptr<const ServedModel>;

// One revision of a service, as it answers. What the registry holds under a name is the revision that the service's
// traffic goes to unless `traffic` says more.
struct ServedModel {
  std::string name;            // what clients call it
  std::string namespace_name;  // Kubernetes namespace of its InferenceService
  std::string service_name;    // metadata.name; differs from `name` when --model_name says so
  // Further names clients may call it by (vLLM's --served-model-name with several); a model's own name comes first.
  std::vector<std::string> aliases;
  bool generates = false;  // declared as a language model; known before its engine is there
  Dialect dialect = Dialect::kserve;
  bool unloaded = false;       // unloaded on request: KServe and MLServer then answer as if it were not there
  std::shared_ptr<Gate> gate;  // what requests pass on their way to the engines; null: nothing stands before them
  std::vector<ModelVersion> versions;      // ascending; the last one answers when none is asked for
  std::string revision;                    // "iris-predictor-00002"; "" for a model that is not counted in revisions
  std::shared_ptr<RevisionCounts> counts;  // of this revision, however often it is published; may be null
  std::shared_ptr<const Traffic> traffic;  // null: every request is this revision's own

  ServedModelPtr shadow;     // gets copies of this revision's requests; null: none
  int shadow_percent = 100;  // of them

  std::shared_ptr<PayloadLogger> logger;     // null: nobody is told of requests and answers
  std::shared_ptr<Transformer> transformer;  // null: calls go straight to the model

  const ModelVersion* latest() const { return versions.empty() ? nullptr : &versions.back(); }
  const ModelVersion* version(std::string_view wanted) const;
  bool answers_to(std::string_view wanted) const;  // its name or one of its aliases
};

// A part of a service's traffic. serving/router.h says whose a request is.
struct TrafficShare {
  ServedModelPtr revision;  // has no traffic of its own
  int percent = 0;          // 0: only by its tag
  std::string tag;          // "latest" of the Host latest-iris-default.example.com; "" = none
};

struct Traffic {
  std::vector<TrafficShare> shares;  // newest first; the percents come to 100
};

// Names to models. A copy shares everything with its original but what is changed after, so that a snapshot of a
// thousand models costs a few microseconds more than a snapshot of ten.
class NameIndex {
 public:
  using Models = std::vector<ServedModelPtr>;
  const Models* find(std::string_view name) const;  // null: nobody has it
  void add(const std::string& name, const ServedModelPtr& model);
  void remove(const std::string& name, const ServedModel* model);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Shard = std::unordered_map<std::string, Models, Hash, std::equal_to<>>;
  static constexpr std::size_t shard_count = 64;
  static std::size_t shard_of(std::string_view name) { return Hash{}(name) % shard_count; }

  std::array<std::shared_ptr<const Shard>, shard_count> shards_;
};

class RegistrySnapshot {
 public:
  // The model of that name: the only one, or the one in the namespace that `host` ("iris-default.example.com",
  // "iris.default.example.com", also those of its predictor, with a tag in front or not) points at, or the one in
  // "default". Null when there is none or it stays ambiguous. Aliases are looked at when no model has the name as its
  // own.
  const ServedModel* find(std::string_view name, std::string_view host = {}) const { return hold(name, host).get(); }
  // The same, alive without the snapshot: what a request keeps to its end, so that it keeps nobody else's model.
  const ServedModelPtr& hold(std::string_view name, std::string_view host = {}) const;
  // In name order.
  const std::vector<ServedModelPtr>& models() const { return models_; }
  // Every declared model that was not unloaded on purpose is ready or in standby.
  bool all_ready() const;

 private:
  friend class Registry;
  void insert(ServedModelPtr model);  // in the place of the one with its name and namespace
  bool erase(std::string_view name, std::string_view namespace_name, std::string_view service_name = {});

  std::vector<ServedModelPtr> models_;  // sorted by (name, namespace)
  NameIndex by_name_;
  NameIndex by_alias_;
};

class Registry {
 public:
  Registry();
  std::shared_ptr<const RegistrySnapshot> snapshot() const;
  // Adds or replaces the model with the same name and namespace.
  void put(ServedModel model);
  // Removes it; false when it was not there, or is another service's by now (when `service_name` is given).
  bool remove(std::string_view name, std::string_view namespace_name, std::string_view service_name = {});

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const RegistrySnapshot> snapshot_;
};

}  // namespace jackdaw::serving
