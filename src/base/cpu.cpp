#include "jackdaw/base/cpu.h"

#include <sched.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace jackdaw {
namespace {

#if defined(__x86_64__)
// AMX-TILE and AMX-INT8 (leaf 7, EDX bits 24 and 25); GCC 12 has no names for them here. Whether the system saves the
// registers, it says when it is asked for them.
bool has_amx_int8() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 24 & 3) == 3;
}
#endif

CpuFeatures detect_features() {
  CpuFeatures f;
#if defined(__x86_64__)
  __builtin_cpu_init();
  f.avx2 = __builtin_cpu_supports("avx2");
  f.fma = __builtin_cpu_supports("fma");
  f.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  f.avx512_vnni = f.avx512 && __builtin_cpu_supports("avx512vnni");
  f.avx512_bf16 = f.avx512 && __builtin_cpu_supports("avx512bf16");
  f.amx_int8 = f.avx512_vnni && has_amx_int8();
  const char* cap = std::getenv("JACKDAW_CPU");
  const std::string_view limit = cap == nullptr ? "" : cap;
  if (limit == "v2") f = CpuFeatures{};
  if (limit == "avx2") f.avx512 = f.avx512_vnni = f.avx512_bf16 = f.amx_int8 = false;
  if (limit == "avx512") f.amx_int8 = false;
#endif
  return f;
}

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The cgroup path of this process, "" when there is none: v2 line "0::/path", v1 line "n:cpu,cpuacct:/path".
std::string cgroup_path(std::string_view controller) {
  std::istringstream lines(file_text("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool found = controller.empty() ? controllers == ",,"
                                          : controllers.find("," + std::string(controller) + ",") != std::string::npos;
    if (found) return line.substr(second + 1);
  }
  return {};
}

// The tightest limit between the root of the hierarchy and our own group.
template <typename Reader>
double tightest_limit(const std::string& mount, std::string path, Reader read) {
  double limit = 0.0;
  for (;;) {
    const double here = read(mount + path);
    if (here > 0.0 && (limit == 0.0 || here < limit)) limit = here;
    if (path.empty() || path == "/") return limit;
    path.resize(path.rfind('/'));
  }
}

double cgroup_cpus() {
  const double v2 = tightest_limit("/sys/fs/cgroup", cgroup_path(""), [](const std::string& group) {
    return cpus_from_cgroup_v2(file_text(group + "/cpu.max"));
  });
  if (v2 > 0.0) return v2;
  return tightest_limit("/sys/fs/cgroup/cpu", cgroup_path("cpu"), [](const std::string& group) {
    const double quota = std::atof(file_text(group + "/cpu.cfs_quota_us").c_str());
    const double period = std::atof(file_text(group + "/cpu.cfs_period_us").c_str());
    return quota > 0.0 && period > 0.0 ? quota / period : 0.0;
  });
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect_features();
  return features;
}

double cpus_from_cgroup_v2(const std::string& cpu_max) {
  std::istringstream in(cpu_max);
  std::string quota;
  double period = 0.0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0.0) return 0.0;
  const double value = std::atof(quota.c_str());
  return value > 0.0 ? value / period : 0.0;
}

int usable_cpu_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  const double quota = cgroup_cpus();
  if (quota > 0.0) count = std::min(count, static_cast<int>(std::ceil(quota)));
  return std::max(count, 1);
}

}  // namespace jackdaw
