// Server-side apply, after sigs.k8s.io/structured-merge-diff (merge/update.go): merge what is wanted into the live
// object, remove what the same manager applied before and names no more, then settle who owns what has changed.
#include <algorithm>
#include <map>
#include <optional>

#include "jackdaw/base/text.h"
#include "jackdaw/spec/patch.h"
#include "src/spec/field_view.h"
#include "src/spec/managed_fields.h"
#include "src/spec/member_index.h"

namespace jackdaw::spec {
namespace {

// ---- what is wanted

// The steps to a list map that has one key twice, and which.
struct Duplicate {
  std::vector<std::string> steps;
  std::size_t first = 0;
  std::size_t second = 0;
};

std::optional<Duplicate> duplicate_in(const Json& list, const FieldName& name) {
  std::map<std::string, std::size_t> positions;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    auto step = element_step(list.items()[i], name);
    if (!step) return {};  // no list map
    const auto [before, fresh] = positions.emplace(std::move(*step), i);
    if (!fresh) return Duplicate{{}, before->second, i};
  }
  return {};
}

std::optional<Duplicate> duplicate_below(const Json& value, const FieldName& name) {
  const auto parts = parts_of(value, name);
  if (!parts) return duplicate_in(value, name);
  for (const FieldPart& part : *parts) {
    auto found = duplicate_below(*part.value, part.name);
    if (!found) continue;
    found->steps.insert(found->steps.begin(), part.step);
    return found;
  }
  return {};
}

// One key twice is nobody's wish; Kubernetes refuses it too.
Result<void> check_keys(const Json& wanted) {
  const auto found = duplicate_below(wanted, {});
  if (!found) return {};
  FieldSet set;
  FieldSet* at = &set;
  for (const std::string& step : found->steps) at = &at->at(step);
  at->member = true;
  return make_error(Code::invalid_argument, "elements {} and {} have the same key; keep one of them", found->first,
                    found->second)
      .at(field_paths(set).front());
}

Result<void> check_wanted(const Json& wanted) {
  if (!wanted.is_object()) return make_error(Code::invalid_argument, "what is applied must be a map");
  const Json* metadata = wanted.find("metadata");
  if (metadata != nullptr && !metadata->is_object()) {
    return make_error(Code::invalid_argument, "metadata must be a map").at(".metadata");
  }
  const Json* managed = wanted.find_path({"metadata", "managedFields"});
  if (managed != nullptr && !managed->is_null() && !managed->items().empty()) {
    return make_error(Code::invalid_argument, "must be left out of what is applied; the server keeps it")
        .at(".metadata.managedFields");
  }
  return check_keys(wanted);
}

// Without the server's own fields. Through the status, only the status is applied.
Json without_system_fields(Json wanted, std::string_view subresource) {
  const bool status = subresource == "status";
  std::erase_if(wanted.members(), [&](const Json::Member& member) {
    const bool names_object = member.name == "apiVersion" || member.name == "kind" || member.name == "metadata";
    return status ? !names_object && member.name != "status" : member.name == "status";
  });
  if (Json* metadata = wanted.find("metadata")) {
    std::erase_if(metadata->members(), [&](const Json::Member& member) {
      const bool names_object = member.name == "name" || member.name == "namespace";
      return !names_object && (status || is_system_metadata(member.name));
    });
  }
  return wanted;
}

// ---- merging

Json merged(Json live, const Json& wanted, const FieldName& name);

Json merged_maps(Json live, const Json& wanted, const FieldName& name) {
  auto& members = live.members();
  MemberIndex index(live);
  for (const auto& [member, value] : wanted.members()) {
    const std::size_t at = index.find(member);
    if (at == MemberIndex::npos) {
      members.push_back({member, value});
    } else {
      members[at].value = merged(std::move(members[at].value), value, member_name(name, member));
    }
  }
  return live;
}

std::map<std::string, std::size_t> positions_of(const Json& list, const FieldName& name) {
  std::map<std::string, std::size_t> positions;
  for (const Json& item : list.items()) {
    positions.emplace(element_step(item, name).value_or(""), static_cast<std::size_t>(&item - list.items().data()));
  }
  return positions;
}

// In the order that is wanted; elements that only the live list has stay before those that follow them there.
Json merged_lists(Json live, const Json& wanted, const FieldName& name) {
  constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
  const auto live_at = positions_of(live, name), wanted_at = positions_of(wanted, name);
  std::vector<bool> stays(live.items().size(), false);  // and is not in `out` yet
  for (const auto& [step, at] : live_at) stays[at] = !wanted_at.contains(step);
  std::vector<bool> taken(live.items().size(), false);
  Json out = Json::array();
  std::size_t next = 0;
  const auto take_those_that_stay = [&] {
    for (; next < stays.size() && (stays[next] || taken[next]); ++next) {
      if (stays[next]) out.append(std::move(live.items()[next]));
    }
  };
  for (const Json& item : wanted.items()) {
    take_those_that_stay();
    const auto found = live_at.find(element_step(item, name).value_or(""));
    const std::size_t at = found == live_at.end() ? nowhere : found->second;
    if (at != nowhere) taken[at] = true;
    out.append(at == nowhere ? item : merged(std::move(live.items()[at]), item, element_name(name)));
  }
  take_those_that_stay();
  return out;
}

Json merged(Json live, const Json& wanted, const FieldName& name) {
  const bool by_parts = live.kind() == wanted.kind() && parts_of(live, name) && parts_of(wanted, name);
  if (!by_parts) return live == wanted ? live : wanted;
  return wanted.is_object() ? merged_maps(std::move(live), wanted, name) : merged_lists(std::move(live), wanted, name);
}

// ---- removing

void prune(Json& value, const FieldName& name, const FieldSet& mine, const FieldSet& kept);

// Whether nothing is left of a map or list that nobody owns as such.
bool emptied_by_prune(Json& value, const FieldName& name, const FieldSet& mine, const FieldSet& kept) {
  const auto is_empty = [&value] { return value.items().empty() && value.members().empty(); };
  const bool was_empty = is_empty();
  prune(value, name, mine, kept);
  return !was_empty && is_empty() && !kept.member;
}

void prune_members(Json& map, const FieldName& name, const FieldSet& mine, const FieldSet& kept) {
  std::vector<bool> goes(map.members().size(), false);
  MemberIndex index(map);
  for (const auto& [step, below] : mine.branches) {
    const std::string_view member = std::string_view(step).substr(std::min<std::size_t>(step.size(), 2));
    const std::size_t at = step.starts_with("f:") ? index.find(member) : MemberIndex::npos;
    if (at == MemberIndex::npos) continue;
    const FieldSet* other = kept.find(step);
    goes[at] = other == nullptr || emptied_by_prune(map.members()[at].value, member_name(name, member), below, *other);
  }
  std::size_t at = 0;
  std::erase_if(map.members(), [&](const Json::Member&) { return goes[at++]; });
}

// An element goes with everything in it when nobody else owns the element itself.
void prune_elements(Json& list, const FieldName& name, const FieldSet& mine, const FieldSet& kept) {
  const FieldSet none;
  std::erase_if(list.items(), [&](Json& item) {
    const std::string step = element_step(item, name).value_or("");
    const FieldSet* below = mine.find(step);
    if (below == nullptr) return false;
    const FieldSet* other = kept.find(step);
    if (below->member && (other == nullptr || !other->member)) return true;
    prune(item, element_name(name), *below, other == nullptr ? none : *other);
    return false;
  });
}

// Takes out what is in `mine` and not in `kept`. A map or list with parts that are kept stays.
void prune(Json& value, const FieldName& name, const FieldSet& mine, const FieldSet& kept) {
  if (mine.branches.empty() || !parts_of(value, name)) return;
  if (value.is_object()) {
    prune_members(value, name, mine, kept);
  } else {
    prune_elements(value, name, mine, kept);
  }
}

void prune_forgotten(Json& object, const FieldSet& applied_before, const std::vector<ManagedEntry>& entries,
                     const ManagedEntry& own, const FieldSet& named) {
  std::vector<const FieldSet*> sets{&named};
  for (const ManagedEntry& entry : entries) {
    if (&entry != &own) sets.push_back(&entry.fields);
  }
  FieldSet kept = union_of(sets);
  kept.at("f:metadata").member = true;
  prune(object, {}, applied_before, kept);
}

// ---- owning

std::string conflict_words(const ManagedEntry& entry) {
  std::string out = fmt::format("{:?}", entry.manager.name);
  if (!entry.manager.subresource.empty()) out += fmt::format(" with subresource {:?}", entry.manager.subresource);
  if (entry.manager.operation == "Update") out += fmt::format(" using {}", entry.manager.api_version);
  return out;
}

std::vector<FieldConflict> conflicts_with(const std::vector<ManagedEntry>& entries, const ManagedEntry& own,
                                          const FieldSet& taken) {
  std::vector<FieldConflict> conflicts;
  for (const ManagedEntry& entry : entries) {
    if (&entry == &own) continue;
    for (std::string& path : field_paths(intersection_of(entry.fields, taken))) {
      conflicts.push_back({entry.manager.name, std::move(path), conflict_words(entry)});
    }
  }
  return conflicts;
}

// Others lose what was taken; everybody loses what is gone.
void settle(std::vector<ManagedEntry>& entries, const ManagedEntry& own, const FieldChanges& changes) {
  const FieldSet taken = changes.taken();
  for (ManagedEntry& entry : entries) {
    if (&entry != &own) entry.fields = difference_of(entry.fields, taken);
    entry.fields = difference_below(entry.fields, changes.removed);
  }
}

// Objects from before managers were recorded: everything in them belongs to one.
void own_unrecorded(std::vector<ManagedEntry>& entries, const Json& live) {
  if (!entries.empty() || live.is_null()) return;
  const Json* version = live.find("apiVersion");
  const FieldManager before{"before-first-apply", "Update", std::string(version ? version->as_text() : ""), ""};
  entries.push_back({before, {}, fields_of(live, "")});
}

// A client may change the entries themselves: kubectl does when it goes over to server-side apply, and `[{}]` forgets
// all. A list that says nothing leaves them as they were.
std::vector<ManagedEntry> entries_after(const Json& before, const Json& after) {
  const Json* list = after.find_path({"metadata", "managedFields"});
  const bool reset = list != nullptr && list->items().size() == 1 && list->items()[0] == Json::object();
  if (reset) return {};
  auto entries = read_managed_fields(after);
  return entries.empty() ? read_managed_fields(before) : entries;
}

}  // namespace

Result<Applied> apply_patch(const Json& live, const Json& wanted, const FieldManager& manager, bool force,
                            WallTime now) {
  JACKDAW_TRY(check_wanted(wanted));
  const Json config = without_system_fields(wanted, manager.subresource);
  const FieldSet named = fields_named(config, manager.subresource);
  auto entries = read_managed_fields(live);
  if (!named.empty()) own_unrecorded(entries, live);
  ManagedEntry& own = entry_of(entries, manager);

  Applied applied;
  applied.object = merged(live.is_object() ? live : Json::object(), config, {});
  prune_forgotten(applied.object, own.fields, entries, own, named);
  const FieldChanges changes = changes_between(live, applied.object, manager.subresource);
  applied.conflicts = conflicts_with(entries, own, changes.taken());
  if (!force && !applied.conflicts.empty()) {
    applied.object = live;
    return applied;
  }
  applied.conflicts.clear();
  settle(entries, own, changes);
  if (!changes.empty() || !(own.fields == named) || own.manager.api_version != manager.api_version) {
    own = {manager, rfc3339(now), named};
  }
  write_managed_fields(applied.object, std::move(entries));
  return applied;
}

Json with_updated_managers(const Json& before, Json after, const FieldManager& manager, WallTime now) {
  auto entries = entries_after(before, after);
  ManagedEntry& own = entry_of(entries, manager);
  const FieldChanges changes = changes_between(before, after, manager.subresource);
  settle(entries, own, changes);
  if (const FieldSet taken = changes.taken(); !taken.empty()) {
    own.fields = union_of(own.fields, taken);
    own.time = rfc3339(now);
  }
  write_managed_fields(after, std::move(entries));
  return after;
}

}  // namespace jackdaw::spec
