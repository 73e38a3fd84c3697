// What `jackdaw top` shows: the daemon and its models between two readings. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/spec/json.h"
#include "src/app/client/metrics_text.h"

namespace jackdaw::app {

// One look at the daemon.
struct TopReading {
  double at = 0;  // seconds on a clock that only goes forward
  MetricsText metrics;
  spec::Json stats;  // of GET /admin/stats
};

struct TopRow {
  std::string namespace_name, service, model;
  std::string state;  // "READY", "LOADING", …, with the reason when there is one
  std::string reason;
  std::int64_t replicas = 0;  // ready ones
  std::int64_t desired = -1;  // that the autoscaler wants; -1: nobody counts them
  bool generates = false;
  double requests_per_s = 0;
  double errors_per_s = 0;
  double p50_s = 0, p99_s = 0;  // NaN when nothing was answered
  double in_flight = 0;
  double tokens_per_s = 0;
  double kv_cache_usage = 0;  // 0..1
  double resident_bytes = 0;
};

enum class TopOrder : unsigned char { name, requests, memory };

struct TopReport {
  std::string server;
  std::string version;
  std::int64_t uptime_s = 0;
  double connections = 0;
  double cpu_percent = 0;  // 100 = one CPU
  double resident_bytes = 0;
  double requests_per_s = 0;
  std::vector<TopRow> rows;
};

TopReport top_report(std::string server, const TopReading& before, const TopReading& now, TopOrder order);

struct TopStyle {
  int width = 0;  // 0 = as wide as it gets
  bool colour = false;
};
// A line about the daemon, an empty one, and the table.
std::string top_text(const TopReport& report, const TopStyle& style);
// The same as one JSON object; what is not known is null.
std::string top_json(const TopReport& report);

}  // namespace jackdaw::app
