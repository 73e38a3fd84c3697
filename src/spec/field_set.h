// FieldSet: a set of fields of an object, as Kubernetes' fieldsV1 writes it (sigs.k8s.io/structured-merge-diff,
// fieldpath/serialize.go):
//
//   {"f:metadata": {"f:labels": {".": {}, "f:app": {}}},                  maps by member
//    "f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {".": {}, "f:image": {}}}},   list maps by key
//    "f:finalizers": {"v:\"x\"": {}}}                                    sets by value
//
// A tree of steps; "." says that the step itself is in the set and not only what is below it. A leaf is always in it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/json.h"

namespace jackdaw::spec {

struct FieldSet {
  struct Branch;

  bool member = false;           // of the root: without meaning
  std::vector<Branch> branches;  // sorted by step, none empty

  bool empty() const { return !member && branches.empty(); }
  const FieldSet* find(std::string_view step) const;
  FieldSet& at(std::string_view step);  // made when it is missing
  void erase(std::string_view step);

  friend bool operator==(const FieldSet& a, const FieldSet& b);
};

struct FieldSet::Branch {
  std::string step;  // "f:name", "k:{...}", "v:..."
  FieldSet set;
};

FieldSet union_of(const FieldSet& a, const FieldSet& b);
FieldSet union_of(std::span<const FieldSet* const> sets);
FieldSet intersection_of(const FieldSet& a, const FieldSet& b);
// What is in `a` and not in `b`.
FieldSet difference_of(const FieldSet& a, const FieldSet& b);
// What is in `a` and neither in `b` nor below a member of it.
FieldSet difference_below(const FieldSet& a, const FieldSet& b);

// Steps that are not known are kept as they are. What is no object counts as a leaf.
FieldSet field_set_of(const Json& fields_v1);
Json fields_v1(const FieldSet& set);

// ".spec.containers[name=\"a\"].image", ".metadata.finalizers[=\"x\"]" of every member, in order.
std::vector<std::string> field_paths(const FieldSet& set);

}  // namespace jackdaw::spec
