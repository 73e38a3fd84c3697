// Which versions of a model a directory holds: Triton's and TensorFlow Serving's numbered folders, or just one.
#pragma once

#include <string>
#include <vector>

namespace jackdaw::control {

struct VersionPath {
  std::string version;
  std::string path;
};

// A directory whose only entries (hidden ones aside) are folders named 1..n gives one row each, ascending by number.
// Everything else is version "1" at the path itself.
std::vector<VersionPath> model_versions(const std::string& path);

}  // namespace jackdaw::control
