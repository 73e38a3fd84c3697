// Knative's pod autoscaler (KPA): how many replicas a revision wants, from what was observed. Pure decisions: no clock,
// no thread, nothing applied. Formula, defaults and names: Knative Serving, pkg/autoscaler/scaling and the ConfigMap
// config-autoscaler.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "jackdaw/autoscale/window.h"
#include "jackdaw/base/env.h"

namespace jackdaw::autoscale {

using namespace std::chrono_literals;

// What is counted: requests at work at once (averaged over time), or requests a second.
enum class Metric : unsigned char { concurrency, rps };

// Knative's ConfigMap values; a revision's annotations `autoscaling.knative.dev/…` override them one by one.
struct KpaSettings {
  Metric metric = Metric::concurrency;
  double target = 0;                   // per replica; 0 = the metric's default: 100 at once, 200 a second
  double container_concurrency = 0;    // hard limit of requests at once per replica; 0 = none. Caps the target.
  double target_utilization = 0.7;     // share of the target that is aimed at
  double target_burst_capacity = 211;  // spare requests below which a buffer stays in the path; -1 = always, 0 = never
  Duration stable_window = 60s;        // 6 s to 1 h
  double panic_window_share = 0.1;     // of the stable window
  double panic_threshold = 2.0;        // ratio of wanted to ready replicas that starts a panic
  double max_scale_up_rate = 1000;     // most replicas per ready replica in one decision
  double max_scale_down_rate = 2;      // fewest: ready replicas divided by this
  std::int64_t min_scale = 0;
  std::int64_t max_scale = 0;         // 0 = no bound
  std::int64_t activation_scale = 1;  // least number above zero
  bool scale_to_zero = true;          // else min_scale is 1 at least
  Duration scale_down_delay = 0s;     // the largest wish of so long counts
  Duration zero_retention = 0s;       // the last replica is kept so long after nobody needs it
  Aggregation aggregation = Aggregation::linear;

  // Requests (at once, or a second) one replica can take, before utilization.
  double total() const;
};

struct ScaleDecision {
  std::int64_t replicas = 0;  // wanted, within the bounds
  bool panicking = false;     // replicas only go up until a stable window has passed without need
  double stable = 0;          // averages the decision stands on
  double panic = 0;
  // Spare capacity for a burst, in requests; negative: a buffer should stay in the path. -1 also when it always should.
  double excess_burst_capacity = 0;
};

// One revision's autoscaler. Knative asks it every 2 s, and at once when a request waits for the first replica.
// Owner thread: whoever owns it; nothing here is shared.
class Kpa {
 public:
  // `ready`: replicas that are ready at the start. With more than one it begins in panic, so that a restart of the
  // autoscaler does not shrink what runs before it has seen a window.
  Kpa(const KpaSettings& settings, std::int64_t ready, Instant now);

  // What was observed in the second that holds `now`: average of requests at work, or requests begun. Every second is
  // to be recorded, also with 0: a second that is missing at the end does not count.
  void record(Instant now, double value);

  // `reachable`: requests can be routed to the revision. One that has no traffic any more goes down as fast as it can.
  ScaleDecision decide(Instant now, std::int64_t ready, bool reachable = true);

  // Settings changed; what was observed stays.
  void configure(const KpaSettings& settings);
  const KpaSettings& settings() const { return settings_; }

 private:
  struct Wishes {
    double stable = 0;
    double panic = 0;
    bool over_threshold = false;
  };
  Wishes wishes(double stable_average, double panic_average, double ready, bool reachable) const;
  void update_panic(Instant now, bool over_threshold);
  std::int64_t delayed(Instant now, std::int64_t wanted);
  std::int64_t bounded(std::int64_t wanted, bool reachable) const;
  std::int64_t retained(Instant now, std::int64_t wanted);

  KpaSettings settings_;
  Window stable_;
  Window panic_;
  bool panicking_ = false;
  Instant panic_since_{};
  double panic_most_ = 0;                                // replicas wanted at most in this panic
  std::deque<std::pair<Instant, std::int64_t>> recent_;  // falling wishes of the scale-down delay
  bool idle_ = false;                                    // the last decision before retention was zero
  Instant idle_since_{};
};

}  // namespace jackdaw::autoscale
