// Heap and Failure: the two things every part of the template engine leans on.
//
// Heap is a bump allocator that lives for one rendering: values are never freed one by one, so there are no reference
// counts and no cycles to break, and "memory of all values made" is simply what was handed out. Only trivially
// destructible things live in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::text::jinja {

// Thrown inside the engine and turned into an Error at its border (chat_template.cpp). `position` is a byte offset of
// the template; the evaluator adds it when the throwing code did not know one.
struct Failure {
  static constexpr std::uint32_t nowhere = 0xFFFFFFFF;
  Code code = Code::invalid_argument;
  std::string message;
  std::uint32_t position = nowhere;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{Code::invalid_argument, fmt::format(format, std::forward<Args>(args)...), Failure::nowhere};
}
template <typename... Args>
[[noreturn]] void fail_limit(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure{Code::too_large, fmt::format(format, std::forward<Args>(args)...), Failure::nowhere};
}

class Heap {
 public:
  explicit Heap(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void* allocate(std::size_t bytes, std::size_t align) {
    std::size_t start = (used_ + align - 1) & ~(align - 1);
    if (start + bytes > size_ || start < used_ || bytes > size_) {
      grow(bytes + align);
      start = (used_ + align - 1) & ~(align - 1);
    }
    used_ = start + bytes;
    charge(bytes);
    return block_ + start;
  }
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }
  template <typename T>
  T* array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count > bytes_max_ / sizeof(T)) fail_limit("the template needs more than {} bytes of memory", bytes_max_);
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = array<char>(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  // Counts memory held elsewhere (buffers being filled) against the limit.
  void charge(std::size_t bytes) {
    total_ += bytes;
    if (total_ > bytes_max_) fail_limit("the template needs more than {} bytes of memory", bytes_max_);
  }

 private:
  void grow(std::size_t least) {
    if (total_ + least > bytes_max_ + 64) fail_limit("the template needs more than {} bytes of memory", bytes_max_);
    std::size_t bytes = blocks_.empty() ? 16 << 10 : 64 << 10;
    if (blocks_.size() > 16) bytes = 1 << 20;
    if (bytes < least) bytes = least;
    blocks_.push_back(std::unique_ptr<char[]>(new char[bytes]));
    block_ = blocks_.back().get();
    size_ = bytes;
    used_ = 0;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* block_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
  std::size_t total_ = 0;
  std::size_t bytes_max_;
};

}  // namespace jackdaw::text::jinja
