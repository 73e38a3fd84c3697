#include "src/app/client/rollout_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "src/app/client/session.h"

namespace jackdaw::app {
namespace {

using spec::Json;

constexpr std::string_view share_annotation = "jackdaw.dev/canary-traffic-percent";  // of LLMInferenceServices
constexpr std::string_view paused_annotation = "jackdaw.dev/rollout-paused";
constexpr std::string_view restarted_annotation = "jackdaw.dev/restarted-at";
constexpr std::string_view share_field = "canaryTrafficPercent";

bool is_language_service(const Json& object) {
  return text_at(object, {"kind"}) == "LLMInferenceService";
}

Json& annotations(Json& object) {
  return object.member("metadata").member("annotations");
}

// The declared share of the latest revision; -1 = none is declared.
int declared_share(const Json& object) {
  if (is_language_service(object)) {
    const std::string text = text_at(object, {"metadata", "annotations", share_annotation});
    return text.empty() ? -1 : std::atoi(text.c_str());
  }
  const Json* share = object.find_path({"spec", "predictor", share_field});
  return share == nullptr || share->is_null() ? -1 : static_cast<int>(share->as_integer());
}

void set_share(Json& object, int percent) {
  if (is_language_service(object)) {
    annotations(object).set(share_annotation, Json::text(std::to_string(percent)));
  } else {
    object.member("spec").member("predictor").set(share_field, Json::integer(percent));
  }
}

void remove_share(Json& object) {
  if (is_language_service(object)) {
    annotations(object).erase(share_annotation);
  } else {
    object.member("spec").member("predictor").erase(share_field);
  }
}

std::vector<Json>* canaries_of(Json& object) {
  Json* spec = object.find("spec");
  Json* list = spec == nullptr ? nullptr : spec->find("canary");
  return list == nullptr || list->items().empty() ? nullptr : &list->items();
}

// The canary that is meant, among several by its name.
Result<std::size_t> canary_index(const std::vector<Json>& canaries, const std::string& name) {
  if (name.empty() && canaries.size() == 1) return 0;
  std::string known;
  for (std::size_t i = 0; i < canaries.size(); ++i) {
    const std::string own = text_at(canaries[i], {"predictor", "name"});
    if (!name.empty() && own == name) return i;
    known += (known.empty() ? "" : ", ") + own;
  }
  if (name.empty())
    return make_error(Code::invalid_argument, "there are several canaries; choose by --canary: {}", known);
  return make_error(Code::invalid_argument, "there is no canary {}; there are {}", name, known);
}

void remove_canary(Json& object, std::size_t index) {
  std::vector<Json>& canaries = *canaries_of(object);
  canaries.erase(canaries.begin() + static_cast<std::ptrdiff_t>(index));
  if (canaries.empty()) object.find("spec")->erase("canary");
}

Result<RolloutChange> promote(const RolloutWish& wish, Json object) {
  if (const auto* canaries = canaries_of(object)) {
    JACKDAW_ASSIGN(const std::size_t index, canary_index(*canaries, wish.canary));
    const Json* predictor = (*canaries)[index].find("predictor");
    if (predictor == nullptr) return make_error(Code::invalid_argument, "the canary has no predictor");
    object.find("spec")->set("predictor", Json(*predictor));
    remove_canary(object, index);
    return RolloutChange{std::move(object), "promoted"};
  }
  if (declared_share(object) < 0) {
    return make_error(Code::invalid_argument,
                      "there is no canary to promote: the latest revision has all traffic that it "
                      "is to have");
  }
  remove_share(object);
  return RolloutChange{std::move(object), "promoted"};
}

// ---- undo to a revision

const Json* revision_of(const Json& object, std::string_view name) {
  const Json* list = object.find_path({"status", "revisions"});
  if (list == nullptr) return nullptr;
  const auto number = [](std::string_view text) {
    const std::size_t digits = text.find_last_not_of("0123456789") + 1;
    const std::size_t first = std::min(text.find_first_not_of('0', digits), text.size());
    return text.substr(first);
  };
  const bool by_number = !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
  for (const Json& revision : list->items()) {
    const std::string own = text_at(revision, {"name"});
    if (own == name || (by_number && number(own) == number(name))) return &revision;
  }
  return nullptr;
}

// The newest revision that is not the latest one.
std::string revision_before(const Json& object, const std::string& latest) {
  const std::string previous = text_at(object, {"status", "rollout", "previous"});
  if (!previous.empty() && previous != latest && revision_of(object, previous) != nullptr) return previous;
  const Json* list = object.find_path({"status", "revisions"});
  std::string before;
  for (std::size_t i = 0; list != nullptr && i < list->items().size(); ++i) {
    const std::string name = text_at(list->items()[i], {"name"});
    if (name != latest) before = name;
  }
  return before;
}

// The members of `target` that `now` is made of give way to those of `from`.
void replace_members(Json& target, const Json* now, const Json* from) {
  for (const Json* made_of : {now, from}) {
    for (std::size_t i = 0; made_of != nullptr && i < made_of->members().size(); ++i) {
      target.erase(made_of->members()[i].name);
    }
  }
  for (std::size_t i = 0; from != nullptr && i < from->members().size(); ++i) {
    target.set(from->members()[i].name, from->members()[i].value);
  }
}

Result<RolloutChange> undo_to(const std::string& wanted, Json object) {
  const std::string latest = text_at(object, {"status", "rollout", "latestCreated"});
  const std::string name = wanted.empty() ? revision_before(object, latest) : wanted;
  const Json* found = revision_of(object, name);
  if (found == nullptr) {
    return wanted.empty()
               ? make_error(Code::invalid_argument, "there is no revision before {}",
                            latest.empty() ? "this one" : latest)
               : make_error(Code::not_found, "there is no revision {}; rollout history lists those that are remembered",
                            wanted);
  }
  const Json from = *found;
  const Json* current = revision_of(object, latest);
  const Json now = current == nullptr ? Json::object() : *current;
  Json& spec = object.member("spec");
  if (is_language_service(object)) {
    replace_members(spec, now.find("spec"), from.find("spec"));
  } else {
    replace_members(spec.member("predictor"), now.find_path({"spec", "predictor"}),
                    from.find_path({"spec", "predictor"}));
  }
  if (now.find("annotations") != nullptr || from.find("annotations") != nullptr) {
    replace_members(annotations(object), now.find("annotations"), from.find("annotations"));
  }
  remove_share(object);
  return RolloutChange{std::move(object), "rolled back to " + text_at(from, {"name"})};
}

Result<RolloutChange> undo(const RolloutWish& wish, Json object) {
  if (!wish.revision.empty()) return undo_to(wish.revision, std::move(object));
  if (const auto* canaries = canaries_of(object)) {
    JACKDAW_ASSIGN(const std::size_t index, canary_index(*canaries, wish.canary));
    remove_canary(object, index);
    return RolloutChange{std::move(object), "rolled back: the canary is removed"};
  }
  const int share = declared_share(object);
  if (share == 0) return make_error(Code::invalid_argument, "the latest revision has no traffic already");
  if (share < 0 || share >= 100) return undo_to("", std::move(object));
  set_share(object, 0);
  return RolloutChange{std::move(object), "rolled back: the latest revision has no traffic"};
}

}  // namespace

Result<RolloutChange> rollout_change(const RolloutWish& wish, const Json& before) {
  Json object = before;
  if (wish.action == "promote") return promote(wish, std::move(object));
  if (wish.action == "undo") return undo(wish, std::move(object));
  if (wish.action == "canary") {
    if (canaries_of(object) != nullptr) {
      return make_error(Code::invalid_argument, "the service declares spec.canary; change its trafficPercent there");
    }
    set_share(object, wish.percent);
    return RolloutChange{std::move(object), fmt::format("canary at {}%", wish.percent)};
  }
  if (wish.action == "restart") {
    annotations(object).set(restarted_annotation, Json::text(wish.now));
    return RolloutChange{std::move(object), "restarted"};
  }
  const bool paused = text_at(object, {"metadata", "annotations", paused_annotation}) == "true";
  const bool pause = wish.action == "pause";
  if (paused == pause)
    return make_error(Code::invalid_argument, "the rollout is {}paused", pause ? "already " : "not ");
  if (pause) {
    annotations(object).set(paused_annotation, Json::text("true"));
  } else {
    annotations(object).erase(paused_annotation);
  }
  return RolloutChange{std::move(object), pause ? "paused" : "resumed"};
}

ServiceProgress rollout_progress(const Json& object) {
  ServiceProgress progress = progress_of(object);
  if (const Json* conditions = object.find_path({"status", "conditions"})) {
    for (const Json& condition : conditions->items()) {
      if (text_at(condition, {"type"}) != "RolledBack" || text_at(condition, {"status"}) != "True") continue;
      return {Progress::failed, "RolledBack: " + text_at(condition, {"message"})};
    }
  }
  if (progress.state != Progress::done || progress.words == "Stopped") return progress;
  const std::string latest = text_at(object, {"status", "rollout", "latestCreated"});
  if (latest.empty() || latest == text_at(object, {"status", "rollout", "rolledOut"})) return progress;
  const int share = declared_share(object);
  if (share >= 0 && share < 100) return {Progress::done, fmt::format("{} is the canary, at {}%", latest, share)};
  if (text_at(object, {"metadata", "annotations", paused_annotation}) == "true") return {Progress::done, "Paused"};
  return {Progress::under_way, latest + " does not have all of the traffic yet."};
}

}  // namespace jackdaw::app
