// HybridClock: times that never go back and say who wrote (hybrid logical clocks; Kulkarni, Demirbas et al. 2014).
// One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/env.h"

namespace jackdaw::control {

// As text "0001934f2a7bc1d0-0003-node": milliseconds since 1970 and a counter in hexadecimal of fixed width, so that
// text order is time order; the node breaks ties.
class HybridClock {
 public:
  explicit HybridClock(std::string node_name) : node_name_(std::move(node_name)) {}

  // A time after every one that was told or seen so far.
  std::string tick(WallTime wall);
  // Another node's time, or one from disk; what is no time is left out of account.
  void saw(std::string_view version);

 private:
  std::string node_name_;
  std::uint64_t ms_ = 0;
  std::uint32_t counter_ = 0;
};

}  // namespace jackdaw::control
