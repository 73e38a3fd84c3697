// Average of what was observed over the last seconds, in buckets of one second, as Knative's pod autoscaler keeps it.
// Pure: time comes in as an argument. One thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "jackdaw/base/env.h"

namespace jackdaw::autoscale {

// How the seconds of a window count: all alike, or the latest most (Knative's metric-aggregation-algorithm).
enum class Aggregation : unsigned char { linear, weighted_exponential };

class Window {
 public:
  // `length` is rounded up to whole seconds, at least one.
  explicit Window(Duration length, Aggregation aggregation = Aggregation::linear);

  // Adds to the second that holds `at`. What is older than the window is dropped.
  void add(Instant at, double value);
  // Per second over the window that ends at `now`. A young window divides by the seconds it really covers, from its
  // first value on; seconds without a value count as 0. 0 when nothing was added within the window.
  double average(Instant now) const;
  // Changes the length and keeps the values that still fit.
  void resize(Duration length);
  std::int64_t seconds() const { return static_cast<std::int64_t>(buckets_.size()); }

 private:
  std::size_t slot(std::int64_t second) const;
  double value_at(std::int64_t second) const;

  Aggregation aggregation_;
  std::vector<double> buckets_;  // of second s at s % size
  std::int64_t first_ = 0;       // second of the first value since the window was last empty
  std::int64_t last_ = -1;       // second of the latest value; below first_ when there is none
};

}  // namespace jackdaw::autoscale
