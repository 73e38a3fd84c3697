// RolloutSettings: how a changed service comes into effect: canaries, gradual rollout, rollback, shadow. Plain data.
// From canaryTrafficPercent, spec.canary, deploymentStrategy and annotations; docs/rollouts.md lists them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/env.h"

namespace jackdaw::spec {

// One of spec.canary.
struct CanarySettings {
  ConfigValue<std::string> name;
  ConfigValue<std::uint32_t> percent{0};
};

// When a new revision loses its traffic by itself.
struct RollbackSettings {
  ConfigValue<double> error_rate{0.0};  // of its answers, 0..1; only where it is_set
  ConfigValue<Duration> latency_p99;    // only where it is_set
  ConfigValue<Duration> window{std::chrono::minutes(1)};
  ConfigValue<std::uint64_t> min_requests{50};  // in the window, before anything is decided

  bool any() const { return error_rate.is_set || latency_p99.is_set; }
};

struct RolloutSettings {
  ConfigValue<std::uint32_t> canary_percent{100};  // of a new revision
  std::vector<CanarySettings> canaries;
  ConfigValue<bool> tags{false};      // latest-… and prev-… hosts
  ConfigValue<bool> paused{false};    // no share moves
  ConfigValue<bool> recreate{false};  // the old revision goes before the new one is loaded
  ConfigValue<Duration> duration;     // over which a new revision's share grows; 0 = at once
  RollbackSettings rollback;
  ConfigValue<std::string> shadow;  // a storage URI or the name of a canary; "" = none
  ConfigValue<std::uint32_t> shadow_percent{100};
};

}  // namespace jackdaw::spec
