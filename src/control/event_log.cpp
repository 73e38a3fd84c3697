#include "jackdaw/control/event_log.h"

#include <algorithm>
#include <utility>

#include "src/control/object_meta.h"

namespace jackdaw::control {

void EventLog::record(const spec::Json& object, bool warning, std::string reason, std::string message) {
  const WallTime now = clock_.wall();
  const std::string uid(text_at(object, {"metadata", "uid"}));
  const std::lock_guard lock(mutex_);
  // The last of this object, said again, is only counted.
  const auto same_object = [&](const ObjectEvent& event) { return event.uid == uid; };
  const auto last = std::find_if(events_.rbegin(), events_.rend(), same_object);
  if (last != events_.rend() && last->reason == reason && last->message == message) {
    ++last->count;
    last->last = now;
    return;
  }
  ObjectEvent event;
  event.api_version = text_at(object, {"apiVersion"});
  event.kind = text_at(object, {"kind"});
  event.namespace_name = text_at(object, {"metadata", "namespace"});
  event.name = text_at(object, {"metadata", "name"});
  event.uid = uid;
  event.warning = warning;
  event.reason = std::move(reason);
  event.message = std::move(message);
  event.first = event.last = now;
  event.id = ++last_id_;
  events_.push_back(std::move(event));
  if (events_.size() > events_max_) events_.pop_front();
}

std::vector<ObjectEvent> EventLog::events() const {
  const std::lock_guard lock(mutex_);
  return {events_.begin(), events_.end()};
}

}  // namespace jackdaw::control
