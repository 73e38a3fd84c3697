// ModelControl: brings declared models to served ones, and to as many replicas of them as the scaler says. Loads on
// work threads of its own, publishes into the registry, and opens and closes the models' gates.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/autoscale/kpa.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/spec/rollout_settings.h"

namespace jackdaw::control {

// How many replicas a service has, and what each takes.
struct ModelScaling {
  ModelScaling() { kpa.min_scale = 1; }  // KServe's minReplicas
  autoscale::KpaSettings kpa;
  serving::GateLimits gate;
  std::int64_t initial_scale = 1;  // 0: loaded by the first request
  bool fixed = false;              // the number of replicas is no autoscaler's
};

// One model the configuration asks for, with everything resolved: where it is, who serves it, how it answers.
struct DeclaredModel {
  std::string name;
  std::string namespace_name = "default";
  std::string service_name;
  std::vector<std::string> aliases;  // further names that clients may use
  bool generates = false;            // a language model
  serving::Dialect dialect = serving::Dialect::kserve;
  engine::EngineSpec engine;  // `path` is filled in by `resolve` at every load
  // Where the model is now: a file or a directory, in which versions are found. Blocking; work thread.
  std::function<Result<std::string>()> resolve;
  ModelScaling scaling;
  // Called with every version that has loaded, before it counts as ready: warms it up and sets what stands before its
  // engine (batcher, response cache). Blocking; work thread. An error means that the version is not ready. May be
  // empty.
  std::function<Result<void>(serving::ModelVersion& version)> prepare;
  std::shared_ptr<serving::PayloadLogger> logger;     // null: none
  std::shared_ptr<serving::Transformer> transformer;  // null: none
  bool stopped = false;                               // declared, but not loaded until someone asks
  std::string place;                                  // "service.yaml:12:5", for messages
  std::string revision;                               // "iris-predictor-00002"; "" where revisions are not counted
  std::string runtime;            // KServe's name of what serves it: "kserve-sklearnserver"; "" = none
  spec::RolloutSettings rollout;  // how a change of it comes into effect
  bool only_if_loaded = false;    // load_revision: one that is not there (any more) is left alone
};

// A part of a service's traffic.
struct TrafficPart {
  std::string revision;
  int percent = 0;
  std::string tag;  // of the Host that asks for it; "" = none

  friend bool operator==(const TrafficPart&, const TrafficPart&) = default;
};

// Who of a service's revisions answers.
struct ServiceTraffic {
  std::vector<TrafficPart> shares;  // newest first, all loaded, 100 together; none: nobody answers
  std::vector<std::string> kept;    // that stay, loaded or being loaded; those with a share do in any case
  std::string shadow;               // gets copies of requests; "" = none
  int shadow_percent = 100;

  friend bool operator==(const ServiceTraffic&, const ServiceTraffic&) = default;
};

// What all loaded models may take together. Those in use longest ago go into standby when another needs the room.
struct MemoryLimits {
  std::uint64_t bytes = 0;     // 0 = no limit
  std::size_t models_max = 0;  // loaded at once; 0 = no limit
};

// A model whose replicas are counted.
struct ScaledModel {
  std::string key;  // namespace/service/revision
  std::string namespace_name, service_name, revision;
  std::shared_ptr<serving::Gate> gate;
  ModelScaling scaling;
  bool generates = false;
};

// Thread-safe. The factory and the registry must outlive it.
class ModelControl {
 public:
  virtual ~ModelControl() = default;
  // Declares the models (state LOADING) and loads each on the work thread. `all_done` runs on a work thread when
  // every one of them is ready or has failed; failures are logged with their place and kept as the model's reason.
  virtual void declare(std::vector<DeclaredModel> models, std::function<void()> all_done) = 0;
  // Adds a service's model, or replaces it: the new one is loaded and swapped in at once, requests see the old one
  // until then; a load that fails leaves the old one where it is. A stopped model is unloaded. `done` runs on the work
  // thread.
  virtual void put(DeclaredModel model, std::function<void(Result<void>)> done) = 0;
  // Loads the revision `model.revision` beside what its service serves already, and publishes nothing. One that is
  // loaded already is not loaded again: what else the declaration says of it is taken over. `done` runs on the work
  // thread.
  virtual void load_revision(DeclaredModel model, std::function<void(Result<void>)> done) = 0;
  // Shares a service's traffic, at once: it waits for no load. Revisions that `traffic` does not name are let go of;
  // their engines end with the last request that has them. Revisions it names and that are not loaded are left out.
  virtual void serve(const std::string& namespace_name, const std::string& service_name, ServiceTraffic traffic) = 0;
  // How a loaded revision has answered; null when it is not loaded.
  virtual std::shared_ptr<const serving::RevisionCounts> counts(const std::string& namespace_name,
                                                                const std::string& service_name,
                                                                const std::string& revision) const = 0;
  // Takes a service's model away, at once and before `done` is called here: what is declared under its name from then
  // on is another service. Requests that have the model keep it to their end; loads that are under way end in
  // not_found.
  virtual void remove(std::string namespace_name, std::string service_name, std::function<void()> done) = 0;
  // Repository API, of a service whom its caller has found by a model's name. `done` is called on the work thread.
  // not_found when no such service was declared; otherwise what the load said. Unloading keeps the declaration, so that
  // the model can be loaded again.
  virtual void load(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) = 0;
  virtual void unload(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) = 0;

  // Every declared model, for the scaler; the same object until one was put or removed.
  virtual std::shared_ptr<const std::vector<ScaledModel>> scaled() const = 0;
  // Brings a model that answers to so many replicas. 0 unloads it when no request is there: it stays declared and
  // available, in standby, and the next request loads it again. A model in standby stays as it is, since only a request
  // wakes it. A negative number changes nothing. `done` runs on a work thread, after what was asked for before, with
  // the number there is now.
  virtual void scale(std::string key, std::int64_t replicas, std::function<void(std::int64_t)> done) = 0;
};

std::unique_ptr<ModelControl> make_model_control(engine::EngineFactory& factory, serving::Registry& registry,
                                                 MetricsRegistry& metrics, Clock& clock = system_clock(),
                                                 const MemoryLimits& limits = {});

}  // namespace jackdaw::control
