#include "src/control/service_status.h"

#include <fmt/format.h>

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/text.h"

namespace jackdaw::control {
namespace {

using spec::Json;

std::string timestamp(WallTime now) {
  using namespace std::chrono;
  const auto seconds = floor<std::chrono::seconds>(now);
  const auto day = floor<days>(seconds);
  const year_month_day date{day};
  const hh_mm_ss time{seconds - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

struct Condition {
  std::string_view type;
  std::string_view status;  // "True", "False", "Unknown"
  std::string reason;
  std::string message;
};

const Json* condition_of(const Json* status, std::string_view type) {
  const Json* list = status == nullptr ? nullptr : status->find("conditions");
  if (list == nullptr) return nullptr;
  for (const Json& item : list->items()) {
    const Json* own = item.find("type");
    if (own != nullptr && own->as_text() == type) return &item;
  }
  return nullptr;
}

// In KServe's order of members.
Json condition_json(const Condition& condition, const Json* old_status, const std::string& now) {
  const Json* old = condition_of(old_status, condition.type);
  const Json* old_value = old == nullptr ? nullptr : old->find("status");
  const Json* old_time = old == nullptr ? nullptr : old->find("lastTransitionTime");
  const bool stays = old_value != nullptr && old_time != nullptr && old_value->as_text() == condition.status;
  Json out = Json::object({{"lastTransitionTime", stays ? *old_time : Json::text(now)}});
  if (!condition.message.empty()) out.set("message", Json::text(condition.message));
  if (!condition.reason.empty()) out.set("reason", Json::text(condition.reason));
  out.set("status", Json::text(std::string(condition.status)));
  out.set("type", Json::text(std::string(condition.type)));
  return out;
}

std::string_view truth_of(const ServiceState& state) {
  if (state.phase == ServicePhase::ready) return "True";
  return state.phase == ServicePhase::loading ? "Unknown" : "False";
}

// Ready and whatever it is made of, by the kind's own names.
std::vector<Condition> conditions_of(const ServiceState& state, bool language_model) {
  const std::string_view truth = truth_of(state);
  std::string reason = state.reason;
  std::string message = state.message;
  if (state.phase == ServicePhase::loading) reason = "Loading", message = "The model is being loaded.";
  if (state.phase == ServicePhase::stopped) reason = "Stopped", message = "The service is stopped.";
  std::vector<Condition> out;
  const auto add = [&](std::string_view type) { out.push_back({type, truth, reason, message}); };
  if (language_model) {
    out.push_back({"PresetsCombined", "True", "", ""});
    for (const auto type : {"MainWorkloadReady", "WorkloadsReady", "HTTPRoutesReady", "RouterReady", "Ready"})
      add(type);
    return out;
  }
  for (const auto type : {"IngressReady", "PredictorReady", "Ready"}) add(type);
  const bool stopped = state.phase == ServicePhase::stopped;
  out.push_back({"Stopped", stopped ? "True" : "False", "", ""});
  return out;
}

Json model_status(const ServiceState& state, const std::string& revision, const std::string& now) {
  const auto loaded = [](bool yes, std::string_view otherwise) { return yes ? "Loaded" : std::string(otherwise); };
  std::string target = "Loading";
  std::string transition = "InProgress";
  bool active = state.old_one_answers;
  switch (state.phase) {
    case ServicePhase::ready:
      target = "Loaded", transition = "UpToDate", active = true;
      break;
    case ServicePhase::stopped:
      target = "Standby", transition = "UpToDate", active = false;
      break;
    case ServicePhase::failed:
      target = "FailedToLoad";
      transition = state.reason == "InvalidPredictorSpec" ? "InvalidSpec" : "BlockedByFailedLoad";
      break;
    case ServicePhase::loading:
      break;
  }
  const bool failed = state.phase == ServicePhase::failed;
  Json out = Json::object({{"copies", Json::object({{"failedCopies", Json::integer(failed ? 1 : 0)},
                                                    {"totalCopies", Json::integer(active ? 1 : 0)}})}});
  if (failed) {
    out.set("lastFailureInfo", Json::object({{"message", Json::text(state.message)},
                                             {"modelRevisionName", Json::text(revision)},
                                             {"reason", Json::text(state.reason)},
                                             {"time", Json::text(now)}}));
  }
  out.set("states",
          Json::object({{"activeModelState",
                         Json::text(loaded(active, state.phase == ServicePhase::stopped ? "Standby" : "Pending"))},
                        {"targetModelState", Json::text(target)}}));
  out.set("transitionStatus", Json::text(transition));
  return out;
}

// components.predictor, whose traffic goes all to the revision that answers.
Json predictor_component(const ServiceState& state, const Json* old_status, const std::string& revision,
                         const std::string& url) {
  Json out = Json::object();
  const Json* old = old_status == nullptr ? nullptr : old_status->find_path({"components", "predictor"});
  const Json* old_ready = old == nullptr ? nullptr : old->find("latestReadyRevision");
  const bool ready = state.phase == ServicePhase::ready;
  const std::string answering = ready ? revision : old_ready == nullptr ? "" : std::string(old_ready->as_text());
  out.set("latestCreatedRevision", Json::text(revision));
  if (!answering.empty() && state.phase != ServicePhase::stopped) {
    out.set("latestReadyRevision", Json::text(answering));
    out.set("latestRolledoutRevision", Json::text(answering));
    out.set("traffic", Json::array({Json::object({{"latestRevision", Json::boolean(answering == revision)},
                                                  {"percent", Json::integer(100)},
                                                  {"revisionName", Json::text(answering)}})}));
  }
  out.set("url", Json::text(url));
  return out;
}

std::string text_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

}  // namespace

namespace {

// File names in messages may be any bytes; an object holds text.
ServiceState readable(ServiceState state) {
  if (is_valid_utf8(state.message)) return state;
  for (char& c : state.message) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return state;
}

}  // namespace

Json with_status(const Json& object, const ServiceState& any_state, const StatusAddresses& addresses, WallTime wall) {
  const ServiceState state = readable(any_state);
  const std::string now = timestamp(wall);
  const std::string name = text_at(object, {"metadata", "name"});
  const std::string place = text_at(object, {"metadata", "namespace"});
  const bool language_model = text_at(object, {"kind"}) == "LLMInferenceService";
  const Json* generation_json = object.find_path({"metadata", "generation"});
  const std::int64_t generation = generation_json == nullptr ? 1 : generation_json->as_integer(1);
  const std::string revision = fmt::format("{}-predictor-{:05}", name, generation);
  const std::string url = fmt::format("http://{}-{}.{}", name, place, addresses.domain);
  const Json* old_status = object.find("status");

  std::vector<Json> conditions;
  for (const Condition& condition : conditions_of(state, language_model)) {
    conditions.push_back(condition_json(condition, old_status, now));
  }
  Json status = Json::object();
  const Json address = Json::object({{"url", Json::text(addresses.address)}});
  if (language_model) {
    status.set("addresses", Json::array({address}));
  } else {
    status.set("address", address);
    status.set("components",
               Json::object({{"predictor", predictor_component(state, old_status, revision,
                                                               fmt::format("http://{}-predictor-{}.{}", name, place,
                                                                           addresses.domain))}}));
  }
  status.set("conditions", Json::array(std::move(conditions)));
  if (!language_model) {
    status.set("deploymentMode", Json::text("Standard"));
    status.set("modelStatus", model_status(state, revision, now));
  }
  status.set("observedGeneration", Json::integer(generation));
  status.set("url", Json::text(url));
  Json out = object;
  out.set("status", std::move(status));
  return out;
}

}  // namespace jackdaw::control
