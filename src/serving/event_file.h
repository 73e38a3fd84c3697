// EventFile: events as lines of JSON in a file that is put aside when it has grown enough. One caller at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::serving {

class EventFile {
 public:
  EventFile(std::string path, std::uint64_t bytes_max, int files_kept);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // Appends the line in one write, so that lines of a process that dies stay whole. A file that was moved away from
  // under it (logrotate) is opened anew.
  Result<void> append(std::string_view line);

 private:
  Result<void> open();
  bool is_still_there() const;
  void rotate();
  void close();

  const std::string path_;
  const std::uint64_t bytes_max_;
  const int files_kept_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace jackdaw::serving
