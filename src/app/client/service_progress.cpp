#include "src/app/client/service_progress.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace jackdaw::app {
namespace {

using spec::Json;

const Json* condition(const Json& object, std::string_view type) {
  const Json* list = object.find_path({"status", "conditions"});
  if (list == nullptr) return nullptr;
  const auto found = std::find_if(list->items().begin(), list->items().end(),
                                  [&](const Json& item) { return text_at(item, {"type"}) == type; });
  return found == list->items().end() ? nullptr : &*found;
}

std::int64_t integer_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? 0 : found->as_integer();
}

std::string reason_and_message(const Json& part) {
  const std::string reason = text_at(part, {"reason"}), message = text_at(part, {"message"});
  return reason.empty() || message.empty() ? reason + message : reason + ": " + message;
}

// KServe's reasons of lastFailureInfo that no waiting mends.
bool is_final(std::string_view reason) {
  constexpr std::array<std::string_view, 6> final{"ModelLoadFailed",      "InvalidPredictorSpec", "NoSupportingRuntime",
                                                  "RuntimeNotRecognized", "RuntimeUnhealthy",     "RuntimeDisabled"};
  return std::find(final.begin(), final.end(), reason) != final.end();
}

Duration left_until(Instant deadline) {
  return std::max<Duration>(deadline - system_clock().now(), Duration::zero());
}

}  // namespace

ServiceProgress progress_of(const Json& object) {
  if (integer_at(object, {"status", "observedGeneration"}) < integer_at(object, {"metadata", "generation"})) {
    return {Progress::under_way, "The daemon has not looked at it yet."};
  }
  const std::string transition = text_at(object, {"status", "modelStatus", "transitionStatus"});
  if (transition == "BlockedByFailedLoad" || transition == "InvalidSpec") {
    const Json* failure = object.find_path({"status", "modelStatus", "lastFailureInfo"});
    return {Progress::failed, failure == nullptr ? transition : reason_and_message(*failure)};
  }
  const Json* stopped = condition(object, "Stopped");
  if (stopped != nullptr && text_at(*stopped, {"status"}) == "True") return {Progress::done, "Stopped"};
  const Json* ready = condition(object, "Ready");
  if (ready == nullptr) return {Progress::under_way, "The daemon has not looked at it yet."};
  const std::string status = text_at(*ready, {"status"});
  if (status == "True") return {Progress::done, "Ready"};
  const std::string reason = text_at(*ready, {"reason"});
  if (status == "False" && reason == "Stopped") return {Progress::done, "Stopped"};
  if (status == "False" && is_final(reason)) return {Progress::failed, reason_and_message(*ready)};
  const std::string words = reason_and_message(*ready);
  return {Progress::under_way, words.empty() ? "Ready is " + status : words};
}

Result<ServiceProgress> wait_until_settled(ApiClient& client, const ResourceType& type,
                                           const std::string& namespace_name, const std::string& name, Instant deadline,
                                           ServiceProgress (*look)(const Json&)) {
  for (;;) {
    ApiOutcome now = client.get(type.path(namespace_name, name));
    if (!now.ok()) return now.error ? *now.error : make_error(Code::not_found, "{}", refusal_text(*now.refusal));
    ServiceProgress progress = look(now.answer.body);
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(left_until(deadline)).count() + 1;
    if (progress.state != Progress::under_way || left_until(deadline) == Duration::zero()) return progress;
    ApiRequest watch;
    watch.path = type.path(namespace_name) + "?watch=true&fieldSelector=" + percent_encoded("metadata.name=" + name) +
                 "&resourceVersion=" + text_at(now.answer.body, {"metadata", "resourceVersion"}) +
                 "&timeoutSeconds=" + std::to_string(left);
    watch.timeout = std::chrono::seconds(left + 1);
    // What a change means is looked up above; a watch that ends or fails only means to look again.
    const ApiOutcome ended = client.watch(watch, [&](const WatchedEvent& event) {
      if (event.type != "MODIFIED" && event.type != "ADDED") return event.type == "BOOKMARK";
      progress = look(event.object);
      return progress.state == Progress::under_way && left_until(deadline) > Duration::zero();
    });
    if (progress.state != Progress::under_way) return progress;
    if (!ended.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

Result<void> wait_until_gone(ApiClient& client, const ResourceType& type, const std::string& namespace_name,
                             const std::string& name, Instant deadline) {
  Duration pause = std::chrono::milliseconds(5);
  for (;;) {
    const ApiOutcome now = client.get(type.path(namespace_name, name));
    if (now.error) return *now.error;
    if (now.refusal) return {};
    if (left_until(deadline) == Duration::zero()) {
      return make_error(Code::deadline_exceeded, "{}/{} is still there; a finalizer may hold it", type.full_name(),
                        name);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(500));
  }
}

}  // namespace jackdaw::app
