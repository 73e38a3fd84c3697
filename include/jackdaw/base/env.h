// Env: time, randomness, the network and "later" as arguments, so that tests and the simulator can swap the world.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw {

using Duration = std::chrono::nanoseconds;
// Monotonic; only differences mean anything.
struct MonotonicTag {};
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Wall clock, UTC.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
  virtual WallTime wall() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
};

// Runs work on one thread, in order. `post` may be called from any thread; what it is given runs on the owner thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> work) = 0;
  // Runs `work` at or after `deadline`; the returned id cancels it. Owner thread only.
  virtual std::uint64_t at(Instant deadline, std::function<void()> work) = 0;
  // True when the work had not run yet and never will.
  virtual bool cancel(std::uint64_t timer) = 0;
};

// Datagrams and streams between cluster peers (memberlist's Transport). Receivers are set once, before traffic.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual std::string local_address() const = 0;
  virtual Result<void> send_packet(std::string_view address, std::string_view payload) = 0;
  virtual void on_packet(std::function<void(std::string from, std::string payload)> receiver) = 0;
};

struct Env {
  Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Transport* transport = nullptr;  // null outside a cluster
};

// The real clock and a random source seeded by the kernel; both live as long as the process and are thread-safe.
Clock& system_clock();
Random& system_random();

// A random (version 4) UUID in its usual text form, as KServe and MLServer make for requests without an id.
std::string make_uuid(Random& random);

}  // namespace jackdaw
