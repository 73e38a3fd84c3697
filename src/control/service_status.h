// The status of services as KServe writes it: conditions, addresses, revisions, modelStatus.
#pragma once

#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/spec/json.h"
#include "src/control/rollout.h"
#include "src/control/rollout_memory.h"

namespace jackdaw::control {

enum class ServicePhase : unsigned char { loading, ready, failed, stopped };

// What is known of a service's transformer.
struct TransformerState {
  std::string truth;   // of TransformerReady: "True", "False", "Unknown"; "" = the service has no transformer
  std::string reason;  // why it is not "True"
  std::string message;

  bool exists() const { return !truth.empty(); }
  bool hinders() const { return exists() && truth != "True"; }
  friend bool operator==(const TransformerState&, const TransformerState&) = default;
};

struct ServiceState {
  ServicePhase phase = ServicePhase::loading;
  std::string reason;  // failed: "ModelLoadFailed", "InvalidPredictorSpec"
  std::string message;
  std::string model_name;  // what clients call it
  // What is known of its revisions; null when nothing is. Both must outlive the call.
  const Rollout* rollout = nullptr;
  const RevisionSources* sources = nullptr;
  ServiceTraffic traffic;
  std::int64_t replicas = -1;  // there are now; -1: not known
  TransformerState transformer = {};
  std::string runtime;  // KServe's name of what serves it; "" = none of KServe's
};

struct StatusAddresses {
  std::string domain;   // "example.com"
  std::string address;  // "http://127.0.0.1:8080"
};

// The whole object with its status brought up to date. Conditions that stay keep their lastTransitionTime.
spec::Json with_status(const spec::Json& object, const ServiceState& state, const StatusAddresses& addresses,
                       WallTime now);

}  // namespace jackdaw::control
