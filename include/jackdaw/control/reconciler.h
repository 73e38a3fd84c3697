// Reconciler: makes what the store declares run, and writes into each object's status how that goes.
//
// Has a thread of its own, "control": it takes events from the store one object at a time, hands models to
// ModelControl, and writes status. Models load on ModelControl's thread meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/control/event_log.h"
#include "jackdaw/control/model_control.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::control {

struct ReconcilerOptions {
  // What an object asks for: the composition root knows storage and the options of the engines. Errors are the
  // object's.
  std::function<Result<DeclaredModel>(const spec::Json& object)> translate;
  // Every object that was there at the start is settled: its model answers, has failed, or is stopped.
  std::function<void()> first_settled;
  std::string domain = "example.com";  // of status.url
  Clock* clock = nullptr;
  EventLog* events = nullptr;  // null: nobody wants to know
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;  // ends the thread; what ModelControl still does for it comes to nothing
  // Hands every object of the store to ModelControl, so that the registry knows all models when this returns. Once.
  virtual void begin() = 0;
  // Replicas may have come or gone, and transformers begun or ceased to answer; any thread, now and then. Statuses that
  // say otherwise are written anew.
  virtual void look_around() = 0;
  // Starts the thread, which follows the store from there. `address`: "http://127.0.0.1:8080", of status.address.
  virtual void start(std::string address) = 0;
};

// The store and the control must outlive it.
std::unique_ptr<Reconciler> make_reconciler(ResourceStore& store, ModelControl& models, ReconcilerOptions options);

}  // namespace jackdaw::control
