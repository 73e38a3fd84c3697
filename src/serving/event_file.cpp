#include "src/serving/event_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace jackdaw::serving {

EventFile::EventFile(std::string path, std::uint64_t bytes_max, int files_kept)
    : path_(std::move(path)), bytes_max_(bytes_max), files_kept_(files_kept) {}

EventFile::~EventFile() {
  close();
}

void EventFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<void> EventFile::open() {
  // Payloads may be private: the file is the owner's. Opening a pipe would wait for its reader.
  fd_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd_ < 0 && errno != ENXIO) {
    return make_error(Code::io_error, "{} cannot be opened: {}", path_, std::strerror(errno));
  }
  struct stat found {};
  const bool regular = fd_ >= 0 && ::fstat(fd_, &found) == 0 && S_ISREG(found.st_mode);
  if (!regular || ::fcntl(fd_, F_SETFL, O_APPEND) != 0) {
    close();
    return make_error(Code::io_error, "{} is a pipe or a device, not a file; name a file for the log", path_);
  }
  bytes_ = static_cast<std::uint64_t>(found.st_size);
  return {};
}

bool EventFile::is_still_there() const {
  struct stat by_name {
  }, by_fd{};
  return ::stat(path_.c_str(), &by_name) == 0 && ::fstat(fd_, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
         by_name.st_dev == by_fd.st_dev;
}

// PATH.2 becomes PATH.3, PATH.1 PATH.2, PATH PATH.1; the oldest one goes.
void EventFile::rotate() {
  close();
  for (int i = files_kept_; i > 1; --i) {
    std::rename((path_ + "." + std::to_string(i - 1)).c_str(), (path_ + "." + std::to_string(i)).c_str());
  }
  std::rename(path_.c_str(), (path_ + ".1").c_str());
}

Result<void> EventFile::append(std::string_view line) {
  if (fd_ >= 0 && !is_still_there()) close();
  if (fd_ < 0) JACKDAW_TRY(open());
  if (bytes_ > 0 && bytes_ + line.size() + 1 > bytes_max_) {
    rotate();
    JACKDAW_TRY(open());
  }
  const std::string text = std::string(line) + "\n";
  const ssize_t wrote = ::write(fd_, text.data(), text.size());
  const int reason = errno;
  if (wrote > 0) bytes_ += static_cast<std::uint64_t>(wrote);
  if (wrote == static_cast<ssize_t>(text.size())) return {};
  if (wrote > 0 && ::ftruncate(fd_, static_cast<off_t>(bytes_ - static_cast<std::uint64_t>(wrote))) == 0) {
    bytes_ -= static_cast<std::uint64_t>(wrote);  // a full disk must not leave half a line
  }
  return make_error(Code::io_error, "{} cannot be written: {}", path_,
                    wrote >= 0 ? "disk full" : std::strerror(reason));
}

}  // namespace jackdaw::serving
