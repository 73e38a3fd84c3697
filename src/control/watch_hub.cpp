#include "src/control/watch_hub.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace jackdaw::control {
namespace {

// An object that begins to match a selector is new to the watcher, and one that ceases to is gone.
std::optional<WatchEvent> event_for(const WatchScope& scope, const StoreChange& change) {
  if (change.kind != scope.kind) return std::nullopt;
  if (!scope.namespace_name.empty() && scope.namespace_name != change.namespace_name) return std::nullopt;
  const bool was = change.before != nullptr && scope.selector.matches(*change.before);
  const bool is = change.type != EventType::deleted && scope.selector.matches(*change.object);
  if (!was && !is) return std::nullopt;
  if (was && is) return WatchEvent{EventType::modified, change.object, change.resource_version, false};
  if (is) return WatchEvent{EventType::added, change.object, change.resource_version, false};
  if (change.type == EventType::deleted)
    return WatchEvent{EventType::deleted, change.object, change.resource_version, false};
  spec::Json last = *change.before;
  last.member("metadata").set("resourceVersion", spec::Json::text(std::to_string(change.resource_version)));
  return WatchEvent{EventType::deleted, std::make_shared<const spec::Json>(std::move(last)), change.resource_version,
                    false};
}

}  // namespace

void WatchHub::join(std::shared_ptr<WatchQueue> queue) {
  queues_.push_back(std::move(queue));
}

void WatchHub::leave(const WatchQueue& queue) {
  std::erase_if(queues_, [&](const auto& one) { return one.get() == &queue; });
}

void WatchHub::replay(WatchQueue& queue, std::uint64_t version) const {
  for (const StoreChange& change : history_) {
    if (change.resource_version <= version) continue;
    if (auto event = event_for(queue.scope, change)) queue.events.push_back(std::move(*event));
  }
}

std::map<std::string, ObjectPtr, std::less<>> WatchHub::written_over(std::uint64_t version,
                                                                     std::string_view prefix) const {
  std::map<std::string, ObjectPtr, std::less<>> out;
  for (auto change = history_.rbegin(); change != history_.rend() && change->resource_version > version; ++change) {
    if (change->key.starts_with(prefix)) out[change->key] = change->before;  // the earliest has the last word
  }
  return out;
}

std::vector<std::function<void()>> WatchHub::publish(StoreChange change) {
  std::vector<std::function<void()>> wakes;
  for (const auto& queue : queues_) {
    deliver(*queue, change);
    wake_up(*queue, wakes);
  }
  remember(std::move(change));
  return wakes;
}

std::vector<std::function<void()>> WatchHub::end() {
  ended_ = true;
  std::vector<std::function<void()>> wakes;
  for (const auto& queue : queues_) {
    queue->events.clear();
    queue->expired = true;
    wake_up(*queue, wakes);
  }
  return wakes;
}

void WatchHub::deliver(WatchQueue& queue, const StoreChange& change) const {
  if (queue.expired) return;
  auto event = event_for(queue.scope, change);
  if (!event) return;
  if (queue.events.size() >= queue.initial + limits_.queue_max) {
    queue.events = {};
    queue.expired = true;
    return;
  }
  queue.events.push_back(std::move(*event));
}

void WatchHub::remember(StoreChange change) {
  history_bytes_ += change.bytes;
  history_.push_back(std::move(change));
  while (history_.size() > limits_.history_max || history_bytes_ > limits_.history_bytes_max) {
    history_begin_ = history_.front().resource_version;
    history_bytes_ -= history_.front().bytes;
    history_.pop_front();
  }
}

void WatchHub::wake_up(WatchQueue& queue, std::vector<std::function<void()>>& wakes) const {
  const bool something = queue.expired || !queue.events.empty();
  if (!something || queue.woken || !queue.wake) return;
  queue.woken = true;
  wakes.push_back(queue.wake);
}

}  // namespace jackdaw::control
