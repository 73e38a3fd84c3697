// EventLog: what happened to declared objects lately, as `kubectl describe` shows it. In memory and bounded; the oldest
// go first. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::control {

struct ObjectEvent {
  std::string api_version;  // of the object
  std::string kind;
  std::string namespace_name;
  std::string name;
  std::string uid;
  bool warning = false;
  std::string reason;  // "Ready", "ModelLoadFailed", ...
  std::string message;
  WallTime first{};
  WallTime last{};
  int count = 1;  // how often in a row
  std::uint64_t id = 0;
};

class EventLog {
 public:
  explicit EventLog(Clock& clock, std::size_t events_max = 512) : clock_(clock), events_max_(events_max) {}

  void record(const spec::Json& object, bool warning, std::string reason, std::string message);
  std::vector<ObjectEvent> events() const;  // the oldest first

 private:
  Clock& clock_;
  const std::size_t events_max_;
  mutable std::mutex mutex_;
  std::deque<ObjectEvent> events_;
  std::uint64_t last_id_ = 0;
};

}  // namespace jackdaw::control
