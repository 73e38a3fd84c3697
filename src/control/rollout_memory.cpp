#include "src/control/rollout_memory.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace jackdaw::control {
namespace {

using spec::Json;

constexpr std::size_t revisions_max = 64;  // read from a status
constexpr std::size_t name_max = 300;
constexpr std::size_t rolled_back_max = 16;

std::string text_of(const Json& from, std::string_view member) {
  const Json* found = from.find(member);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

std::int64_t integer_of(const Json& from, std::string_view member) {
  const Json* found = from.find(member);
  return found == nullptr ? 0 : found->as_integer();
}

// The number at the end of "iris-predictor-00002".
std::uint64_t number_of(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  std::uint64_t number = 0;
  if (dash != std::string_view::npos) std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return number;
}

void recall_revisions(const Json& list, RecalledRollout& out) {
  for (const Json& item : list.items()) {
    Revision revision;
    revision.name = text_of(item, "name");
    revision.fingerprint = text_of(item, "fingerprint");
    revision.generation = integer_of(item, "generation");
    const Json* spec = item.find("spec");
    const bool whole = !revision.name.empty() && revision.name.size() <= name_max && !revision.fingerprint.empty() &&
                       spec != nullptr && spec->is_object() && !out.sources.contains(revision.name);
    if (!whole || out.memory.revisions.size() >= revisions_max) continue;
    Json source = Json::object({{"spec", *spec}});
    if (const Json* annotations = item.find("annotations")) source.set("annotations", *annotations);
    out.sources.emplace(revision.name, std::move(source));
    out.memory.last_number = std::max(out.memory.last_number, number_of(revision.name));
    out.memory.revisions.push_back(std::move(revision));
  }
}

std::string_view state_word(const Revision& revision) {
  switch (revision.state) {
    case RevisionState::idle:
      return "Retired";
    case RevisionState::loading:
      return "Loading";
    case RevisionState::ready:
      return "Ready";
    case RevisionState::failed:
      return "Failed";
  }
  return "Retired";
}

}  // namespace

RecalledRollout recall(const Json& object) {
  RecalledRollout out;
  const Json* status = object.find("status");
  const Json* revisions = status == nullptr ? nullptr : status->find("revisions");
  const Json* rollout = status == nullptr ? nullptr : status->find("rollout");
  if (revisions != nullptr) recall_revisions(*revisions, out);
  if (rollout == nullptr) return out;
  RolloutMemory& memory = out.memory;
  const std::int64_t last = integer_of(*rollout, "lastNumber");
  if (last > 0 && last < 1'000'000'000) memory.last_number = std::max(memory.last_number, std::uint64_t(last));
  memory.latest_created = text_of(*rollout, "latestCreated");
  memory.latest_ready = text_of(*rollout, "latestReady");
  memory.rolled_out = text_of(*rollout, "rolledOut");
  memory.previous = text_of(*rollout, "previous");
  memory.latest_percent = static_cast<int>(std::clamp<std::int64_t>(integer_of(*rollout, "latestPercent"), 0, 99));
  const Json* rolled_back = rollout->find("rolledBack");
  if (rolled_back == nullptr) return out;
  for (const Json& item : rolled_back->items()) {
    if (memory.rolled_back.size() >= rolled_back_max) break;
    memory.rolled_back.push_back(
        {text_of(item, "revision"), integer_of(item, "generation"), text_of(item, "reason"), text_of(item, "message")});
  }
  return out;
}

Json rollout_json(const RolloutMemory& memory) {
  Json out = Json::object({{"lastNumber", Json::integer(static_cast<std::int64_t>(memory.last_number))}});
  const auto add = [&out](std::string_view member, const std::string& name) {
    if (!name.empty()) out.set(member, Json::text(name));
  };
  add("latestCreated", memory.latest_created);
  add("latestReady", memory.latest_ready);
  add("rolledOut", memory.rolled_out);
  add("previous", memory.previous);
  if (memory.latest_percent > 0) out.set("latestPercent", Json::integer(memory.latest_percent));
  if (memory.rolled_back.empty()) return out;
  std::vector<Json> rows;
  for (const RolledBack& one : memory.rolled_back) {
    rows.push_back(Json::object({{"revision", Json::text(one.revision)},
                                 {"generation", Json::integer(one.generation)},
                                 {"reason", Json::text(one.reason)},
                                 {"message", Json::text(one.message)}}));
  }
  out.set("rolledBack", Json::array(std::move(rows)));
  return out;
}

Json revisions_json(const Rollout& rollout, const RevisionSources& sources, const ServiceTraffic& traffic) {
  std::vector<Json> rows;
  for (const Revision& revision : rollout.memory().revisions) {
    const auto source = sources.find(revision.name);
    if (source == sources.end()) continue;
    Json row = Json::object({{"name", Json::text(revision.name)},
                             {"generation", Json::integer(revision.generation)},
                             {"fingerprint", Json::text(revision.fingerprint)},
                             {"state", Json::text(std::string(state_word(revision)))}});
    const auto share = std::find_if(traffic.shares.begin(), traffic.shares.end(),
                                    [&](const TrafficPart& part) { return part.revision == revision.name; });
    row.set("percent", Json::integer(share == traffic.shares.end() ? 0 : share->percent));
    if (!revision.failure.empty()) row.set("message", Json::text(revision.failure));
    if (const Json* spec = source->second.find("spec")) row.set("spec", *spec);
    if (const Json* annotations = source->second.find("annotations")) row.set("annotations", *annotations);
    rows.push_back(std::move(row));
  }
  return Json::array(std::move(rows));
}

}  // namespace jackdaw::control
