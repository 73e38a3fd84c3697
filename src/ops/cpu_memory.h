// Memory of the CPU backend: whole mappings, zeroed, in huge pages where the kernel gives them, and an arena that hands
// out aligned pieces of such mappings for weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::ops {

inline constexpr std::size_t memory_alignment = 64;

constexpr std::size_t aligned_bytes(std::size_t bytes) {
  return (bytes + memory_alignment - 1) / memory_alignment * memory_alignment;
}

// One anonymous mapping, aligned to 2 MiB. Pages nobody touches occupy nothing.
class Mapping {
 public:
  Mapping() = default;
  // Errors: resource_exhausted. Size 0 gives an empty mapping.
  static Result<Mapping> make(std::size_t bytes);
  Mapping(Mapping&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        mapped_(std::exchange(other.mapped_, 0)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_, other.mapped_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* base_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Hands out zeroed pieces aligned to 64 bytes; nothing is given back before the end.
class Arena {
 public:
  Result<std::byte*> allocate(std::size_t bytes);
  // Sum of the pieces, each rounded up to 64 bytes.
  std::uint64_t used() const { return used_; }

 private:
  std::vector<Mapping> chunks_;
  std::size_t taken_ = 0;  // of the last chunk
  std::uint64_t used_ = 0;
};

}  // namespace jackdaw::ops
