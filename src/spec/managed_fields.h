// ManagedFields: metadata.managedFields, who changed which fields of an object (metav1.ManagedFieldsEntry).
#pragma once

#include <string>
#include <vector>

#include "jackdaw/spec/patch.h"
#include "src/spec/field_set.h"

namespace jackdaw::spec {

struct ManagedEntry {
  FieldManager manager;
  std::string time;  // RFC 3339, seconds; "" when it is not known
  FieldSet fields;
};

// An apply is the same manager whatever version of the API it was sent in.
bool same_manager(const FieldManager& a, const FieldManager& b);

// The entries of metadata.managedFields; those that are none are left out, and fields that nobody can own.
std::vector<ManagedEntry> read_managed_fields(const Json& object);
// Writes them in Kubernetes' order, without empty ones. Of many entries of updates, the oldest become one.
void write_managed_fields(Json& object, std::vector<ManagedEntry> entries);
ManagedEntry& entry_of(std::vector<ManagedEntry>& entries, const FieldManager& manager);  // made when it is missing

// What a write through `subresource` ("" or "status") changed, without the fields that nobody owns.
struct FieldChanges {
  FieldSet added;  // with the maps and elements that are new
  FieldSet modified;
  FieldSet removed;

  FieldSet taken() const { return union_of(added, modified); }
  bool empty() const { return added.empty() && modified.empty() && removed.empty(); }
};
FieldChanges changes_between(const Json& before, const Json& after, std::string_view subresource);

// The fields that an apply names: leaves, and elements of lists.
FieldSet fields_named(const Json& wanted, std::string_view subresource);
// Every field there is, with maps and lists.
FieldSet fields_of(const Json& object, std::string_view subresource);

// Members of metadata that belong to the server or tell objects apart: never owned, and of them only the name and the
// namespace are taken from an apply.
bool is_system_metadata(std::string_view member);

}  // namespace jackdaw::spec
