#include "src/spec/field_view.h"

#include <algorithm>
#include <array>

#include "jackdaw/base/text.h"

namespace jackdaw::spec {
namespace {

// fieldsV1 puts four levels above an object's own depth, which the reader's limit must still take.
constexpr int depth_max = 48;
// Steps become keys in fieldsV1, which the reader must still take (ReadLimits::key_bytes_max).
constexpr std::size_t step_bytes_max = 1000;

// clang-format off
const ListRule rules[] = {
    {"conditions",                {"type"},                             ""},
    {"containers",                {"name"},                             ""},
    {"initContainers",            {"name"},                             ""},
    {"ephemeralContainers",       {"name"},                             ""},
    {"env",                       {"name"},                             ""},
    {"ports",                     {"containerPort", "protocol"},        "TCP"},
    {"volumes",                   {"name"},                             ""},
    {"volumeMounts",              {"mountPath"},                        ""},
    {"volumeDevices",             {"devicePath"},                       ""},
    {"imagePullSecrets",          {"name"},                             "", true},
    {"hostAliases",               {"ip"},                               ""},
    {"claims",                    {"name"},                             ""},
    {"resourceClaims",            {"name"},                             ""},
    {"schedulingGates",           {"name"},                             ""},
    {"topologySpreadConstraints", {"topologyKey", "whenUnsatisfiable"}, ""},
    {"ownerReferences",           {"uid"},                              "", true},
    {"finalizers",                {},                                   ""},
};
// Maps that change as a whole: selectors and references mean nothing in part.
constexpr std::string_view atomic_maps[] = {
    "configMapKeyRef", "fieldRef", "fileKeyRef", "labelSelector", "namespaceSelector",
    "nodeSelector", "resourceFieldRef", "secretKeyRef",
};
// clang-format on

const ListRule* rule_of(const FieldName& list) {
  if (list.name.empty()) return nullptr;
  const auto found =
      std::find_if(std::begin(rules), std::end(rules), [&](const auto& r) { return r.field == list.name; });
  return found == std::end(rules) ? nullptr : &*found;
}

bool is_leaf(const Json& value, const FieldName& name) {
  if (name.atomic || name.depth >= depth_max) return true;
  if (value.is_array()) return rule_of(name) == nullptr;
  return !value.is_object() ||
         std::find(std::begin(atomic_maps), std::end(atomic_maps), name.name) != std::end(atomic_maps);
}

bool is_scalar(const Json& value) {
  return !value.is_array() && !value.is_object() && !value.is_null();
}

// Numbers that are equal make equal keys.
std::string key_value(const Json& value) {
  if (value.kind() != Json::Kind::number) return value.dump();
  const std::int64_t whole = value.as_integer();
  return Json::integer(whole) == value ? std::to_string(whole) : value.dump();
}

// `k:{"containerPort":80,"protocol":"TCP"}`; empty when a key is missing. The table has the keys in order.
std::string key_step(const Json& element, const ListRule& rule) {
  std::string step = "k:{";
  const Json missing = rule.default_key_value.empty() ? Json() : Json::text(std::string(rule.default_key_value));
  for (const std::string_view key : rule.keys) {
    const Json* value = element.find(key);
    if (value == nullptr && key == rule.keys.back()) value = &missing;
    if (value == nullptr || !is_scalar(*value)) return {};
    if (step.back() != '{') step += ',';
    append_json_string(step, key);
    step += ':' + key_value(*value);
  }
  return step + "}";
}

// False when a step is too long or there twice.
bool sort_steps(std::vector<FieldPart>& parts) {
  if (std::any_of(parts.begin(), parts.end(), [](const FieldPart& p) { return p.step.size() > step_bytes_max; })) {
    return false;
  }
  std::sort(parts.begin(), parts.end(), [](const FieldPart& a, const FieldPart& b) { return a.step < b.step; });
  const auto same = [](const FieldPart& a, const FieldPart& b) { return a.step == b.step; };
  return std::adjacent_find(parts.begin(), parts.end(), same) == parts.end();
}

}  // namespace

std::span<const ListRule> list_map_rules() {
  return rules;
}

FieldName member_name(const FieldName& map, std::string_view name) {
  return {name, false, map.depth + 1};
}

FieldName element_name(const FieldName& list) {
  const ListRule* rule = rule_of(list);
  return {"", rule != nullptr && (rule->elements_atomic || rule->keys.empty()), list.depth + 1};
}

std::optional<std::string> element_step(const Json& element, const FieldName& list) {
  const ListRule* rule = rule_of(list);
  if (rule == nullptr) return {};
  if (rule->keys.empty()) return is_scalar(element) ? std::optional("v:" + key_value(element)) : std::nullopt;
  std::string step = element.is_object() ? key_step(element, *rule) : std::string();
  return step.empty() ? std::nullopt : std::optional(std::move(step));
}

std::optional<std::vector<FieldPart>> parts_of(const Json& value, const FieldName& name) {
  if (is_leaf(value, name)) return {};
  std::vector<FieldPart> parts;
  for (const auto& [member, part] : value.members()) parts.push_back({"f:" + member, member_name(name, member), &part});
  for (const Json& element : value.items()) {
    auto step = element_step(element, name);
    if (!step) return {};
    parts.push_back({std::move(*step), element_name(name), &element});
  }
  if (!sort_steps(parts)) return {};
  return parts;
}

}  // namespace jackdaw::spec
