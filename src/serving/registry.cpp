#include "jackdaw/serving/registry.h"

#include <algorithm>
#include <array>
#include <utility>

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

std::string_view state_name(ModelState state) {
  static constexpr std::array<std::string_view, 4> names{"LOADING", "READY", "UNAVAILABLE", "UNLOADING"};
  return names[static_cast<std::size_t>(state)];
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

const ServedModel* RegistrySnapshot::find(std::string_view name, std::string_view host) const {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    found = by_alias_.find(name);
    if (found == by_alias_.end()) return nullptr;
  }
  const std::vector<const ServedModel*>& candidates = found->second;
  if (candidates.size() == 1) return candidates.front();
  for (const ServedModel* model : candidates) {
    for (const char separator : {'-', '.'}) {
      const std::string prefix = model->service_name + separator + model->namespace_name + '.';
      if (host.starts_with(prefix)) return model;
    }
  }
  const auto in_default = std::find_if(candidates.begin(), candidates.end(),
                                       [](const ServedModel* m) { return m->namespace_name == "default"; });
  return in_default == candidates.end() ? nullptr : *in_default;
}

bool RegistrySnapshot::all_ready() const {
  return std::all_of(models_.begin(), models_.end(), [](const auto& model) {
    const ModelVersion* latest = model->latest();
    return model->unloaded || (latest != nullptr && latest->state == ModelState::ready);
  });
}

Registry::Registry() : snapshot_(std::make_shared<RegistrySnapshot>()) {}

std::shared_ptr<const RegistrySnapshot> Registry::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void Registry::publish(std::vector<std::shared_ptr<const ServedModel>> models) {
  auto next = std::make_shared<RegistrySnapshot>();
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) {
    return std::pair(std::string_view(a->name), std::string_view(a->namespace_name)) <
           std::pair(std::string_view(b->name), std::string_view(b->namespace_name));
  });
  next->models_ = std::move(models);
  for (const auto& model : next->models_) {
    next->by_name_[model->name].push_back(model.get());
    for (const std::string& alias : model->aliases) {
      auto& models_of_alias = next->by_alias_[alias];
      if (models_of_alias.empty() || models_of_alias.back() != model.get()) models_of_alias.push_back(model.get());
    }
  }
  snapshot_ = std::move(next);
}

void Registry::put(ServedModel model) {
  const std::lock_guard lock(mutex_);
  auto models = snapshot_->models_;
  std::erase_if(models,
                [&](const auto& m) { return m->name == model.name && m->namespace_name == model.namespace_name; });
  models.push_back(std::make_shared<const ServedModel>(std::move(model)));
  publish(std::move(models));
}

bool Registry::remove(std::string_view name, std::string_view namespace_name) {
  const std::lock_guard lock(mutex_);
  auto models = snapshot_->models_;
  const auto removed =
      std::erase_if(models, [&](const auto& m) { return m->name == name && m->namespace_name == namespace_name; });
  if (removed > 0) publish(std::move(models));
  return removed > 0;
}

}  // namespace jackdaw::serving
