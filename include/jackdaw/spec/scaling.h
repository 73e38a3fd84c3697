// Scaling: how many replicas a service wants and what each of them takes, as KServe's fields, its annotations and
// Knative's say it. Plain data. Meanings and defaults: KServe's ComponentExtensionSpec, Knative's autoscaling
// annotations and its ConfigMap config-autoscaler; LLMInferenceService's scaling block (KEDA's ScaledObject).
#pragma once

#include <cstdint>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/env.h"

namespace jackdaw::spec {

enum class ScaleMetric : unsigned char { concurrency, rps };

struct Scaling {
  ConfigValue<std::int64_t> min_replicas{1};                           // minReplicas; min-scale wins
  ConfigValue<std::int64_t> max_replicas{0};                           // maxReplicas; max-scale wins; 0 = no bound
  ConfigValue<ScaleMetric> metric{ScaleMetric::concurrency};           // scaleMetric, metric
  ConfigValue<double> target{0};                                       // scaleTarget, target; 0 = the metric's default
  ConfigValue<std::uint32_t> container_concurrency{0};                 // containerConcurrency; 0 = no limit
  ConfigValue<Duration> timeout{Duration(std::chrono::seconds(300))};  // timeout: how long a request may wait
  // autoscaling.knative.dev/…
  ConfigValue<std::int64_t> initial_scale{1};                        // initial-scale
  ConfigValue<std::int64_t> activation_scale{1};                     // activation-scale
  ConfigValue<double> target_utilization{0.7};                       // target-utilization-percentage / 100
  ConfigValue<double> target_burst_capacity{211};                    // target-burst-capacity; -1 = unlimited
  ConfigValue<Duration> window{Duration(std::chrono::seconds(60))};  // window; cooldownPeriod of KEDA
  ConfigValue<double> panic_window{0.1};                             // panic-window-percentage / 100
  ConfigValue<double> panic_threshold{2.0};                          // panic-threshold-percentage / 100
  ConfigValue<Duration> scale_down_delay{Duration(0)};               // scale-down-delay
  ConfigValue<Duration> zero_retention{Duration(0)};                 // scale-to-zero-pod-retention-period
  ConfigValue<bool> weighted{false};  // metric-aggregation-algorithm: weighted-exponential
  // jackdaw.dev/…
  ConfigValue<std::uint32_t> held_max{1000};  // held-requests-max: requests that wait at most while there is no replica
  ConfigValue<bool> lazy{false};              // load: lazy: loaded by its first request
  // autoscalerClass none or external: the number of replicas stays min_replicas.
  bool fixed = false;
};

}  // namespace jackdaw::spec
