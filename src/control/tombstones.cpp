#include "src/control/tombstones.h"

#include <array>
#include <optional>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/control/object_meta.h"

namespace jackdaw::control {
namespace {

using spec::Json;

constexpr std::string_view row_prefix = "deleted:";
// How many go at once: more than come, so that a bound that was lowered is reached.
constexpr std::size_t overdue_max = 16;

// "group/plural/namespace/name".
std::optional<ResourceName> name_in(std::string_view key) {
  std::array<std::string, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const std::size_t slash = key.find('/');
    if (last != (slash == std::string_view::npos)) return std::nullopt;
    parts[i] = key.substr(0, slash);
    key.remove_prefix(last ? key.size() : slash + 1);
  }
  return ResourceName{std::move(parts[0]), std::move(parts[1]), std::move(parts[2]), std::move(parts[3])};
}

}  // namespace

void Tombstones::put(std::string key, Tombstone stone) {
  drop(key);
  by_version_.emplace(stone.hybrid_version, key);
  by_key_.emplace(std::move(key), std::move(stone));
}

void Tombstones::drop(std::string_view key) {
  const auto at = by_key_.find(key);
  if (at == by_key_.end()) return;
  by_version_.erase(at->second.hybrid_version);
  by_key_.erase(at);
}

std::vector<std::string> Tombstones::overdue(WallTime now) const {
  std::vector<std::string> keys;
  for (const auto& [version, key] : by_version_) {
    const bool too_many = by_key_.size() - keys.size() >= limits_.count_max;
    if (keys.size() >= overdue_max || (!too_many && !is_old(by_key_.at(key), now))) break;
    keys.push_back(key);
  }
  return keys;
}

std::vector<Tombstone> Tombstones::all(WallTime now) const {
  std::vector<Tombstone> out;
  for (const auto& [version, key] : by_version_) {
    const Tombstone& stone = by_key_.at(key);
    if (!is_old(stone, now)) out.push_back(stone);
  }
  return out;
}

std::string tombstone_row_key(std::string_view key) {
  return std::string(row_prefix) + std::string(key);
}

bool is_tombstone_row(std::string_view row_key) {
  return row_key.starts_with(row_prefix);
}

storage::ObjectChange tombstone_row(std::string_view key, const Tombstone& stone) {
  const Json value =
      Json::object({{"uid", Json::text(stone.uid)}, {"deletedAt", Json::text(rfc3339(stone.removed_at))}});
  return {tombstone_row_key(key), value.dump(), false, stone.hybrid_version};
}

Result<std::pair<std::string, Tombstone>> read_tombstone(const storage::ObjectRow& row) {
  std::string key = row.key.substr(row_prefix.size());
  const auto value = spec::read_json(row.value, row.key);
  auto name = name_in(key);
  const auto removed_at = value ? parse_rfc3339(text_at(*value, {"deletedAt"})) : std::optional<WallTime>();
  if (!name || !removed_at) {
    return make_error(Code::parse_error, "the tombstone '{}' in the store cannot be read", row.key);
  }
  Tombstone stone{std::move(*name), std::string(text_at(*value, {"uid"})), row.version, *removed_at};
  return std::pair(std::move(key), std::move(stone));
}

}  // namespace jackdaw::control
