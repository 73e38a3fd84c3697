// What this machine can do at best, measured by the same threads and in the same run as what it is compared with.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::app {

class MachineLimits {
 public:
  // Takes 256 MB for the reads; touches them once.
  explicit MachineLimits(ops::ThreadPool& pool);
  ~MachineLimits();
  MachineLimits(const MachineLimits&) = delete;
  MachineLimits& operator=(const MachineLimits&) = delete;

  double read_bytes_per_second();          // once through the 256 MB
  double int8_multiply_adds_per_second();  // some 20 ms

 private:
  ops::ThreadPool& pool_;
  std::byte* memory_ = nullptr;
};

}  // namespace jackdaw::app
