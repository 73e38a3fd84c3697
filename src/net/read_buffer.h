// ReadBuffer: the bytes of a connection that have been read and not yet used up, in one growing piece of memory.
//
// A request's views point into it. While a request that is answered later still points into it, the buffer is shared:
// then it is only appended to, and a connection that needs more room takes a new buffer and copies the unused tail.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace jackdaw::net {

// Bytes that all connections may hold for request bodies, together. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  bool take(std::size_t bytes) {
    const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
    if (bytes <= bytes_max_ && before <= bytes_max_ - bytes) return true;
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  void give(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t bytes_max_;
  std::atomic<std::size_t> used_{0};
};

// A part of a budget, given back when it goes.
class BudgetShare {
 public:
  BudgetShare() = default;
  BudgetShare(BudgetShare&& other) noexcept : budget_(std::move(other.budget_)), bytes_(other.bytes_) {
    other.bytes_ = 0;
  }
  BudgetShare& operator=(BudgetShare&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = std::move(other.budget_);
      bytes_ = other.bytes_;
      other.bytes_ = 0;
    }
    return *this;
  }
  ~BudgetShare() { release(); }

  // Sets the share to `bytes`; false, and nothing changed, when the budget has no more.
  bool resize(const std::shared_ptr<MemoryBudget>& budget, std::size_t bytes) {
    if (bytes > bytes_ && !budget->take(bytes - bytes_)) return false;
    if (bytes < bytes_) budget->give(bytes_ - bytes);
    budget_ = budget;
    bytes_ = bytes;
    return true;
  }
  void release() {
    if (bytes_ != 0) budget_->give(bytes_);
    bytes_ = 0;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

class ReadBuffer {
 public:
  // Buffers up to this size are not counted against the budget: connections_max bounds them.
  static constexpr std::size_t free_bytes = 64 * 1024;

  ReadBuffer() = default;
  ~ReadBuffer() { std::free(data_); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  // False when the budget or the machine has no memory left; the bytes stay as they are.
  bool reserve(std::size_t capacity, const std::shared_ptr<MemoryBudget>& budget) {
    if (capacity <= capacity_) return true;
    if (!share_.resize(budget, capacity > free_bytes ? capacity : 0)) return false;
    char* moved = static_cast<char*>(std::realloc(data_, capacity));
    if (moved == nullptr) return false;
    data_ = moved;
    capacity_ = capacity;
    return true;
  }
  std::size_t capacity() const { return capacity_; }
  std::size_t room() const { return capacity_ - end; }
  char* data() { return data_; }
  const char* data() const { return data_; }
  std::string_view unused() const { return {data_ + begin, end - begin}; }

  std::size_t begin = 0;  // first byte not used up
  std::size_t end = 0;    // behind the last byte read

 private:
  char* data_ = nullptr;
  std::size_t capacity_ = 0;
  BudgetShare share_;
};

}  // namespace jackdaw::net
