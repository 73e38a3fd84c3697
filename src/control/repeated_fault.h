// RepeatedFault: a fault that comes again and again is said when its reason is another than before, else once a minute
// with how often it has come; also when it comes and goes. Pure: the time goes in. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "jackdaw/base/env.h"

namespace jackdaw::control {

class RepeatedFault {
 public:
  // It has come: how often since it was said last, this time included; 0: not to be said now.
  std::uint64_t came(std::string_view reason, Instant now);
  // All is well: whether that is to be said, because the last that was said is a fault.
  bool went();

 private:
  std::string reason_;
  std::optional<Instant> said_at_;
  std::uint64_t unsaid_ = 0;
  bool said_last_ = false;
};

}  // namespace jackdaw::control
