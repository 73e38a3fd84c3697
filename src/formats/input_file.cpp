#include "src/formats/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace jackdaw::formats {

namespace {

Error open_error(const std::string& path) {
  const Code code = errno == ENOENT ? Code::not_found : errno == EACCES ? Code::permission_denied : Code::io_error;
  return Error{code, fmt::format("cannot open the file: {}", std::strerror(errno)), path};
}

std::uint64_t size_of(const struct stat& info) {
  return static_cast<std::uint64_t>(std::max<off_t>(info.st_size, 0));
}

}  // namespace

bool MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return true;
}

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

// O_NONBLOCK: a FIFO in a models folder must not hold the opener.
Result<InputFile> InputFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return open_error(path);
  InputFile file(fd, path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Error{Code::io_error, std::strerror(errno), path};
  if (S_ISDIR(info.st_mode)) {
    return Error{Code::invalid_argument, "this is a directory; name the model file inside it", path};
  }
  if (!S_ISREG(info.st_mode)) return Error{Code::invalid_argument, "this is not a regular file", path};
  file.size_ = size_of(info);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), size_(other.size_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::int64_t InputFile::read_some(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;  // it shrank meanwhile
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

bool InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) return false;
  return read_some(offset, out) == static_cast<std::int64_t>(out.size());
}

Result<std::vector<std::byte>> InputFile::read(std::uint64_t begin, std::size_t count) const {
  std::vector<std::byte> out(static_cast<std::size_t>(std::min<std::uint64_t>(count, size_ - std::min(begin, size_))));
  const std::int64_t got = read_some(begin, out);
  if (got < 0) return make_error(Code::io_error, "cannot read the file: {}", std::strerror(errno));
  out.resize(static_cast<std::size_t>(got));
  return out;
}

Result<Mapping> InputFile::map() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return Error{Code::io_error, std::strerror(errno), path_};
  if (size_of(info) < size_) {
    return Error{Code::io_error, "the file became shorter while it was read; wait until it is written", path_};
  }
  if (size_ == 0) return Mapping();
  void* address = ::mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_SHARED, fd_, 0);
  if (address == MAP_FAILED) {
    return Error{Code::io_error, fmt::format("cannot map {} bytes: {}", size_, std::strerror(errno)), path_};
  }
  // Weights are read once, from front to back: read ahead generously.
  ::madvise(address, static_cast<std::size_t>(size_), MADV_SEQUENTIAL);
  return Mapping(address, static_cast<std::size_t>(size_));
}

Result<std::string> read_text_file(const std::string& path, std::uint64_t bytes_max) {
  JACKDAW_ASSIGN(const InputFile file, InputFile::open(path));
  if (file.size() > bytes_max) {
    return Error{Code::too_large, fmt::format("the file has {} bytes; at most {} are read", file.size(), bytes_max),
                 path};
  }
  JACKDAW_ASSIGN(const std::vector<std::byte> bytes, file.read(0, static_cast<std::size_t>(file.size())));
  return std::string(as_text(bytes));
}

// Outward to whole pages: a neighbour's bytes on the first and last page come back from the page cache when needed.
void drop_pages(Bytes bytes) {
  if (bytes.empty()) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t begin = first / page * page;
  ::madvise(reinterpret_cast<void*>(begin), first + bytes.size() - begin, MADV_DONTNEED);
}

}  // namespace jackdaw::formats
