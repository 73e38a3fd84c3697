// MachineMemory: how much memory there is and how much of it may still be used: the smaller of the machine's and of
// every cgroup's above this process (v2 memory.max and memory.current, v1 memory.limit_in_bytes and usage_in_bytes).
#pragma once

#include <cstdint>
#include <filesystem>

namespace jackdaw {

struct MachineMemory {
  std::uint64_t total = 0;      // RAM, or the cgroup's limit
  std::uint64_t available = 0;  // without swapping or being killed
};

// `root`: where /proc and /sys are; tests have their own.
MachineMemory machine_memory(const std::filesystem::path& root = "/");

}  // namespace jackdaw
