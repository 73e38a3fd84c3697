// WatchHub: the last changes of the store, and who is told of them.
//
// Not thread-safe: the store's mutex guards it, and every call is brief. Wake-ups are given back to be called once that
// mutex is free.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/control/resource_store.h"
#include "src/control/selector.h"

namespace jackdaw::control {

using ObjectPtr = std::shared_ptr<const spec::Json>;

// One write: what was there before (null: created) and what is there now (of a deletion, the object as it was, with
// the deletion's resourceVersion).
struct StoreChange {
  EventType type = EventType::added;
  const ResourceKind* kind = nullptr;
  std::string namespace_name;
  std::string key;  // the object's in the store
  ObjectPtr before;
  ObjectPtr object;
  std::uint64_t resource_version = 0;
  std::size_t bytes = 0;  // of the object's text, for the bound of the history
};

// Which changes a watch is about.
struct WatchScope {
  const ResourceKind* kind = nullptr;
  std::string namespace_name;  // "" = all
  ObjectSelector selector;
};

// What a watch has not taken yet.
struct WatchQueue {
  WatchScope scope;
  std::function<void()> wake;
  std::vector<WatchEvent> events;
  std::size_t initial = 0;  // how many of `events` began the watch; they do not count against the bound
  bool expired = false;
  bool woken = false;
};

class WatchHub {
 public:
  struct Limits {
    std::size_t history_max = 4096;
    std::size_t history_bytes_max = 1u << 20;
    std::size_t queue_max = 1024;
  };

  WatchHub(Limits limits, std::uint64_t version) : limits_(limits), history_begin_(version) {}

  // Everything after this version is remembered.
  std::uint64_t history_begin() const { return history_begin_; }
  // What stood at that version under the keys with the prefix that were written since; null: nothing. The version must
  // not lie before history_begin().
  std::map<std::string, ObjectPtr, std::less<>> written_over(std::uint64_t version, std::string_view prefix) const;
  bool ended() const { return ended_; }

  // From now on `queue` gets what is published.
  void join(std::shared_ptr<WatchQueue> queue);
  void leave(const WatchQueue& queue);
  // Puts what was written after `version` into the queue.
  void replay(WatchQueue& queue, std::uint64_t version) const;

  std::vector<std::function<void()>> publish(StoreChange change);
  std::vector<std::function<void()>> end();

 private:
  void deliver(WatchQueue& queue, const StoreChange& change) const;
  void remember(StoreChange change);
  void wake_up(WatchQueue& queue, std::vector<std::function<void()>>& wakes) const;

  const Limits limits_;
  std::uint64_t history_begin_ = 0;
  std::deque<StoreChange> history_;
  std::size_t history_bytes_ = 0;
  std::vector<std::shared_ptr<WatchQueue>> queues_;
  bool ended_ = false;
};

}  // namespace jackdaw::control
