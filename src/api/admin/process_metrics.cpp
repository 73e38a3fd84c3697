#include "src/api/admin/process_metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <iterator>
#include <memory>

namespace jackdaw::api::admin {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::uint64_t count_open_files() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (readdir(folder.get()) != nullptr) ++count;
  return count > 3 ? count - 3 : 0;  // ".", ".." and the folder itself
}

void append(std::string& out, const char* type, const char* name, const char* help, const std::string& value) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  if (std::FILE* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    unsigned long long pages = 0, resident = 0;
    if (std::fscanf(file, "%llu %llu", &pages, &resident) == 2) {
      const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
      usage.virtual_bytes = pages * page_bytes;
      usage.resident_bytes = resident * page_bytes;
    }
    std::fclose(file);
  }
  usage.open_files = count_open_files();
  return usage;
}

std::string process_metrics_text(const ProcessUsage& usage, std::int64_t started) {
  std::string out;
  append(out, "counter", "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
         fmt::format("{:.2f}", usage.cpu_seconds));
  append(out, "gauge", "process_resident_memory_bytes", "Resident memory size in bytes.",
         fmt::format("{}.0", usage.resident_bytes));
  append(out, "gauge", "process_virtual_memory_bytes", "Virtual memory size in bytes.",
         fmt::format("{}.0", usage.virtual_bytes));
  append(out, "gauge", "process_open_fds", "Number of open file descriptors.", fmt::format("{}.0", usage.open_files));
  append(out, "gauge", "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
         fmt::format("{}.0", started));
  return out;
}

}  // namespace jackdaw::api::admin
