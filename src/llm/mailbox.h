// Mailbox: how requests reach the engine thread, and what that thread tells the others of its state. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "src/llm/engine_core.h"

namespace jackdaw::llm {

class Mailbox {
 public:
  // `places`: requests that may run at once; `queue_max`: that may wait beside them.
  Mailbox(std::uint32_t places, std::uint32_t queue_max) : places_(places), queue_max_(queue_max) {}

  enum class Push { taken, full, closed };
  Push push(Arrival arrival);
  // From now on push() answers `closed`.
  void close();
  // Wakes the engine thread, which finds `stop` set.
  void stop();
  // Waits until every request has ended; false at the deadline.
  bool wait_idle(Instant deadline);
  // The engine thread ends whatever is there.
  void ask_abort();

  struct Orders {
    bool stop = false;
    bool abort = false;
  };
  // Engine thread: takes what has come; with `wait` sleeps until there is something.
  Orders take(std::vector<Arrival>& out, bool wait);
  // Engine thread: what the others may know after a step; `idle`: no request is left.
  void report(const CoreState& state, bool idle);

  CoreState state() const;
  std::uint32_t queued() const;    // requests that wait for a place
  std::uint64_t requests() const;  // taken so far
  std::uint64_t in_flight() const;

 private:
  std::uint32_t queued_locked() const;

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable idle_;
  std::vector<Arrival> arrivals_;
  CoreState state_;
  std::uint32_t unreported_ = 0;  // taken by the engine thread, not in state_ yet
  std::uint64_t requests_ = 0;
  bool core_idle_ = true;
  bool closed_ = false;
  bool stop_ = false;
  bool abort_ = false;
  const std::uint32_t places_;
  const std::uint32_t queue_max_;
};

}  // namespace jackdaw::llm
