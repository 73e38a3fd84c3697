// RevisionCounts: how the answers of one revision went, for people (/metrics) and for the decision to roll back.
//
// Any thread counts, with relaxed atomics. Lives as long as its revision does, so that a daemon's thousandth rollout
// leaves no trace of the first in memory or metrics.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "jackdaw/base/env.h"

namespace jackdaw::serving {

class RegistrySnapshot;

// What was counted up to a moment, or between two.
struct RevisionReading {
  // Eight buckets to an octave of nanoseconds, from 1 us to 2^37 ns (137 s): within an eighth of the truth.
  static constexpr std::size_t bucket_count = 8 * 28;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  // 5xx, and well-formed requests that the model refused
  double seconds = 0;          // of all requests together
  std::array<std::uint64_t, bucket_count> latency{};

  // What came after `before`.
  RevisionReading since(const RevisionReading& before) const;
  // The latency that a share of `q` of the requests (0..1) stayed below; 0 without requests.
  Duration quantile(double q) const;
};

// The bucket of a latency, and the upper end of a bucket.
std::size_t latency_bucket(Duration latency);
Duration latency_bucket_end(std::size_t bucket);

class RevisionCounts {
 public:
  void count(Duration latency, bool failed);
  RevisionReading read() const;

 private:
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> nanoseconds_{0};
  std::array<std::atomic<std::uint64_t>, RevisionReading::bucket_count> latency_{};
};

// Prometheus text: jackdaw_revision_{requests,failures}_total, _traffic_percent and _request_seconds of every revision
// that may be asked.
std::string expose_revisions(const RegistrySnapshot& snapshot);

}  // namespace jackdaw::serving
