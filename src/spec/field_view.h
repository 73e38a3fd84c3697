// FieldView: an object's parts as server-side apply sees them: members of maps, elements of list maps by their key,
// elements of sets by their value; everything else is a leaf that changes as a whole.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/json.h"

namespace jackdaw::spec {

// How elements of a list are told apart. Which lists those are is said by the markers of Kubernetes' own types
// (+listType, +listMapKey, +structType), which KServe's objects embed; lists of KServe's own are atomic.
struct ListRule {
  std::string_view field;              // the member's name, wherever it stands
  std::vector<std::string_view> keys;  // none: a set, told apart by the values
  std::string_view default_key_value;  // of the last key, when an element has it not ("" for none)
  bool elements_atomic = false;
};
std::span<const ListRule> list_map_rules();

// What a value is called and how it is seen.
struct FieldName {
  std::string_view name;  // the member's name; "" for elements of lists and the root
  bool atomic = false;
  int depth = 0;  // steps from the root; very deep values are leaves
};

struct FieldPart {
  std::string step;  // "f:name", "k:{...}", "v:..."
  FieldName name;
  const Json* value;
};

// The parts sorted by step, or nothing for a leaf: scalars, lists without a rule, lists whose elements lack their keys
// (KServe's examples have containers without names) or have one twice, maps that change as a whole, names that are very
// long.
std::optional<std::vector<FieldPart>> parts_of(const Json& value, const FieldName& name);

// The step of a list map's or set's element; nothing when it lacks its key or the list is no such list.
std::optional<std::string> element_step(const Json& element, const FieldName& list);
FieldName member_name(const FieldName& map, std::string_view name);
FieldName element_name(const FieldName& list);

}  // namespace jackdaw::spec
