// ObjectTable: named documents on disk that survive kill -9 at any moment. A thin layer over SQLite (WAL,
// synchronous=FULL), which only this module knows; what the documents mean is control's matter.
//
// Owner thread: one at a time; every call may block on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::storage {

struct ObjectRow {
  std::string key;    // "serving.kserve.io/inferenceservices/default/iris"
  std::string value;  // JSON
};

struct ObjectChange {
  std::string key;
  std::string value;
  bool erase = false;
};

class ObjectTable {
 public:
  virtual ~ObjectTable() = default;

  // Opens or creates `path` (its folder is made, 0700). A file of another format or version, a corrupt one and one that
  // another process has open are errors that say what to do; a corrupt file is never written to.
  static Result<std::unique_ptr<ObjectTable>> open(const std::string& path);

  // Every row by key, and the sequence number of the last write.
  virtual Result<std::vector<ObjectRow>> rows() = 0;
  virtual std::uint64_t sequence() const = 0;

  // All changes or none, under the next sequence number; on disk when this returns. Code::resource_exhausted when the
  // disk is full, after which the table goes on to work once there is room.
  virtual Result<void> write(std::span<const ObjectChange> changes, std::uint64_t sequence) = 0;
};

}  // namespace jackdaw::storage
