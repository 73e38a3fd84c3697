#include "src/control/repeated_fault.h"

#include <chrono>
#include <utility>

namespace jackdaw::control {
namespace {

constexpr Duration silence = std::chrono::minutes(1);

}  // namespace

std::uint64_t RepeatedFault::came(std::string_view reason, Instant now) {
  ++unsaid_;
  if (said_at_ && reason_ == reason && now - *said_at_ < silence) return 0;
  reason_ = reason;
  said_at_ = now;
  said_last_ = true;
  return std::exchange(unsaid_, 0);
}

bool RepeatedFault::went() {
  return std::exchange(said_last_, false);
}

}  // namespace jackdaw::control
