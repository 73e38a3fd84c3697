#include "jackdaw/serving/registry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "jackdaw/serving/router.h"

namespace jackdaw::serving {
namespace {

constexpr std::array<std::string_view, 1> kserve_labels{"model_name"};
constexpr std::array<std::string_view, 2> triton_labels{"model", "version"};

// prometheus_client adds "_seconds" names as they stand; these are KServe's four.
Histogram& kserve_histogram(MetricsRegistry& registry, std::string_view name, std::string_view help,
                            std::string_view model) {
  const std::array<std::string_view, 1> values{model};
  return registry.histogram(name, help, default_latency_buckets(), kserve_labels, values);
}

Counter& triton_counter(MetricsRegistry& registry, std::string_view name, std::string_view help, std::string_view model,
                        std::string_view version) {
  const std::array<std::string_view, 2> values{model, version};
  return registry.counter(name, help, triton_labels, values);
}

}  // namespace

bool is_available(const ModelVersion& version) {
  return version.state == ModelState::ready || (version.state == ModelState::standby && version.reason.empty());
}

std::string_view state_name(const ModelVersion& version) {
  switch (version.state) {
    case ModelState::loading:
      return "LOADING";
    case ModelState::unloading:
      return "UNLOADING";
    case ModelState::ready:
    case ModelState::standby:
    case ModelState::unavailable:
      break;
  }
  return is_available(version) ? "READY" : "UNAVAILABLE";
}

ModelMetrics::ModelMetrics(MetricsRegistry& r, std::string_view model, std::string_view version)
    : preprocess_seconds(kserve_histogram(r, "request_preprocess_seconds", "pre-process request latency", model)),
      predict_seconds(kserve_histogram(r, "request_predict_seconds", "predict request latency", model)),
      postprocess_seconds(kserve_histogram(r, "request_postprocess_seconds", "post-process request latency", model)),
      explain_seconds(kserve_histogram(r, "request_explain_seconds", "explain request latency", model)),
      request_success(triton_counter(r, "nv_inference_request_success",
                                     "Number of successful inference requests, all batch sizes", model, version)),
      request_failure(triton_counter(r, "nv_inference_request_failure",
                                     "Number of failed inference requests, all batch sizes", model, version)),
      inference_count(triton_counter(r, "nv_inference_count",
                                     "Number of inferences performed (does not include cached requests)", model,
                                     version)),
      exec_count(triton_counter(r, "nv_inference_exec_count",
                                "Number of model executions performed (does not include cached requests)", model,
                                version)),
      request_duration_us(triton_counter(
          r, "nv_inference_request_duration_us",
          "Cumulative inference request duration in microseconds (includes cached requests)", model, version)),
      queue_duration_us(triton_counter(
          r, "nv_inference_queue_duration_us",
          "Cumulative inference queuing duration in microseconds (includes cached requests)", model, version)),
      compute_input_duration_us(triton_counter(
          r, "nv_inference_compute_input_duration_us",
          "Cumulative compute input duration in microseconds (does not include cached requests)", model, version)),
      compute_infer_duration_us(triton_counter(
          r, "nv_inference_compute_infer_duration_us",
          "Cumulative compute inference duration in microseconds (does not include cached requests)", model, version)),
      compute_output_duration_us(triton_counter(
          r, "nv_inference_compute_output_duration_us",
          "Cumulative inference compute output duration in microseconds (does not include cached requests)", model,
          version)),
      pending_requests(r.gauge("nv_inference_pending_request_count",
                               "Instantaneous number of pending requests awaiting execution per-model.", triton_labels,
                               std::array<std::string_view, 2>{model, version})) {}

const ModelVersion* ServedModel::version(std::string_view wanted) const {
  const auto at = std::find_if(versions.begin(), versions.end(), [&](const auto& v) { return v.version == wanted; });
  return at == versions.end() ? nullptr : &*at;
}

bool ServedModel::answers_to(std::string_view wanted) const {
  return name == wanted || std::find(aliases.begin(), aliases.end(), wanted) != aliases.end();
}

const NameIndex::Models* NameIndex::find(std::string_view name) const {
  const auto& shard = shards_[shard_of(name)];
  if (shard == nullptr) return nullptr;
  const auto found = shard->find(name);
  return found == shard->end() ? nullptr : &found->second;
}

void NameIndex::add(const std::string& name, const ServedModelPtr& model) {
  auto& shard = shards_[shard_of(name)];
  auto next = shard == nullptr ? std::make_shared<Shard>() : std::make_shared<Shard>(*shard);
  Models& models = (*next)[name];
  if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
  shard = std::move(next);
}

void NameIndex::remove(const std::string& name, const ServedModel* model) {
  auto& shard = shards_[shard_of(name)];
  if (shard == nullptr) return;
  auto next = std::make_shared<Shard>(*shard);
  const auto found = next->find(name);
  if (found == next->end()) return;
  std::erase_if(found->second, [model](const ServedModelPtr& one) { return one.get() == model; });
  if (found->second.empty()) next->erase(found);
  shard = std::move(next);
}

const ServedModelPtr& RegistrySnapshot::hold(std::string_view name, std::string_view host) const {
  static const ServedModelPtr none;
  const NameIndex::Models* candidates = by_name_.find(name);
  if (candidates == nullptr) candidates = by_alias_.find(name);
  if (candidates == nullptr) return none;
  if (candidates->size() == 1) return candidates->front();
  const auto meant = std::find_if(candidates->begin(), candidates->end(),
                                  [host](const ServedModelPtr& model) { return host_means(*model, host); });
  if (meant != candidates->end()) return *meant;
  const auto in_default = std::find_if(candidates->begin(), candidates->end(),
                                       [](const ServedModelPtr& m) { return m->namespace_name == "default"; });
  return in_default == candidates->end() ? none : *in_default;
}

bool RegistrySnapshot::all_ready() const {
  return std::all_of(models_.begin(), models_.end(), [](const auto& model) {
    const ModelVersion* latest = model->latest();
    return model->unloaded || (latest != nullptr && is_available(*latest));
  });
}

Registry::Registry() : snapshot_(std::make_shared<RegistrySnapshot>()) {}

std::shared_ptr<const RegistrySnapshot> Registry::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

namespace {

// Where (name, namespace) is or would be.
auto place_of(std::vector<ServedModelPtr>& models, std::string_view name, std::string_view namespace_name) {
  return std::lower_bound(models.begin(), models.end(), std::pair(name, namespace_name),
                          [](const ServedModelPtr& model, const std::pair<std::string_view, std::string_view>& key) {
                            return std::pair<std::string_view, std::string_view>(model->name, model->namespace_name) <
                                   key;
                          });
}

bool is(const ServedModel& model, std::string_view name, std::string_view namespace_name) {
  return model.name == name && model.namespace_name == namespace_name;
}

}  // namespace

void RegistrySnapshot::insert(ServedModelPtr model) {
  erase(model->name, model->namespace_name);
  by_name_.add(model->name, model);
  for (const std::string& alias : model->aliases) by_alias_.add(alias, model);
  const auto at = place_of(models_, model->name, model->namespace_name);
  models_.insert(at, std::move(model));
}

bool RegistrySnapshot::erase(std::string_view name, std::string_view namespace_name, std::string_view service_name) {
  const auto at = place_of(models_, name, namespace_name);
  if (at == models_.end() || !is(**at, name, namespace_name)) return false;
  const ServedModelPtr old = *at;
  if (!service_name.empty() && old->service_name != service_name) return false;
  by_name_.remove(old->name, old.get());
  for (const std::string& alias : old->aliases) by_alias_.remove(alias, old.get());
  models_.erase(at);
  return true;
}

// A snapshot that nobody holds any more may be the last to hold an engine; it goes after the lock.
void Registry::put(ServedModel model) {
  auto added = std::make_shared<const ServedModel>(std::move(model));
  std::shared_ptr<const RegistrySnapshot> old;
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  next->insert(std::move(added));
  old = std::exchange(snapshot_, std::move(next));
}

bool Registry::remove(std::string_view name, std::string_view namespace_name, std::string_view service_name) {
  std::shared_ptr<const RegistrySnapshot> old;
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
  if (!next->erase(name, namespace_name, service_name)) return false;
  old = std::exchange(snapshot_, std::move(next));
  return true;
}

}  // namespace jackdaw::serving
