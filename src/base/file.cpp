#include "jackdaw/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace jackdaw {
namespace {

Error unreadable(int fault) {
  const bool absent = fault == ENOENT || fault == ENOTDIR;
  return make_error(absent ? Code::not_found : Code::io_error, "cannot be read: {}", std::strerror(fault));
}

std::string size_text(std::size_t bytes) {
  constexpr std::size_t mebi = std::size_t{1} << 20, kibi = std::size_t{1} << 10;
  if (bytes >= mebi && bytes % mebi == 0) return fmt::format("{} MiB", bytes / mebi);
  if (bytes >= kibi && bytes % kibi == 0) return fmt::format("{} KiB", bytes / kibi);
  return fmt::format("{} bytes", bytes);
}

Result<std::string> read_regular(int descriptor, std::size_t bytes_max) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return unreadable(errno);
  if (S_ISDIR(status.st_mode)) return make_error(Code::invalid_argument, "is a folder");
  if (!S_ISREG(status.st_mode)) return make_error(Code::invalid_argument, "is a pipe or a device, not a file");
  // What the size says is not believed: files grow, and those of /proc have none.
  const bool large = status.st_size > 0 && static_cast<std::size_t>(status.st_size) > bytes_max;
  Result<std::string> bytes = large ? std::string() : read_descriptor(descriptor, bytes_max + 1);
  if (!bytes) return bytes;
  if (large || bytes->size() > bytes_max) {
    return make_error(Code::too_large, "is larger than {}", size_text(bytes_max));
  }
  return bytes;
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  // Opening a pipe would wait for its writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return unreadable(errno);
  Result<std::string> bytes = read_regular(descriptor, bytes_max);
  ::close(descriptor);
  return bytes;
}

Result<std::optional<std::string>> read_file_if_present(const std::filesystem::path& path, std::size_t bytes_max) {
  Result<std::string> bytes = read_file(path, bytes_max);
  if (bytes) return std::optional<std::string>(std::move(*bytes));
  if (bytes.error().code == Code::not_found) return std::optional<std::string>();
  return make_error(bytes.error().code, "The file {}.", bytes.error().message).at(path.string());
}

Result<std::string> read_descriptor(int descriptor, std::size_t bytes_max) {
  std::string bytes;
  std::array<char, 65536> piece;
  while (bytes.size() < bytes_max) {
    const ssize_t got = ::read(descriptor, piece.data(), std::min(piece.size(), bytes_max - bytes.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    if (got == 0) break;
    bytes.append(piece.data(), static_cast<std::size_t>(got));
  }
  return bytes;
}

}  // namespace jackdaw
