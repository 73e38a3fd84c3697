#include "src/spec/managed_fields.h"

#include <algorithm>
#include <tuple>

#include "src/spec/field_view.h"

namespace jackdaw::spec {
namespace {

// Kubernetes' bound of entries of updates, and the name of what they become.
constexpr std::size_t update_entries_max = 10;
constexpr std::string_view ancient = "ancient-changes";

constexpr std::string_view system_metadata[] = {
    "name",     "namespace",         "uid",           "resourceVersion",   "generation",
    "selfLink", "creationTimestamp", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds",
};

// Takes out what nobody can own through this subresource.
FieldSet ownable(FieldSet set, std::string_view subresource) {
  set.member = false;
  if (subresource == "status") {
    std::erase_if(set.branches, [](const auto& branch) { return branch.step != "f:status"; });
    return set;
  }
  for (const std::string_view step : {"f:apiVersion", "f:kind", "f:status"}) set.erase(step);
  if (set.find("f:metadata") == nullptr) return set;
  FieldSet& metadata = set.at("f:metadata");
  metadata.member = false;
  std::erase_if(metadata.branches, [](const auto& branch) {
    return branch.step.starts_with("f:") && is_system_metadata(std::string_view(branch.step).substr(2));
  });
  if (metadata.empty()) set.erase("f:metadata");
  return set;
}

// `inner`: maps and lists are in the set too, and not only elements of lists and leaves.
FieldSet walked(const Json& value, const FieldName& name, bool inner) {
  FieldSet set;
  const auto parts = parts_of(value, name);
  const bool leaf = !parts || parts->empty();
  const bool element = name.name.empty() && name.depth > 0;
  set.member = inner || leaf || element;
  if (leaf) return set;
  set.branches.reserve(parts->size());
  for (const FieldPart& part : *parts) set.branches.push_back({part.step, walked(*part.value, part.name, inner)});
  return set;
}

void keep(FieldSet& out, const std::string& step, FieldSet set) {
  if (!set.empty()) out.branches.push_back({step, std::move(set)});
}

FieldChanges compared(const Json& before, const Json& after, const FieldName& name);

FieldChanges compared_parts(const std::vector<FieldPart>& before, const std::vector<FieldPart>& after) {
  FieldChanges changes;
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    if (b == after.end() || (a != before.end() && a->step < b->step)) {
      keep(changes.removed, a->step, walked(*a->value, a->name, true));
      ++a;
    } else if (a == before.end() || b->step < a->step) {
      keep(changes.added, b->step, walked(*b->value, b->name, true));
      ++b;
    } else {
      FieldChanges below = compared(*a->value, *b->value, a->name);
      keep(changes.added, a->step, std::move(below.added));
      keep(changes.modified, a->step, std::move(below.modified));
      keep(changes.removed, a->step, std::move(below.removed));
      ++a, ++b;
    }
  }
  return changes;
}

FieldChanges compared(const Json& before, const Json& after, const FieldName& name) {
  const auto a = parts_of(before, name), b = parts_of(after, name);
  if (a && b && before.kind() == after.kind()) return compared_parts(*a, *b);
  FieldChanges changes;
  if (before == after) return changes;
  changes.modified.member = true;
  if (a) changes.removed.branches = walked(before, name, true).branches;
  if (b) changes.added.branches = walked(after, name, true).branches;
  return changes;
}

std::string text_of(const Json& entry, std::string_view name) {
  const Json* found = entry.find(name);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

Json written(const ManagedEntry& entry) {
  Json out = Json::object({{"manager", Json::text(entry.manager.name)},
                           {"operation", Json::text(entry.manager.operation)},
                           {"apiVersion", Json::text(entry.manager.api_version)}});
  if (!entry.time.empty()) out.set("time", Json::text(entry.time));
  out.set("fieldsType", Json::text("FieldsV1"));
  out.set("fieldsV1", fields_v1(entry.fields));
  if (!entry.manager.subresource.empty()) out.set("subresource", Json::text(entry.manager.subresource));
  return out;
}

// Puts the oldest update entries together until there are few enough. `entries` begin with the oldest of a kind.
void merge_oldest(std::vector<ManagedEntry>& entries) {
  const auto is_update = [](const ManagedEntry& entry) { return entry.manager.operation == "Update"; };
  const auto is_young = [&](const ManagedEntry& e) { return is_update(e) && e.manager.name != ancient; };
  auto updates = static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), is_update));
  while (updates > update_entries_max) {
    const auto oldest = std::find_if(entries.begin(), entries.end(), is_young);
    if (oldest == entries.end()) return;
    const std::size_t before = entries.size();
    ManagedEntry old = std::move(*oldest);
    entries.erase(oldest);
    old.manager.name = ancient;
    ManagedEntry& bucket = entry_of(entries, old.manager);  // the first one only changes its name
    bucket.fields = union_of(bucket.fields, old.fields);
    bucket.time = std::max(bucket.time, old.time);
    updates -= before - entries.size();
  }
}

auto sort_key(const ManagedEntry& entry) {
  return std::tie(entry.manager.operation, entry.time, entry.manager.name, entry.manager.api_version,
                  entry.manager.subresource);
}

}  // namespace

bool is_system_metadata(std::string_view member) {
  return std::find(std::begin(system_metadata), std::end(system_metadata), member) != std::end(system_metadata);
}

bool same_manager(const FieldManager& a, const FieldManager& b) {
  return a.name == b.name && a.operation == b.operation && a.subresource == b.subresource &&
         (a.operation == "Apply" || a.api_version == b.api_version);
}

ManagedEntry& entry_of(std::vector<ManagedEntry>& entries, const FieldManager& manager) {
  for (ManagedEntry& entry : entries) {
    if (same_manager(entry.manager, manager)) return entry;
  }
  return entries.emplace_back(ManagedEntry{manager, {}, {}});
}

std::vector<ManagedEntry> read_managed_fields(const Json& object) {
  std::vector<ManagedEntry> entries;
  const Json* list = object.find_path({"metadata", "managedFields"});
  if (list == nullptr) return entries;
  for (const Json& item : list->items()) {
    FieldManager manager{text_of(item, "manager"), text_of(item, "operation"), text_of(item, "apiVersion"),
                         text_of(item, "subresource")};
    const Json* fields = item.find("fieldsV1");
    if ((manager.operation != "Apply" && manager.operation != "Update") || fields == nullptr) continue;
    entries.push_back({manager, text_of(item, "time"), ownable(field_set_of(*fields), manager.subresource)});
  }
  return entries;
}

void write_managed_fields(Json& object, std::vector<ManagedEntry> entries) {
  std::erase_if(entries, [](const ManagedEntry& entry) { return entry.fields.empty(); });
  const auto by_key = [](const auto& a, const auto& b) { return sort_key(a) < sort_key(b); };
  std::stable_sort(entries.begin(), entries.end(), by_key);
  merge_oldest(entries);
  std::stable_sort(entries.begin(), entries.end(), by_key);
  if (entries.empty()) {
    if (Json* metadata = object.find("metadata")) metadata->erase("managedFields");
    return;
  }
  Json list = Json::array();
  for (const ManagedEntry& entry : entries) list.append(written(entry));
  object.member("metadata").set("managedFields", std::move(list));
}

FieldChanges changes_between(const Json& before, const Json& after, std::string_view subresource) {
  FieldChanges changes = compared(before, after, {});
  changes.added = ownable(std::move(changes.added), subresource);
  changes.modified = ownable(std::move(changes.modified), subresource);
  changes.removed = ownable(std::move(changes.removed), subresource);
  return changes;
}

FieldSet fields_named(const Json& wanted, std::string_view subresource) {
  return ownable(walked(wanted, {}, false), subresource);
}

FieldSet fields_of(const Json& object, std::string_view subresource) {
  return ownable(walked(object, {}, true), subresource);
}

}  // namespace jackdaw::spec
