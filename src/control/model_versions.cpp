#include "src/control/model_versions.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace jackdaw::control {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> version_number(const std::string& name) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == name.data() + name.size();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::vector<VersionPath> model_versions(const std::string& path) {
  std::vector<std::pair<std::uint64_t, VersionPath>> found;
  std::error_code ec;
  for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.')) continue;
    const auto number = version_number(name);
    if (!number || !it->is_directory(ec)) return {{"1", path}};
    found.push_back({*number, {name, it->path().string()}});
  }
  if (found.empty()) return {{"1", path}};
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<VersionPath> rows;
  for (auto& [number, row] : found) rows.push_back(std::move(row));
  return rows;
}

}  // namespace jackdaw::control
