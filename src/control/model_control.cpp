#include "jackdaw/control/model_control.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/serving/worker_pool.h"
#include "src/control/fronts.h"
#include "src/control/model_versions.h"

namespace jackdaw::control {
namespace {

using serving::ModelState;
using serving::ModelVersion;
using serving::ServedModel;

Error too_many() {
  return make_error(Code::resource_exhausted, "too many model loads are waiting; try again later");
}

Error unknown(const std::string& name) {
  return make_error(Code::not_found, "Model with name {} does not exist.", name);
}

bool same_service(const DeclaredModel& a, const DeclaredModel& b) {
  return a.namespace_name == b.namespace_name && a.service_name == b.service_name;
}

bool same_revision(const DeclaredModel& a, const DeclaredModel& b) {
  return same_service(a, b) && a.revision == b.revision;
}

// A model without engines, and why: it is being loaded, was stopped, or unloaded.
ServedModel pending(const DeclaredModel& declared) {
  ServedModel served;
  served.name = declared.name;
  served.namespace_name = declared.namespace_name;
  served.service_name = declared.service_name;
  served.revision = declared.revision;
  served.dialect = declared.dialect;
  served.aliases = declared.aliases;
  served.generates = declared.generates;
  served.logger = declared.logger;
  served.unloaded = declared.stopped;
  served.versions.push_back({.version = "1",
                             .state = declared.stopped ? ModelState::unavailable : ModelState::loading,
                             .reason = declared.stopped ? "stopped" : "",
                             .engine = {},
                             .metrics = {}});
  return served;
}

bool is_ready(const ServedModel* model) {
  return model != nullptr && !model->unloaded && model->latest()->state == ModelState::ready;
}

class Control final : public ModelControl {
 public:
  Control(engine::EngineFactory& factory, serving::Registry& registry, MetricsRegistry& metrics)
      : factory_(factory),
        metrics_(metrics),
        fronts_(registry),
        release_(std::make_shared<serving::WorkerPool>("release", 1, 4096)),
        work_("work", 1, 4096) {}

  void declare(std::vector<DeclaredModel> models, std::function<void()> all_done) override {
    const auto left = std::make_shared<std::atomic<std::size_t>>(models.size() + 1);
    const auto one_done = [left, all_done = std::move(all_done)] {
      if (left->fetch_sub(1) == 1 && all_done) all_done();
    };
    for (DeclaredModel& model : models) put(std::move(model), [one_done](const Result<void>&) { one_done(); });
    one_done();
  }

  void put(DeclaredModel model, std::function<void(Result<void>)> done) override {
    announce(model);
    if (!work_.post([this, model = std::move(model), done] { done(put_now(model)); })) done(too_many());
  }

  void load_revision(DeclaredModel model, std::function<void(Result<void>)> done) override {
    announce(model);
    const auto work = [this, model = std::move(model), done] {
      done(is_ready(current(model).get()) ? take_over(model) : load_now(model));
    };
    if (!work_.post(work)) done(too_many());
  }

  void serve(const std::string& namespace_name, const std::string& service_name, ServiceTraffic traffic) override {
    const auto named = [&](const std::string& revision) {
      const auto has_share = [&](const TrafficPart& part) { return part.revision == revision; };
      return revision == traffic.shadow ||
             std::find(traffic.kept.begin(), traffic.kept.end(), revision) != traffic.kept.end() ||
             std::any_of(traffic.shares.begin(), traffic.shares.end(), has_share);
    };
    std::vector<DeclaredModel> gone;
    for (DeclaredModel& model : declared_of(namespace_name, service_name)) {
      if (!named(model.revision)) gone.push_back(std::move(model));
    }
    fronts_.share(namespace_name, service_name, std::move(traffic));
    for (const DeclaredModel& model : gone) let_go(model);
  }

  std::shared_ptr<const serving::RevisionCounts> counts(const std::string& namespace_name,
                                                        const std::string& service_name,
                                                        const std::string& revision) const override {
    const auto model = fronts_.find(namespace_name, service_name, revision);
    return model == nullptr ? nullptr : model->counts;
  }

  void remove(std::string namespace_name, std::string service_name, std::function<void()> done) override {
    const auto work = [this, namespace_name, service_name, done] {
      if (forget_service(namespace_name, service_name))
        log_info("service removed", {{"namespace", namespace_name}, {"service", service_name}});
      fronts_.remove(namespace_name, service_name);
      if (done) done();
    };
    // It takes no time, and a service that was deleted must not stay: done here when the queue is full.
    if (!work_.post(work)) work();
  }

  void load(std::string name, std::function<void(Result<void>)> done) override {
    on_work(std::move(name), std::move(done),
            [this](const std::string&, const std::vector<DeclaredModel>& models) { return reload_now(models); });
  }

  void unload(std::string name, std::function<void(Result<void>)> done) override {
    on_work(std::move(name), std::move(done),
            [this](const std::string& asked, const std::vector<DeclaredModel>& models) {
              return unload_now(asked, models);
            });
  }

 private:
  template <typename Action>
  void on_work(std::string name, std::function<void(Result<void>)> done, Action action) {
    auto work = [this, name, done, action] {
      const std::vector<DeclaredModel> models = revisions_named(name);
      done(models.empty() ? Result<void>(unknown(name)) : action(name, models));
    };
    if (!work_.post(std::move(work))) done(too_many());
  }

  std::vector<DeclaredModel> declared_of(const std::string& namespace_name, const std::string& service_name) const {
    const std::lock_guard lock(mutex_);
    std::vector<DeclaredModel> out;
    for (const DeclaredModel& model : declared_) {
      if (model.namespace_name == namespace_name && model.service_name == service_name) out.push_back(model);
    }
    return out;
  }

  // All revisions of the first service of which one has the name.
  std::vector<DeclaredModel> revisions_named(const std::string& name) const {
    DeclaredModel first;
    {
      const std::lock_guard lock(mutex_);
      const auto at = std::find_if(declared_.begin(), declared_.end(), [&](const auto& m) { return m.name == name; });
      if (at == declared_.end()) return {};
      first = *at;
    }
    return declared_of(first.namespace_name, first.service_name);
  }

  // Takes the service's declarations out of the list; false when there was none.
  bool forget_service(const std::string& namespace_name, const std::string& service_name) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(declared_, [&](const DeclaredModel& m) {
             return m.namespace_name == namespace_name && m.service_name == service_name;
           }) > 0;
  }

  void remember(const DeclaredModel& model) {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(declared_.begin(), declared_.end(), [&](const auto& m) { return same_revision(m, model); });
    if (at != declared_.end()) {
      *at = model;
    } else {
      declared_.push_back(model);
    }
  }

  bool is_declared(const DeclaredModel& model) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(declared_.begin(), declared_.end(), [&](const auto& m) { return same_revision(m, model); });
  }

  void let_go(const DeclaredModel& model) {
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(declared_, [&](const DeclaredModel& m) { return same_revision(m, model); });
    }
    fronts_.remove(model.namespace_name, model.service_name, model.revision);
    log_info("revision let go", {{"service", model.service_name}, {"revision", model.revision}});
  }

  serving::ServedModelPtr current(const DeclaredModel& model) const {
    return fronts_.find(model.namespace_name, model.service_name, model.revision);
  }

  // The revision is known from here on; what its service serves already stays.
  void announce(const DeclaredModel& model) {
    if (current(model) == nullptr) fronts_.put(pending(model));
    remember(model);
  }

  // The revision is loaded: only what is said about it has changed, and what stands before its engines.
  Result<void> take_over(const DeclaredModel& model) {
    const auto served = current(model);
    std::vector<ModelVersion> versions = served->versions;
    for (ModelVersion& version : versions) {
      version.batcher.reset();
      version.cache.reset();
      if (version.state == ModelState::ready && model.prepare) JACKDAW_TRY(model.prepare(version));
    }
    if (!is_declared(model)) return make_error(Code::not_found, "It was removed while it was prepared.");
    fronts_.put(dressed(model, std::move(versions), served->counts));
    return {};
  }

  static ServedModel dressed(const DeclaredModel& declared, std::vector<ModelVersion> versions,
                             std::shared_ptr<serving::RevisionCounts> counts) {
    ServedModel served = pending(declared);
    served.unloaded = false;
    served.versions = std::move(versions);
    served.counts = counts != nullptr ? std::move(counts) : std::make_shared<serving::RevisionCounts>();
    return served;
  }

  Result<void> put_now(const DeclaredModel& model) {
    remember(model);
    if (!model.stopped) return load_now(model);
    // Nobody answers from here on, until somebody loads it.
    for (const DeclaredModel& other : declared_of(model.namespace_name, model.service_name)) {
      if (!same_revision(other, model)) let_go(other);
    }
    fronts_.put(pending(model));
    return {};
  }

  // Engines are large: what ends them is a thread that may take its time, never the io thread with the last request.
  std::shared_ptr<engine::Engine> released_apart(std::shared_ptr<engine::Engine> engine) {
    engine::Engine* const raw = engine.get();
    return {raw, [held = std::move(engine), release = release_](engine::Engine*) mutable {
              if (!release->post([held = std::move(held)] {}))
                log_warning("an engine is ended by the thread that used it last");
            }};
  }

  // Whatever was let go of before, and is used by nobody, is gone.
  void await_released() {
    const auto done = std::make_shared<std::promise<void>>();
    if (release_->post([done] { done->set_value(); })) (void)done->get_future().wait_for(std::chrono::seconds(30));
  }

  ModelVersion load_version(const DeclaredModel& declared, const VersionPath& row) {
    engine::EngineSpec spec = declared.engine;
    spec.path = row.path;
    ModelVersion version;
    version.version = row.version;
    auto loaded = factory_.load(spec);
    if (!loaded) return failed(declared, std::move(version), with_advice(declared, loaded.error()));
    version.state = ModelState::ready;
    version.engine = released_apart(std::move(*loaded));
    version.metrics = std::make_shared<serving::ModelMetrics>(metrics_, declared.name, row.version);
    if (!declared.prepare) return version;
    if (const auto prepared = declared.prepare(version); !prepared) {
      return failed(declared, {.version = row.version}, prepared.error());
    }
    return version;
  }

  // Two revisions at once may be more than there is room for.
  Error with_advice(const DeclaredModel& declared, Error error) const {
    if (error.code != Code::resource_exhausted && error.code != Code::too_large) return error;
    for (const DeclaredModel& other : declared_of(declared.namespace_name, declared.service_name)) {
      if (same_revision(other, declared) || !is_ready(current(other).get())) continue;
      error.message += " The revision " + other.revision +
                       " is in memory too; deploymentStrategy.type: Recreate lets it go before the new one is loaded.";
      break;
    }
    return error;
  }

  static ModelVersion failed(const DeclaredModel& declared, ModelVersion version, const Error& error) {
    version.state = ModelState::unavailable;
    version.reason = error.text();
    log_error("model failed to load", {{"model", declared.name},
                                       {"revision", declared.revision},
                                       {"version", version.version},
                                       {"declared_at", declared.place},
                                       {"reason", version.reason}});
    return version;
  }

  // Loads every version, then puts the revision in its place at once: requests see the old one until then.
  Result<void> load_now(const DeclaredModel& declared) {
    const auto begin = std::chrono::steady_clock::now();
    await_released();
    std::vector<ModelVersion> versions;
    const auto path = declared.resolve();
    if (path) {
      for (const VersionPath& row : model_versions(*path)) versions.push_back(load_version(declared, row));
    } else {
      ModelVersion version;
      version.version = "1";
      versions.push_back(failed(declared, std::move(version), path.error()));
    }
    const bool ready = versions.back().state == ModelState::ready;
    const std::string reason = versions.back().reason;
    if (!is_declared(declared)) return make_error(Code::not_found, "It was removed while it was loaded.");
    const auto old = current(declared);
    // A model that answers already is not taken away by a failed reload.
    if (!ready && is_ready(old.get())) return make_error(Code::not_ready, "{}", reason);
    fronts_.put(dressed(declared, std::move(versions), old == nullptr ? nullptr : old->counts));
    if (!ready) return make_error(Code::not_ready, "{}", reason);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    log_info("model ready", {{"model", declared.name},
                             {"revision", declared.revision},
                             {"format", declared.engine.model_format},
                             {"path", *path},
                             {"load_ms", took.count()}});
    return {};
  }

  Result<void> unload_now(const std::string& name, const std::vector<DeclaredModel>& models) {
    const auto unloaded = [this](const DeclaredModel& model) {
      const auto served = current(model);
      return served == nullptr || served->unloaded;
    };
    if (std::all_of(models.begin(), models.end(), unloaded)) return unknown(name);
    for (const DeclaredModel& model : models) {
      ServedModel served = pending(model);
      served.unloaded = true;  // until someone loads it again
      served.versions.front().state = ModelState::unavailable;
      served.versions.front().reason = "unloaded";
      fronts_.put(std::move(served));
    }
    log_info("model unloaded", {{"model", name}});
    return {};
  }

  // Everything is loaded anew from where it is; what fails stays as it was.
  Result<void> reload_now(const std::vector<DeclaredModel>& models) {
    for (const DeclaredModel& model : models) JACKDAW_TRY(load_now(model));
    return {};
  }

  engine::EngineFactory& factory_;
  MetricsRegistry& metrics_;
  Fronts fronts_;
  mutable std::mutex mutex_;
  std::vector<DeclaredModel> declared_;           // one for each revision
  std::shared_ptr<serving::WorkerPool> release_;  // engines hold it too: they may outlive this
  serving::WorkerPool work_;                      // last: its thread uses everything above
};

}  // namespace

std::unique_ptr<ModelControl> make_model_control(engine::EngineFactory& factory, serving::Registry& registry,
                                                 MetricsRegistry& metrics) {
  return std::make_unique<Control>(factory, registry, metrics);
}

}  // namespace jackdaw::control
