// Scaler: looks every second at what each service's gate has counted, asks Knative's formula (autoscale::Kpa) every
// two, and has ModelControl bring the service to as many replicas. The last replica goes when nothing was asked for a
// whole window; what brings the first one back is the request itself, at the gate, without waiting for the next look.
//
// Facts: Knative Serving's pkg/autoscaler and its metrics' names.
#pragma once

#include <functional>
#include <memory>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/control/model_control.h"

namespace jackdaw::control {

// One thread at a time. The control must outlive it, and what it is still doing for `scale`.
class Scaler {
 public:
  virtual ~Scaler() = default;
  // To be called once a second.
  virtual void tick() = 0;
};

std::unique_ptr<Scaler> make_scaler(ModelControl& models, MetricsRegistry& metrics, Clock& clock);

// A thread that calls `work` every second until it is destroyed.
class Ticker {
 public:
  virtual ~Ticker() = default;
};
std::unique_ptr<Ticker> every_second(std::function<void()> work);

}  // namespace jackdaw::control
