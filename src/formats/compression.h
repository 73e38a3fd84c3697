// Whole-file compression as joblib writes it, found by magic bytes (joblib/compressor.py, numpy_pickle_utils.py):
//   78 zlib · 1f 8b gzip · "BZ" bzip2 · fd "7zXZ" xz · 5d 00 lzma alone · 04 22 4d 18 lz4 frame
//   "ZF" joblib < 0.10: 17 hex digits of the length padded to 19 characters, then a zlib stream
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

enum class Compression : unsigned char { none, zlib, gzip, bzip2, xz, lzma, lz4, zfile };
std::string_view compression_name(Compression compression);
Compression detect_compression(Bytes file);

// Bytes on the heap that grow without being zeroed first. Move-only.
class ByteStore {
 public:
  ByteStore() = default;
  explicit ByteStore(std::vector<std::byte> bytes);
  ByteStore(ByteStore&& other) noexcept;
  ByteStore& operator=(ByteStore&& other) noexcept;
  ~ByteStore();

  Bytes bytes() const { return data_ != nullptr ? Bytes{data_, size_} : Bytes{vector_}; }
  // Where the next bytes go; at least `want` of room after a call that returned true.
  bool reserve_more(std::size_t want);
  std::byte* tail() { return data_ + size_; }
  std::size_t room() const { return capacity_ - size_; }
  void advance(std::size_t written) { size_ += written; }
  std::size_t size() const { return bytes().size(); }

 private:
  std::vector<std::byte> vector_;
  std::byte* data_ = nullptr;  // malloc'd; wins over vector_ when set
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

struct DecompressLimits {
  std::uint64_t bytes_max = 4ull << 30;
  std::uint64_t expansion_max = 100;            // decompressed / compressed, once past expansion_floor
  std::uint64_t expansion_floor = 64ull << 20;  // bytes that any file may expand to
};

// The bytes inside `file`. Members and streams that follow each other (gzip, bzip2, xz) are joined; bytes after the
// last one that start no new member are ignored, as Python does. Errors: parse_error with the offset of the damage in
// the compressed file, too_large for a bomb.
Result<ByteStore> decompress(Bytes file, Compression compression, const DecompressLimits& limits);

}  // namespace jackdaw::formats
