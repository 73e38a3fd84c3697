// ModelMemory: which models are loaded, what they take, and who leaves when another needs the room: the one whose last
// request is longest ago.
//
// Loads reserve before they begin, so that several at once stay within the budget together. Thread-safe. Every step
// costs the logarithm of the number of loaded models, whatever the number of declared ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/control/model_control.h"
#include "jackdaw/serving/gate.h"

namespace jackdaw::control {

class ModelMemory {
 public:
  ModelMemory(const MemoryLimits& limits, MetricsRegistry& metrics);

  // Room for a model that will take about `bytes`. Models make room by `evict`, called for one after the other without
  // a lock held; it unloads the model (which then says `left`) or returns false when it is in use. resource_exhausted,
  // with the numbers, when that is not enough. A model that is there already keeps what it has until `loaded`.
  Result<void> reserve(const std::string& key, std::uint64_t bytes,
                       const std::function<bool(const std::string&)>& evict);
  // Whether there is room for it without evicting anyone.
  bool fits(const std::string& key, std::uint64_t bytes) const;
  // The load has failed: its room is free.
  void release(const std::string& key);
  // It has ended: what the model really takes. `gate` says when it was used last.
  void loaded(const std::string& key, std::uint64_t bytes, std::shared_ptr<const serving::Gate> gate);
  void left(const std::string& key);

  std::uint64_t used_bytes() const;
  std::size_t models() const;

 private:
  struct Loaded {
    std::uint64_t bytes = 0;
    std::shared_ptr<const serving::Gate> gate;
    std::multimap<Instant, std::string>::iterator place;
  };
  std::size_t count() const;
  bool has_room(std::uint64_t bytes, bool one_more) const;
  std::string least_recent(const std::map<std::string, bool>& passed);
  Error too_large(const std::string& key, std::uint64_t bytes) const;
  void show();

  const MemoryLimits limits_;
  Gauge &bytes_gauge_, &models_gauge_;
  Counter& evictions_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Loaded> loaded_;
  // By the last use that was known when it was put there; a look brings it up to date (least_recent).
  std::multimap<Instant, std::string> by_use_;
  std::unordered_map<std::string, std::uint64_t> reserved_;
  std::uint64_t used_ = 0;  // of loaded_ and reserved_
};

}  // namespace jackdaw::control
