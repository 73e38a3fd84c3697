// Tombstones: what is remembered of removed objects, so that a node that missed the removal does not bring them back.
// Bounded in number and age; the oldest go first, since a node that was away for longer takes everything over anyway.
//
// Not thread-safe: the store's mutex guards it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/storage/object_table.h"

namespace jackdaw::control {

class Tombstones {
 public:
  struct Limits {
    std::size_t count_max = 0;
    Duration age_max{};
  };
  explicit Tombstones(Limits limits) : limits_(limits) {}

  void put(std::string key, Tombstone stone);
  void drop(std::string_view key);  // also one that is not there
  bool has(std::string_view key) const { return by_key_.contains(key); }
  // Keys of those that go when another one comes: too many or too old; a few at a time.
  std::vector<std::string> overdue(WallTime now) const;
  // Oldest first; those that are too old are left out.
  std::vector<Tombstone> all(WallTime now) const;

 private:
  bool is_old(const Tombstone& stone, WallTime now) const { return now - stone.removed_at > limits_.age_max; }

  const Limits limits_;
  std::map<std::string, Tombstone, std::less<>> by_key_;  // of the object that is gone
  std::map<std::string, std::string> by_version_;         // keys; text order is time order
};

// The row that keeps one: key "deleted:" and the object's, which no group begins with; the removal's hybrid version;
// value
// {"uid":"…","deletedAt":"2026-11-28T17:35:33Z"}.
std::string tombstone_row_key(std::string_view key);
bool is_tombstone_row(std::string_view row_key);
storage::ObjectChange tombstone_row(std::string_view key, const Tombstone& stone);
// The object's key and its tombstone. parse_error for a row that is none.
Result<std::pair<std::string, Tombstone>> read_tombstone(const storage::ObjectRow& row);

}  // namespace jackdaw::control
