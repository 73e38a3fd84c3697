// RollbackWatch: whether a new revision answers so much worse than it may that its traffic is to be taken away. Pure:
// readings and the time go in. Owner: the control thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "jackdaw/base/env.h"
#include "jackdaw/serving/revision_counts.h"

namespace jackdaw::control {

struct RollbackLimits {
  std::optional<double> error_rate;     // 0..1 of the answers in the window
  std::optional<Duration> latency_p99;  // of the answers in the window
  Duration window = std::chrono::minutes(1);
  std::uint64_t min_requests = 50;  // in the window; fewer decide nothing
};

struct RollbackVerdict {
  std::string reason;   // "ErrorRate", "Latency"
  std::string message;  // with the numbers
};

class RollbackWatch {
 public:
  explicit RollbackWatch(const RollbackLimits& limits) : limits_(limits) {}

  // What both have counted up to now; call it every `interval`. `others` is the revision that would get the traffic:
  // where it is over the same limit and no better, the fault is not the new one's and nothing happens.
  std::optional<RollbackVerdict> look(Instant now, const serving::RevisionReading& suspect,
                                      const serving::RevisionReading& others);
  // How often to look: a twelfth of the window, at most 5 s.
  Duration interval() const;

 private:
  Duration spacing() const;  // of samples

  struct Sample {
    Instant at;
    serving::RevisionReading suspect;
    serving::RevisionReading others;
  };

  const RollbackLimits limits_;
  std::deque<Sample> samples_;  // of the window, oldest first; at most 14
};

}  // namespace jackdaw::control
