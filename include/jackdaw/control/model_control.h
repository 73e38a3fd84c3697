// ModelControl: brings declared models to served ones. Loads on its own work thread, publishes into the registry.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/spec/rollout_settings.h"

namespace jackdaw::control {

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
  // Called with every version that has loaded, before it counts as ready: warms it up and sets what stands before its
  // engine (batcher, response cache). Blocking; work thread. An error means that the version is not ready. May be
  // empty.
  std::function<Result<void>(serving::ModelVersion& version)> prepare;
  std::shared_ptr<serving::PayloadLogger> logger;  // null: none
  bool stopped = false;                            // declared, but not loaded until someone asks
  std::string place;                               // "service.yaml:12:5", for messages
  std::string revision;                            // "iris-predictor-00002"; "" where revisions are not counted
  spec::RolloutSettings rollout;                   // how a change of it comes into effect
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

// Thread-safe. The factory and the registry must outlive it.
class ModelControl {
 public:
  virtual ~ModelControl() = default;
  // Declares the models (state LOADING) and loads each on the work thread. `all_done` runs on the work thread when
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
  // Takes a service's model away; requests that have it keep it to their end. `done` runs on the work thread.
  virtual void remove(std::string namespace_name, std::string service_name, std::function<void()> done) = 0;
  // Repository API. `done` is called on the work thread. not_found when no such model was declared; otherwise what the
  // load said. Unloading keeps the declaration, so that the model can be loaded again.
  virtual void load(std::string name, std::function<void(Result<void>)> done) = 0;
  virtual void unload(std::string name, std::function<void(Result<void>)> done) = 0;
};

std::unique_ptr<ModelControl> make_model_control(engine::EngineFactory& factory, serving::Registry& registry,
                                                 MetricsRegistry& metrics);

}  // namespace jackdaw::control
