// HeaderReader: a cursor over a ByteSource, for binary headers whose length is not known before they are read.
// Reads through a window of 256 KiB; every read checks the length first.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "src/formats/input_file.h"

namespace jackdaw::formats {

class HeaderReader {
 public:
  // Sees only the first `bytes_max` bytes. `source` must outlive it.
  explicit HeaderReader(const ByteSource& source, std::uint64_t bytes_max)
      : source_(source), end_(std::min(source.size(), bytes_max)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return end_ - offset_; }

  // False, with the cursor where it was, when too few bytes remain.
  bool take(std::span<std::byte> out) {
    if (out.size() > remaining()) return false;
    if (out.size() > window_bytes) {
      if (!source_.read(offset_, out)) return false;
    } else {
      if (!in_window(out.size()) && !fill()) return false;
      if (!out.empty()) std::memcpy(out.data(), window_.data() + (offset_ - window_begin_), out.size());
    }
    offset_ += out.size();
    return true;
  }
  template <Scalar T>
  bool read_le(T& out) {
    return take(std::as_writable_bytes(std::span<T, 1>(&out, 1)));
  }
  bool take(std::uint64_t count, std::string& out) {
    if (count > remaining()) return false;
    out.resize(static_cast<std::size_t>(count));
    return take(std::as_writable_bytes(std::span(out.data(), out.size())));
  }
  bool skip(std::uint64_t count) {
    if (count > remaining()) return false;
    offset_ += count;
    return true;
  }

 private:
  static constexpr std::size_t window_bytes = 256 << 10;
  static_assert(std::endian::native == std::endian::little);

  bool in_window(std::size_t count) const {
    return offset_ >= window_begin_ && offset_ - window_begin_ + count <= window_.size();
  }
  bool fill() {
    window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes, end_ - offset_)));
    window_begin_ = offset_;
    if (source_.read(offset_, window_)) return true;
    window_.clear();
    return false;
  }

  const ByteSource& source_;
  std::uint64_t end_;
  std::uint64_t offset_ = 0;
  std::uint64_t window_begin_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace jackdaw::formats
