#include "src/api/resources/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/base/text.h"
#include "jackdaw/control/event_log.h"
#include "src/api/access/admit.h"
#include "src/api/resources/resource_call.h"

namespace jackdaw::api::resources {
namespace {

using control::ObjectEvent;
using spec::Json;

// The value of a field that a selector may name; nothing for others.
std::optional<std::string_view> field_of(const ObjectEvent& event, std::string_view name) {
  if (name == "involvedObject.name" || name == "regarding.name") return event.name;
  if (name == "involvedObject.namespace" || name == "metadata.namespace") return event.namespace_name;
  if (name == "involvedObject.kind") return event.kind;
  if (name == "involvedObject.uid") return event.uid;
  if (name == "involvedObject.apiVersion") return event.api_version;
  if (name == "type") return event.warning ? "Warning" : "Normal";
  if (name == "reason") return event.reason;
  return std::nullopt;
}

// "a=b,c!=d"; what cannot be compared matches nothing.
bool matches(const ObjectEvent& event, std::string_view selector) {
  while (!selector.empty()) {
    const std::size_t end = std::min(selector.find(','), selector.size());
    const std::string_view one = selector.substr(0, end);
    selector.remove_prefix(std::min(end + 1, selector.size()));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) return false;
    const bool negative = equals > 0 && one[equals - 1] == '!';
    const auto field = field_of(event, one.substr(0, equals - (negative ? 1 : 0)));
    std::string_view value = one.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    if (!field || (*field == value) == negative) return false;
  }
  return true;
}

Json event_json(const ObjectEvent& event) {
  const std::string id = std::to_string(event.id);
  return Json::object({{"kind", Json::text("Event")},
                       {"apiVersion", Json::text("v1")},
                       {"metadata", Json::object({{"name", Json::text(fmt::format("{}.{:016x}", event.name, event.id))},
                                                  {"namespace", Json::text(event.namespace_name)},
                                                  {"resourceVersion", Json::text(id)},
                                                  {"creationTimestamp", Json::text(rfc3339(event.first))}})},
                       {"involvedObject", Json::object({{"kind", Json::text(event.kind)},
                                                        {"namespace", Json::text(event.namespace_name)},
                                                        {"name", Json::text(event.name)},
                                                        {"uid", Json::text(event.uid)},
                                                        {"apiVersion", Json::text(event.api_version)}})},
                       {"reason", Json::text(event.reason)},
                       {"message", Json::text(event.message)},
                       {"source", Json::object({{"component", Json::text("jackdaw")}})},
                       {"firstTimestamp", Json::text(rfc3339(event.first))},
                       {"lastTimestamp", Json::text(rfc3339(event.last))},
                       {"count", Json::integer(event.count)},
                       {"type", Json::text(event.warning ? "Warning" : "Normal")},
                       {"eventTime", Json()},
                       {"reportingComponent", Json::text("jackdaw")},
                       {"reportingInstance", Json::text("")}});
}

}  // namespace

void list_events(const Call& call, std::string_view namespace_name) {
  const std::string selector = read_query(call.request()).field_selector;
  std::vector<Json> items;
  if (const control::EventLog* log = call.api->context.events) {
    for (const ObjectEvent& event : log->events()) {
      const bool here = namespace_name.empty() || event.namespace_name == namespace_name;
      if (here && may_use(call, event.name, event.namespace_name) && matches(event, selector))
        items.push_back(event_json(event));
    }
  }
  answer_json(call, Json::object({{"kind", Json::text("EventList")},
                                  {"apiVersion", Json::text("v1")},
                                  {"metadata", Json::object({{"resourceVersion", Json::text("0")}})},
                                  {"items", Json::array(std::move(items))}})
                        .dump());
}

}  // namespace jackdaw::api::resources
