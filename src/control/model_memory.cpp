#include "src/control/model_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace jackdaw::control {
namespace {

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

ModelMemory::ModelMemory(const MemoryLimits& limits, MetricsRegistry& metrics)
    : limits_(limits),
      bytes_gauge_(metrics.gauge("jackdaw_models_resident_bytes", "Memory of the loaded models.")),
      models_gauge_(metrics.gauge("jackdaw_models_loaded", "Models that are loaded.")),
      evictions_(metrics.counter("jackdaw_models_evicted_total", "Models unloaded to make room for others.")) {
  metrics.gauge("jackdaw_models_budget_bytes", "Memory that loaded models may take; 0 is no limit.")
      .set(static_cast<double>(limits.bytes));
}

// A loaded model that is loaded anew is in both lists, and is one.
std::size_t ModelMemory::count() const {
  const auto is_loaded = [this](const auto& reserved) { return loaded_.contains(reserved.first); };
  const auto both = std::count_if(reserved_.begin(), reserved_.end(), is_loaded);
  return loaded_.size() + reserved_.size() - static_cast<std::size_t>(both);
}

bool ModelMemory::has_room(std::uint64_t bytes, bool one_more) const {
  const std::size_t models = count() + (one_more ? 1 : 0);
  if (limits_.models_max > 0 && models > limits_.models_max) return false;
  return limits_.bytes == 0 || used_ + bytes <= limits_.bytes;
}

// The loaded model that was used longest ago, but for those passed over; "" when there is none. Models that were used
// since they were put in their place are put in their new one on the way, so the first that stays is the one.
std::string ModelMemory::least_recent(const std::map<std::string, bool>& passed) {
  for (auto at = by_use_.begin(); at != by_use_.end();) {
    Loaded& model = loaded_.find(at->second)->second;
    const Instant used = model.gate->last_used();
    if (used > at->first) {
      auto node = by_use_.extract(at++);
      node.key() = used;
      model.place = by_use_.insert(std::move(node));
      // It may belong right here.
      at = by_use_.begin();
      continue;
    }
    if (!passed.contains(at->second)) return at->second;
    ++at;
  }
  return {};
}

Error ModelMemory::too_large(const std::string& key, std::uint64_t bytes) const {
  if (limits_.models_max > 0 && count() >= limits_.models_max) {
    return make_error(Code::not_ready, "{} models are loaded, as many as may be, and each has requests at work.",
                      loaded_.size());
  }
  return make_error(Code::not_ready,
                    "{} needs about {:.1f} MiB, and {:.1f} of the {:.1f} MiB for models are taken by {} that cannot be "
                    "unloaded now; raise spec.memoryBudget of kind Daemon or stop another service.",
                    key, mebibytes(bytes), mebibytes(used_), mebibytes(limits_.bytes), loaded_.size());
}

Result<void> ModelMemory::reserve(const std::string& key, std::uint64_t bytes,
                                  const std::function<bool(const std::string&)>& evict) {
  std::map<std::string, bool> passed{{key, true}};
  for (;;) {
    std::string victim;
    {
      const std::lock_guard lock(mutex_);
      if (has_room(bytes, !loaded_.contains(key) && !reserved_.contains(key))) {
        used_ += bytes;
        reserved_[key] += bytes;
        return {};
      }
      victim = least_recent(passed);
      if (victim.empty()) return too_large(key, bytes);
    }
    passed.emplace(victim, true);
    if (evict(victim)) evictions_.add();
  }
}

bool ModelMemory::fits(const std::string& key, std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return has_room(bytes, !loaded_.contains(key) && !reserved_.contains(key));
}

void ModelMemory::release(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto at = reserved_.find(key);
  if (at == reserved_.end()) return;
  used_ -= at->second;
  reserved_.erase(at);
  show();
}

void ModelMemory::loaded(const std::string& key, std::uint64_t bytes, std::shared_ptr<const serving::Gate> gate) {
  const std::lock_guard lock(mutex_);
  if (const auto at = reserved_.find(key); at != reserved_.end()) {
    used_ -= at->second;
    reserved_.erase(at);
  }
  const auto [at, fresh] = loaded_.try_emplace(key);
  if (!fresh) {
    used_ -= at->second.bytes;
    by_use_.erase(at->second.place);
  }
  at->second.bytes = bytes;
  used_ += bytes;
  at->second.place = by_use_.emplace(gate->last_used(), key);
  at->second.gate = std::move(gate);
  show();
}

void ModelMemory::left(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto at = loaded_.find(key);
  if (at == loaded_.end()) return;
  used_ -= at->second.bytes;
  by_use_.erase(at->second.place);
  loaded_.erase(at);
  show();
}

// With the lock held.
void ModelMemory::show() {
  bytes_gauge_.set(static_cast<double>(used_));
  models_gauge_.set(static_cast<double>(loaded_.size()));
}

std::uint64_t ModelMemory::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

std::size_t ModelMemory::models() const {
  const std::lock_guard lock(mutex_);
  return loaded_.size();
}

}  // namespace jackdaw::control
