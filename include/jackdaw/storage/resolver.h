// Resolver: turns a storageUri into a path on this machine, without touching the network. Any thread; blocking
// (a few stat calls).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::storage {

// All paths absolute. Comes from the Daemon's spec.storage.
struct StorageSettings {
  std::map<std::string, std::string> map;  // URI prefix -> path prefix; the longest matching prefix wins
  std::map<std::string, std::string> pvc;  // claim name -> folder it is mounted at
  std::string pvc_root;                    // other claims are at pvc_root/<claim>; "" = there are none
  std::vector<std::string> roots;          // when not empty, the result must lie inside one of them
  // For URIs that come over the network: without roots there is no file:// and no plain path, and what is outside of
  // them is refused without a look at whether it exists.
  bool local_needs_root = false;
};

// The canonical path (symlinks resolved) of the file or folder that `uri` names:
//   any URI under a prefix of settings.map -> the mapped path; file:///p and /p -> p; pvc://claim/p -> the mount;
//   a path without a scheme -> below base_dir.
// unsupported: a scheme without a reader and without a mapping; not_found: nothing there (the message says which path
// was tried); permission_denied: outside the roots, or `..` climbing out of a mapping or claim; invalid_argument: no
// URI at all.
Result<std::string> resolve(std::string_view uri, std::string_view base_dir, const StorageSettings& settings);

}  // namespace jackdaw::storage
