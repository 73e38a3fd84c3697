#include "jackdaw/base/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace jackdaw {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::string word;
  if (!(in >> word)) return std::nullopt;
  return number(word);  // "max" is no number
}

// A line "MemTotal:       24047264 kB".
std::uint64_t meminfo(const fs::path& root, std::string_view key) {
  std::ifstream in(root / "proc/meminfo");
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with(key)) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    if (digits == std::string::npos) return 0;
    return number(std::string_view(line).substr(digits)).value_or(0) * 1024;
  }
  return 0;
}

// What a limit leaves: usage of caches that the kernel would drop is not known here, so `used` is taken as it is.
void apply_limit(MachineMemory& memory, std::optional<std::uint64_t> limit, std::optional<std::uint64_t> used) {
  if (!limit || *limit >= memory.total) return;
  memory.total = *limit;
  const std::uint64_t in_use = std::min(used.value_or(0), *limit);
  memory.available = std::min(memory.available, *limit - in_use);
}

// The process's own group below `mount`, then each one above it.
void apply_groups(MachineMemory& memory, const fs::path& mount, std::string group, const char* limit,
                  const char* used) {
  while (true) {
    const fs::path folder = group.size() > 1 ? mount / group.substr(1) : mount;
    apply_limit(memory, number_in(folder / limit), number_in(folder / used));
    if (group.size() <= 1) return;
    group.resize(std::max<std::size_t>(group.rfind('/'), 1));
    if (group.empty()) return;
  }
}

}  // namespace

MachineMemory machine_memory(const fs::path& root) {
  MachineMemory memory{meminfo(root, "MemTotal:"), meminfo(root, "MemAvailable:")};
  // Lines "0::/group" (v2) and "5:memory:/group" (v1).
  std::string unified = "/";
  std::string memory_group = "/";
  std::ifstream in(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("0::/")) unified = line.substr(3);
    const std::size_t at = line.find(":memory:/");
    if (at != std::string::npos) memory_group = line.substr(at + 8);
  }
  apply_groups(memory, root / "sys/fs/cgroup", unified, "memory.max", "memory.current");
  apply_groups(memory, root / "sys/fs/cgroup/memory", memory_group, "memory.limit_in_bytes", "memory.usage_in_bytes");
  return memory;
}

}  // namespace jackdaw
