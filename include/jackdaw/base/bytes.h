// ByteReader: the one way jackdaw reads bytes it does not trust. Every read checks the length first; nothing throws.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace jackdaw {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
concept Scalar = std::is_arithmetic_v<T>;

// Byte-swapped copy of an arithmetic value.
template <Scalar T>
T byte_swapped(T value) {
  std::byte raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  for (std::size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(raw[i], raw[sizeof(T) - 1 - i]);
  std::memcpy(&value, raw, sizeof(T));
  return value;
}

// A cursor over bytes owned by someone else, who must outlive it. Reads return false and leave the cursor where it
// was when too few bytes remain.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return offset_ == bytes_.size(); }
  Bytes rest() const { return bytes_.subspan(offset_); }
  Bytes all() const { return bytes_; }

  bool seek(std::size_t offset) {
    if (offset > bytes_.size()) return false;
    offset_ = offset;
    return true;
  }
  bool skip(std::size_t count) {
    if (count > remaining()) return false;
    offset_ += count;
    return true;
  }
  bool take(std::size_t count, Bytes& out) {
    if (count > remaining()) return false;
    out = bytes_.subspan(offset_, count);
    offset_ += count;
    return true;
  }
  // Bytes up to, not including, the next `end`; the cursor moves past it. False when `end` does not come.
  bool take_until(char end, std::string_view& out);
  bool peek(std::uint8_t& out) const {
    if (at_end()) return false;
    out = static_cast<std::uint8_t>(bytes_[offset_]);
    return true;
  }

  template <Scalar T>
  bool read_le(T& out) {
    if (!read_raw(out)) return false;
    if constexpr (std::endian::native == std::endian::big) out = byte_swapped(out);
    return true;
  }
  template <Scalar T>
  bool read_be(T& out) {
    if (!read_raw(out)) return false;
    if constexpr (std::endian::native == std::endian::little) out = byte_swapped(out);
    return true;
  }

 private:
  template <Scalar T>
  bool read_raw(T& out) {
    if (sizeof(T) > remaining()) return false;
    std::memcpy(&out, bytes_.data() + offset_, sizeof(T));
    offset_ += sizeof(T);
    return true;
  }

  Bytes bytes_;
  std::size_t offset_ = 0;
};

// Arithmetic that says when it would overflow: false and `out` untouched.
template <std::integral T>
[[nodiscard]] bool checked_mul(T a, T b, T& out) {
  T value;
  if (__builtin_mul_overflow(a, b, &value)) return false;
  out = value;
  return true;
}
template <std::integral T>
[[nodiscard]] bool checked_add(T a, T b, T& out) {
  T value;
  if (__builtin_add_overflow(a, b, &value)) return false;
  out = value;
  return true;
}

// Product of a shape's dimensions; false when one is negative or the product does not fit std::int64_t.
[[nodiscard]] bool element_count(std::span<const std::int64_t> shape, std::int64_t& out);

}  // namespace jackdaw
