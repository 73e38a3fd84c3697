// A folder of its own for each test, gone afterwards, and small ways to look at files in it.
#pragma once

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/unit/temporary_folder.h"

namespace jackdaw::storage {

class TableFolder {
 public:
  std::string file(const std::string& name = "store.db") const { return (folder_ / name).string(); }

  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write_bytes(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

 private:
  testing::TemporaryFolder folder_;
};

}  // namespace jackdaw::storage
