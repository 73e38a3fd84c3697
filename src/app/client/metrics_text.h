// MetricsText: what GET /metrics says, by name and labels (Prometheus text format 0.0.4), and what happened between two
// readings. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::app {

using Labels = std::map<std::string, std::string, std::less<>>;

struct MetricSample {
  Labels labels;
  double value = 0;
};

class MetricsText {
 public:
  // Comments and lines of other formats are left out; lines that are broken are, too.
  static MetricsText parse(std::string_view text);

  const std::vector<MetricSample>& samples(std::string_view name) const;
  // All samples of that name which have these labels (and others), together.
  double sum(std::string_view name, const Labels& labels = {}) const;
  bool has(std::string_view name) const { return !samples(name).empty(); }

  // The buckets of a histogram by their upper end, cumulative, over all samples with these labels.
  std::map<double, double> buckets(std::string_view name, const Labels& labels) const;

 private:
  std::map<std::string, std::vector<MetricSample>, std::less<>> by_name_;
};

// What a counter grew by; what it is when it began anew (the daemon was restarted).
double growth(double before, double now);

// The value below which a share `q` (0..1) of what was observed between two readings of buckets() lies, by linear
// interpolation within a bucket as Prometheus' histogram_quantile(); NaN when nothing was.
double quantile(const std::map<double, double>& before, const std::map<double, double>& now, double q);

}  // namespace jackdaw::app
