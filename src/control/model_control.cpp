#include "jackdaw/control/model_control.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/serving/worker_pool.h"
#include "src/control/model_versions.h"

namespace jackdaw::control {
namespace {

using serving::ModelState;
using serving::ModelVersion;
using serving::ServedModel;

class Control final : public ModelControl {
 public:
  Control(engine::EngineFactory& factory, serving::Registry& registry, MetricsRegistry& metrics)
      : factory_(factory), registry_(registry), metrics_(metrics), work_("work", 1, 4096) {}

  void declare(std::vector<DeclaredModel> models, std::function<void()> all_done) override {
    const auto left = std::make_shared<std::atomic<std::size_t>>(models.size() + 1);
    const auto one_done = [left, all_done = std::move(all_done)] {
      if (left->fetch_sub(1) == 1 && all_done) all_done();
    };
    for (DeclaredModel& model : models) put(std::move(model), [one_done](const Result<void>&) { one_done(); });
    one_done();
  }

  void put(DeclaredModel model, std::function<void(Result<void>)> done) override {
    const auto snapshot = registry_.snapshot();
    if (find_exact(*snapshot, model) == nullptr) registry_.put(pending(model));
    if (!work_.post([this, model = std::move(model), done] { done(put_now(model)); })) done(too_many());
  }

  void remove(std::string namespace_name, std::string service_name, std::function<void()> done) override {
    const auto work = [this, namespace_name, service_name, done] {
      if (forget(namespace_name, service_name))
        log_info("service removed", {{"namespace", namespace_name}, {"service", service_name}});
      remove_served(namespace_name, service_name, "");
      if (done) done();
    };
    // It takes no time, and a service that was deleted must not stay: done here when the queue is full.
    if (!work_.post(work)) work();
  }

  void load(std::string name, std::function<void(Result<void>)> done) override {
    on_work(std::move(name), std::move(done), [this](const DeclaredModel& model) { return load_now(model); });
  }

  void unload(std::string name, std::function<void(Result<void>)> done) override {
    on_work(std::move(name), std::move(done), [this](const DeclaredModel& model) { return unload_now(model); });
  }

 private:
  template <typename Action>
  void on_work(std::string name, std::function<void(Result<void>)> done, Action action) {
    auto work = [this, name, done, action] {
      const DeclaredModel* model = nullptr;
      DeclaredModel copy;
      {
        const std::lock_guard lock(mutex_);
        const auto at = std::find_if(declared_.begin(), declared_.end(), [&](const auto& m) { return m.name == name; });
        if (at != declared_.end()) model = &(copy = *at);
      }
      done(model == nullptr ? Result<void>(make_error(Code::not_found, "Model with name {} does not exist.", name))
                            : action(*model));
    };
    if (!work_.post(std::move(work))) done(too_many());
  }

  static Error too_many() {
    return make_error(Code::resource_exhausted, "too many model loads are waiting; try again later");
  }

  // Takes the service's declaration out of the list; false when there was none.
  bool forget(const std::string& namespace_name, const std::string& service_name) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(declared_, [&](const DeclaredModel& m) {
             return m.namespace_name == namespace_name && m.service_name == service_name;
           }) > 0;
  }

  Result<void> put_now(const DeclaredModel& model) {
    forget(model.namespace_name, model.service_name);
    {
      const std::lock_guard lock(mutex_);
      declared_.push_back(model);
    }
    if (model.stopped) {
      registry_.put(pending(model));
    } else {
      JACKDAW_TRY(load_now(model));
    }
    remove_served(model.namespace_name, model.service_name, model.name);
    return {};
  }

  // Whatever the service serves under other names than `keep`.
  void remove_served(const std::string& namespace_name, const std::string& service_name, const std::string& keep) {
    const auto snapshot = registry_.snapshot();
    for (const auto& served : snapshot->models()) {
      const bool its = served->namespace_name == namespace_name && served->service_name == service_name;
      if (its && served->name != keep) registry_.remove(served->name, namespace_name);
    }
  }

  static ServedModel pending(const DeclaredModel& declared) {
    ServedModel served;
    served.name = declared.name;
    served.namespace_name = declared.namespace_name;
    served.service_name = declared.service_name;
    served.dialect = declared.dialect;
    served.aliases = declared.aliases;
    served.generates = declared.generates;
    served.logger = declared.logger;
    served.unloaded = declared.stopped;
    served.versions.push_back({.version = "1",
                               .state = declared.stopped ? ModelState::unavailable : ModelState::loading,
                               .reason = declared.stopped ? "stopped" : ""});
    return served;
  }

  ModelVersion load_version(const DeclaredModel& declared, const VersionPath& row) {
    engine::EngineSpec spec = declared.engine;
    spec.path = row.path;
    ModelVersion version;
    version.version = row.version;
    auto loaded = factory_.load(spec);
    if (!loaded) return failed(declared, std::move(version), loaded.error());
    version.state = ModelState::ready;
    version.engine = std::move(*loaded);
    version.metrics = std::make_shared<serving::ModelMetrics>(metrics_, declared.name, row.version);
    if (!declared.prepare) return version;
    if (const auto prepared = declared.prepare(version); !prepared) {
      return failed(declared, {.version = row.version}, prepared.error());
    }
    return version;
  }

  static ModelVersion failed(const DeclaredModel& declared, ModelVersion version, const Error& error) {
    version.state = ModelState::unavailable;
    version.reason = error.text();
    log_error("model failed to load", {{"model", declared.name},
                                       {"version", version.version},
                                       {"declared_at", declared.place},
                                       {"reason", version.reason}});
    return version;
  }

  // Loads every version, then swaps the model in at once: requests see the old one until then.
  Result<void> load_now(const DeclaredModel& declared) {
    const auto begin = std::chrono::steady_clock::now();
    ServedModel served = pending(declared);
    served.unloaded = false;
    served.versions.clear();
    const auto path = declared.resolve();
    if (path) {
      for (const VersionPath& row : model_versions(*path)) served.versions.push_back(load_version(declared, row));
    } else {
      served.versions.push_back(failed(declared, {.version = "1"}, path.error()));
    }
    const bool ready = served.latest()->state == ModelState::ready;
    const std::string reason = served.latest()->reason;
    if (!ready && keeps_old(declared)) return make_error(Code::not_ready, "{}", reason);
    registry_.put(std::move(served));
    if (!ready) return make_error(Code::not_ready, "{}", reason);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    log_info("model ready", {{"model", declared.name},
                             {"format", declared.engine.model_format},
                             {"path", *path},
                             {"load_ms", took.count()}});
    return {};
  }

  // A model that answers already is not taken away by a failed reload.
  bool keeps_old(const DeclaredModel& declared) const {
    const auto snapshot = registry_.snapshot();
    const ServedModel* current = find_exact(*snapshot, declared);
    return current != nullptr && !current->unloaded && current->latest() != nullptr &&
           current->latest()->state == ModelState::ready;
  }

  Result<void> unload_now(const DeclaredModel& declared) {
    const auto snapshot = registry_.snapshot();
    const ServedModel* current = find_exact(*snapshot, declared);
    if (current == nullptr || current->unloaded) {
      return make_error(Code::not_found, "Model with name {} does not exist.", declared.name);
    }
    ServedModel served = pending(declared);
    served.unloaded = true;  // until someone loads it again
    served.versions.front().state = ModelState::unavailable;
    served.versions.front().reason = "unloaded";
    registry_.put(std::move(served));
    log_info("model unloaded", {{"model", declared.name}});
    return {};
  }

  static const ServedModel* find_exact(const serving::RegistrySnapshot& snapshot, const DeclaredModel& declared) {
    for (const auto& model : snapshot.models()) {
      if (model->name == declared.name && model->namespace_name == declared.namespace_name) return model.get();
    }
    return nullptr;
  }

  engine::EngineFactory& factory_;
  serving::Registry& registry_;
  MetricsRegistry& metrics_;
  mutable std::mutex mutex_;
  std::vector<DeclaredModel> declared_;
  serving::WorkerPool work_;  // last: its thread uses everything above
};

}  // namespace

std::unique_ptr<ModelControl> make_model_control(engine::EngineFactory& factory, serving::Registry& registry,
                                                 MetricsRegistry& metrics) {
  return std::make_unique<Control>(factory, registry, metrics);
}

}  // namespace jackdaw::control
