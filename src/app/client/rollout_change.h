// What a rollout command makes of a service's object. Pure; docs/rollouts.md has the fields and annotations.
#pragma once

#include <string>
#include <string_view>

#include "jackdaw/base/result.h"
#include "jackdaw/spec/json.h"
#include "src/app/client/service_progress.h"

namespace jackdaw::app {

struct RolloutWish {
  std::string_view action;  // "canary", "promote", "undo", "pause", "resume", "restart"
  int percent = -1;         // canary
  std::string canary;       // promote, undo: which of spec.canary; "" = the only one
  std::string revision;     // undo: "2" or "iris-predictor-00002"; "" = the one before
  std::string now;          // restart: "2026-11-28T17:35:33Z"
};

struct RolloutChange {
  spec::Json object;  // to be written in the place of the one that was looked at
  std::string words;  // "promoted", "canary at 10%"
};

// invalid_argument when the object has nothing to do it to.
Result<RolloutChange> rollout_change(const RolloutWish& wish, const spec::Json& object);

// progress_of(), and whether the latest revision has the traffic that it is to have in the end.
ServiceProgress rollout_progress(const spec::Json& object);

}  // namespace jackdaw::app
