// InputFile: a regular file opened for reading, and what reads from it: ByteSource for headers, Mapping for weights.
//
// Headers are read with pread, so a file that shrinks meanwhile is an error and not a signal. Weights are mapped: a
// file cut short by someone while it is mapped raises SIGBUS in whoever touches the lost pages, as for every program
// that maps files. Replace models by renaming a new file into place, never by writing into the old one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

// Bytes at offsets, wherever they are.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `out`; false when the bytes are not there.
  virtual bool read(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

// Bytes at hand; they must outlive it.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  bool read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  Bytes bytes_;
};

// A whole file in memory, read-only, shared with the page cache. Unmaps itself.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, std::size_t size) : address_(address), size_(size) {}
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  Bytes bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

class InputFile final : public ByteSource {
 public:
  // Errors: not_found, permission_denied, io_error; invalid_argument for what is no regular file. `where` is the path.
  static Result<InputFile> open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile() override;

  const std::string& path() const { return path_; }
  std::uint64_t size() const override { return size_; }  // when it was opened
  bool read(std::uint64_t offset, std::span<std::byte> out) const override;
  // Bytes [begin, begin + count), fewer at the file's end.
  Result<std::vector<std::byte>> read(std::uint64_t begin, std::size_t count) const;
  // The `size()` bytes it had when it was opened; refused when it has fewer now. Lasts longer than the InputFile.
  Result<Mapping> map() const;

 private:
  InputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  // Bytes read, fewer than asked for at the file's end; -1 with errno.
  std::int64_t read_some(std::uint64_t offset, std::span<std::byte> out) const;

  int fd_ = -1;
  std::string path_;
  std::uint64_t size_ = 0;
};

// A small text file as a whole. too_large beyond `bytes_max`.
Result<std::string> read_text_file(const std::string& path, std::uint64_t bytes_max);

// The kernel drops the pages that hold these bytes of a Mapping from resident memory; reading them again is possible
// and fetches them anew.
void drop_pages(Bytes bytes);

}  // namespace jackdaw::formats
