#include "src/control/service_status.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/text.h"

namespace jackdaw::control {
namespace {

using spec::Json;

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

const Revision* canary_revision(const ServiceState& state, const CanaryWish& canary) {
  return state.rollout->by_fingerprint(canary.fingerprint);
}

// Canaries together, as KServe 0.20 has it; and whether a revision has lost its traffic by its answers.
void add_rollout_conditions(const ServiceState& state, std::vector<Condition>& out) {
  if (state.rollout == nullptr || state.phase == ServicePhase::stopped) return;
  const auto& canaries = state.rollout->wish().canaries;
  if (!canaries.empty()) {
    Condition condition{"CanaryPredictorReady", "True", "AllCanariesReady", ""};
    for (const CanaryWish& canary : canaries) {
      const Revision* revision = canary_revision(state, canary);
      if (revision != nullptr && revision->state == RevisionState::ready) continue;
      condition.status = "False";
      condition.reason = "CanariesNotReady";
      if (!condition.message.empty()) condition.message += "; ";
      const bool failed = revision != nullptr && !revision->failure.empty();
      condition.message += fmt::format("{}: {}", canary.name, failed ? revision->failure : "is being loaded");
    }
    out.push_back(std::move(condition));
  }
  const auto& rolled_back = state.rollout->memory().rolled_back;
  if (rolled_back.empty()) return;
  const RolledBack& last = rolled_back.back();
  out.push_back({"RolledBack", "True", last.reason, fmt::format("{}: {}", last.revision, last.message)});
}

// Ready and whatever it is made of, by the kind's own names.
std::vector<Condition> conditions_of(const ServiceState& state, bool language_model) {
  const std::string_view truth = truth_of(state);
  std::string reason = state.reason;
  std::string message = state.message;
  if (state.phase == ServicePhase::loading) reason = "Loading", message = "The model is being loaded.";
  if (state.phase == ServicePhase::stopped) reason = "Stopped", message = "The service is stopped.";
  std::vector<Condition> out;
  add_rollout_conditions(state, out);
  const auto add = [&](std::string_view type) { out.push_back({type, truth, reason, message}); };
  if (language_model) {
    out.push_back({"PresetsCombined", "True", "", ""});
    for (const auto type : {"MainWorkloadReady", "WorkloadsReady", "HTTPRoutesReady", "RouterReady", "Ready"})
      add(type);
    return out;
  }
  for (const auto type : {"IngressReady", "PredictorReady"}) add(type);
  const TransformerState& transformer = state.transformer;
  // The service is ready when both are; what the predictor lacks is said first.
  if (state.phase == ServicePhase::ready && transformer.hinders()) {
    out.push_back({"Ready", transformer.truth, transformer.reason, transformer.message});
  } else {
    add("Ready");
  }
  const bool stopped = state.phase == ServicePhase::stopped;
  out.push_back({"Stopped", stopped ? "True" : "False", "", ""});
  if (transformer.exists())
    out.push_back({"TransformerReady", transformer.truth, transformer.reason, transformer.message});
  return out;
}

// When the same failure was seen first.
std::string failure_time(const Json* old_status, const std::string& message, const std::string& now) {
  const Json* info = old_status == nullptr ? nullptr : old_status->find_path({"modelStatus", "lastFailureInfo"});
  const Json* old_message = info == nullptr ? nullptr : info->find("message");
  const Json* old_time = info == nullptr ? nullptr : info->find("time");
  const bool same = old_message != nullptr && old_time != nullptr && old_message->as_text() == message;
  return same ? std::string(old_time->as_text()) : now;
}

Json model_status(const ServiceState& state, const Json* old_status, const std::string& now) {
  const bool active = !state.traffic.shares.empty();
  std::string target = "Loading";
  std::string transition = "InProgress";
  switch (state.phase) {
    case ServicePhase::ready:
      target = "Loaded", transition = "UpToDate";
      break;
    case ServicePhase::stopped:
      target = "Standby", transition = "UpToDate";
      break;
    case ServicePhase::failed:
      target = "FailedToLoad";
      transition = state.reason == "InvalidPredictorSpec" ? "InvalidSpec" : "BlockedByFailedLoad";
      break;
    case ServicePhase::loading:
      break;
  }
  const bool failed = state.phase == ServicePhase::failed;
  const auto revisions = static_cast<std::int64_t>(state.traffic.shares.size());
  const std::int64_t copies = state.replicas >= 0 && revisions > 0 ? state.replicas : revisions;
  // Scaled to zero: it answers all the same.
  const bool asleep = state.phase == ServicePhase::ready && copies == 0 && revisions > 0;
  if (asleep) target = "Standby";
  Json out = Json::object({{"copies", Json::object({{"failedCopies", Json::integer(failed ? 1 : 0)},
                                                    {"totalCopies", Json::integer(copies)}})}});
  if (failed) {
    Json info = Json::object({{"location", Json::text("predictor")}, {"message", Json::text(state.message)}});
    if (state.rollout != nullptr && !state.rollout->memory().latest_created.empty())
      info.set("modelRevisionName", Json::text(state.rollout->memory().latest_created));
    info.set("reason", Json::text(state.reason));
    info.set("time", Json::text(failure_time(old_status, state.message, now)));
    out.set("lastFailureInfo", std::move(info));
  }
  const std::string otherwise = state.phase == ServicePhase::stopped ? "Standby" : "Pending";
  out.set("states", Json::object({{"activeModelState", Json::text(asleep   ? "Standby"
                                                                  : active ? "Loaded"
                                                                           : otherwise)},
                                  {"targetModelState", Json::text(target)}}));
  out.set("transitionStatus", Json::text(transition));
  return out;
}

// Who has what, as Knative's route status says it; `host` is the service's own.
Json traffic_json(const ServiceState& state, const std::string& host) {
  std::vector<Json> rows;
  for (const TrafficPart& part : state.traffic.shares) {
    Json row = Json::object({{"latestRevision", Json::boolean(part.revision == state.rollout->memory().latest_ready)},
                             {"percent", Json::integer(part.percent)},
                             {"revisionName", Json::text(part.revision)}});
    if (!part.tag.empty()) {
      row.set("tag", Json::text(part.tag));
      row.set("url", Json::text(fmt::format("http://{}-{}", part.tag, host)));
    }
    rows.push_back(std::move(row));
  }
  return Json::array(std::move(rows));
}

Json predictor_component(const ServiceState& state, const std::string& host, const std::string& url) {
  Json out = Json::object();
  if (state.rollout != nullptr) {
    const RolloutMemory& memory = state.rollout->memory();
    const auto add = [&out](std::string_view member, const std::string& revision) {
      if (!revision.empty()) out.set(member, Json::text(revision));
    };
    add("latestCreatedRevision", memory.latest_created);
    add("latestReadyRevision", memory.latest_ready);
    add("latestRolledoutRevision", memory.rolled_out);
    add("previousRolledoutRevision", memory.previous);
    if (!state.traffic.shares.empty()) out.set("traffic", traffic_json(state, host));
  }
  out.set("url", Json::text(url));
  return out;
}

Json canary_statuses(const ServiceState& state) {
  std::vector<Json> rows;
  for (const CanaryWish& canary : state.rollout->wish().canaries) {
    const Revision* revision = canary_revision(state, canary);
    const bool ready = revision != nullptr && revision->state == RevisionState::ready;
    int percent = 0;
    for (const TrafficPart& part : state.traffic.shares) {
      if (revision != nullptr && part.revision == revision->name) percent = part.percent;
    }
    const bool failed = revision != nullptr && revision->state == RevisionState::failed;
    Json model = Json::object({{"states", Json::object({{"activeModelState", Json::text(ready ? "Loaded" : "Pending")},
                                                        {"targetModelState", Json::text(ready    ? "Loaded"
                                                                                        : failed ? "FailedToLoad"
                                                                                                 : "Loading")}})},
                               {"transitionStatus", Json::text(ready    ? "UpToDate"
                                                               : failed ? "BlockedByFailedLoad"
                                                                        : "InProgress")}});
    if (failed) {
      model.set("lastFailureInfo", Json::object({{"message", Json::text(revision->failure)},
                                                 {"modelRevisionName", Json::text(revision->name)},
                                                 {"reason", Json::text("ModelLoadFailed")}}));
    }
    rows.push_back(Json::object({{"name", Json::text(canary.name)},
                                 {"ready", Json::boolean(ready)},
                                 {"trafficPercent", Json::integer(percent)},
                                 {"modelStatus", std::move(model)}}));
  }
  return Json::array(std::move(rows));
}

std::string text_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

}  // namespace

namespace {

// File names in messages may be any bytes; an object holds text.
ServiceState readable(ServiceState state) {
  for (std::string* message : {&state.message, &state.transformer.message}) {
    if (is_valid_utf8(*message)) continue;
    for (char& c : *message) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return state;
}

}  // namespace

Json with_status(const Json& object, const ServiceState& any_state, const StatusAddresses& addresses, WallTime wall) {
  const ServiceState state = readable(any_state);
  const std::string now = rfc3339(wall);
  const std::string name = text_at(object, {"metadata", "name"});
  const std::string place = text_at(object, {"metadata", "namespace"});
  const bool language_model = text_at(object, {"kind"}) == "LLMInferenceService";
  const Json* generation_json = object.find_path({"metadata", "generation"});
  const std::int64_t generation = generation_json == nullptr ? 1 : generation_json->as_integer(1);
  const std::string host = fmt::format("{}-{}.{}", name, place, addresses.domain);
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
    // All runtimes here are those that KServe ships for a whole cluster.
    if (!state.runtime.empty()) status.set("clusterServingRuntimeName", Json::text(state.runtime));
    const auto component_url = [&](std::string_view component) {
      return fmt::format("http://{}-{}-{}.{}", name, component, place, addresses.domain);
    };
    Json components = Json::object({{"predictor", predictor_component(state, host, component_url("predictor"))}});
    if (state.transformer.exists())
      components.set("transformer", Json::object({{"url", Json::text(component_url("transformer"))}}));
    status.set("components", std::move(components));
  }
  if (state.rollout != nullptr && !state.rollout->wish().canaries.empty())
    status.set("canaryStatuses", canary_statuses(state));
  status.set("conditions", Json::array(std::move(conditions)));
  if (!language_model) {
    status.set("deploymentMode", Json::text("Standard"));
    status.set("modelStatus", model_status(state, old_status, now));
  }
  status.set("observedGeneration", Json::integer(generation));
  if (state.rollout != nullptr && state.sources != nullptr) {
    status.set("revisions", revisions_json(*state.rollout, *state.sources, state.traffic));
    status.set("rollout", rollout_json(state.rollout->memory()));
  }
  status.set("url", Json::text("http://" + host));
  Json out = object;
  out.set("status", std::move(status));
  return out;
}

}  // namespace jackdaw::control
