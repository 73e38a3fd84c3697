// What this machine gives us: CPU features for kernel dispatch and the number of CPUs the cgroup lets us use.
#pragma once

#include <string>

namespace jackdaw {

struct CpuFeatures {
  bool avx2 = false;
  bool fma = false;
  bool avx512 = false;  // F, BW, DQ, VL and the OS saves the registers
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx_int8 = false;  // with AMX-TILE; the system lends the registers on request (kernels/linear.h)
};

// Asked from CPUID once. JACKDAW_CPU=v2|avx2|avx512|amx in the environment caps it, for tests of the slower paths.
const CpuFeatures& cpu_features();

// CPUs this process may use: the smaller of its affinity mask and its cgroup quota (v2 cpu.max, v1 cfs_quota_us),
// rounded up, at least 1. Never nproc: a container with 4 CPUs of quota on a 64-core node has 4.
int usable_cpu_count();

// The parser behind usable_cpu_count: "max 100000" or "250000 100000" to CPUs; 0 when there is no limit.
double cpus_from_cgroup_v2(const std::string& cpu_max);

}  // namespace jackdaw
