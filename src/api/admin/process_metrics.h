// The process as prometheus_client describes one: CPU, memory, file descriptors, start. Read from /proc (proc(5)).
#pragma once

#include <cstdint>
#include <string>

namespace jackdaw::api::admin {

struct ProcessUsage {
  double cpu_seconds = 0;  // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
};

// Zeros where /proc cannot be read.
ProcessUsage process_usage();

// process_cpu_seconds_total, process_resident_memory_bytes, …, as Prometheus text. `started`: seconds since the epoch.
std::string process_metrics_text(const ProcessUsage& usage, std::int64_t started);

}  // namespace jackdaw::api::admin
