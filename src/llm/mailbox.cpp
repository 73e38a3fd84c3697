#include "src/llm/mailbox.h"

#include <utility>

namespace jackdaw::llm {

std::uint32_t Mailbox::queued_locked() const {
  return state_.waiting + unreported_ + static_cast<std::uint32_t>(arrivals_.size());
}

Mailbox::Push Mailbox::push(Arrival arrival) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Push::closed;
    const std::uint32_t free_places = places_ > state_.running ? places_ - state_.running : 0;
    if (queued_locked() >= queue_max_ + free_places) return Push::full;
    arrivals_.push_back(std::move(arrival));
    ++requests_;
  }
  arrived_.notify_one();
  return Push::taken;
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Mailbox::stop() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stop_ = true;
  }
  arrived_.notify_one();
}

void Mailbox::ask_abort() {
  {
    const std::lock_guard lock(mutex_);
    abort_ = true;
  }
  arrived_.notify_one();
}

bool Mailbox::wait_idle(Instant deadline) {
  std::unique_lock lock(mutex_);
  const auto done = [&] { return core_idle_ && arrivals_.empty() && unreported_ == 0; };
  if (deadline == Instant::max()) {
    idle_.wait(lock, done);
    return true;
  }
  return idle_.wait_until(lock, deadline, done);
}

Mailbox::Orders Mailbox::take(std::vector<Arrival>& out, bool wait) {
  std::unique_lock lock(mutex_);
  if (wait) arrived_.wait(lock, [&] { return !arrivals_.empty() || stop_ || abort_; });
  out.clear();
  std::swap(out, arrivals_);
  unreported_ += static_cast<std::uint32_t>(out.size());
  return {stop_, std::exchange(abort_, false)};
}

void Mailbox::report(const CoreState& state, bool idle) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
    unreported_ = 0;
    core_idle_ = idle;
    if (!idle) return;
  }
  idle_.notify_all();
}

CoreState Mailbox::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::uint32_t Mailbox::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_locked();
}

std::uint64_t Mailbox::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::uint64_t Mailbox::in_flight() const {
  const std::lock_guard lock(mutex_);
  return requests_ - state_.ended - state_.failed;
}

}  // namespace jackdaw::llm
