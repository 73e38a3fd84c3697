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
  std::string key;           // "serving.kserve.io/inferenceservices/default/iris"
  std::string value;         // JSON
  std::string version = {};  // whatever the writer puts beside the value; opaque to the table
};

struct ObjectChange {
  std::string key;
  std::string value;
  bool erase = false;
  std::string version = {};
};

struct ObjectTableOptions {
  std::uint64_t bytes_max = 0;  // the file does not grow beyond it; 0: as far as the disk goes
};

class ObjectTable {
 public:
  virtual ~ObjectTable() = default;

  // Opens or creates `path` (its folder is made, 0700; the file is 0600). Errors say what to do: not_ready when another
  // process has it open, parse_error for a corrupt file, unsupported for one of another format or version (these are
  // never written to), permission_denied, io_error.
  static Result<std::unique_ptr<ObjectTable>> open(const std::string& path, const ObjectTableOptions& options = {});

  // Every row by key, and the sequence number of the last write (0: none yet).
  virtual Result<std::vector<ObjectRow>> rows() = 0;
  virtual std::uint64_t sequence() const = 0;

  // All changes or none, under `sequence`, which is greater than the last one; on disk when this returns.
  // Code::resource_exhausted when the disk is full or bytes_max is reached, after which the table goes on to work once
  // there is room.
  virtual Result<void> write(std::span<const ObjectChange> changes, std::uint64_t sequence) = 0;
};

}  // namespace jackdaw::storage
