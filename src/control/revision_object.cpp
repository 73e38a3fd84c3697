#include "src/control/revision_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace jackdaw::control {
namespace {

using spec::Json;

// Members of spec.predictor in which the model is; all others say how it is run or reached.
constexpr std::array<std::string_view, 15> predictor_members{
    "model", "sklearn",  "xgboost", "tensorflow",  "pytorch",    "triton",  "onnx",      "huggingface",
    "pmml",  "lightgbm", "paddle",  "storageUris", "workerSpec", "volumes", "containers"};
// Members of LLMInferenceService.spec in which the model is.
constexpr std::array<std::string_view, 3> llm_members{"model", "template", "baseRefs"};
// Of a model's block or container: what pods, probes and images need, and no answer depends on.
constexpr std::array<std::string_view, 14> pod_members{"resources",
                                                       "ports",
                                                       "livenessProbe",
                                                       "readinessProbe",
                                                       "startupProbe",
                                                       "volumeMounts",
                                                       "volumeDevices",
                                                       "securityContext",
                                                       "lifecycle",
                                                       "image",
                                                       "imagePullPolicy",
                                                       "runtimeVersion",
                                                       "terminationMessagePath",
                                                       "terminationMessagePolicy"};
// Annotations that engines read, and those by which people ask for a fresh load.
constexpr std::array<std::string_view, 8> engine_annotations{
    "jackdaw.dev/predict-fn",   "jackdaw.dev/model-memory-limit",   "jackdaw.dev/memory-budget",
    "jackdaw.dev/itl-target",   "jackdaw.dev/speculative-tokens",   "jackdaw.dev/queue-max",
    "jackdaw.dev/restarted-at", "kubectl.kubernetes.io/restartedAt"};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0);  // "ab","c" is not "a","bc"
  }
  std::string text() const { return fmt::format("{:016x}{:016x}", one_, two_); }

 private:
  // FNV-1a twice, from two beginnings: enough among the revisions of one service, whose owner writes all of them.
  void add_byte(unsigned char byte) {
    one_ = (one_ ^ byte) * 0x100000001b3ull;
    two_ = (two_ ^ (byte + 0x9eull)) * 0x100000001b3ull;
  }
  std::uint64_t one_ = 0xcbf29ce484222325ull;
  std::uint64_t two_ = 0x6c62272e07bb0142ull;
};

std::vector<const Json::Member*> by_name(const Json& object) {
  std::vector<const Json::Member*> members;
  for (const Json::Member& member : object.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return members;
}

// Nothing, null and {} are one.
bool is_empty(const Json& value) {
  return value.is_null() || (value.is_object() && value.members().empty()) ||
         (value.is_array() && value.items().empty());
}

void add_value(Hash& hash, const Json& value) {
  if (value.is_object()) {
    hash.add("{");
    for (const Json::Member* member : by_name(value)) {
      if (is_empty(member->value) || contains(pod_members, member->name)) continue;
      hash.add(member->name);
      add_value(hash, member->value);
    }
    hash.add("}");
  } else if (value.is_array()) {
    hash.add("[");
    for (const Json& item : value.items()) add_value(hash, item);
    hash.add("]");
  } else {
    hash.add(value.dump());
  }
}

template <typename Names>
void add_members(Hash& hash, const Json* object, const Names& names) {
  if (object == nullptr) return;
  for (const Json::Member* member : by_name(*object)) {
    if (!contains(names, member->name) || is_empty(member->value)) continue;
    hash.add(member->name);
    add_value(hash, member->value);
  }
}

bool is_language_service(const Json& object) {
  const Json* kind = object.find("kind");
  return kind != nullptr && kind->as_text() == "LLMInferenceService";
}

// Only what a revision is made of, in the object's own order.
template <typename Names>
Json picked(const Json* object, const Names& names) {
  Json out = Json::object();
  if (object == nullptr) return out;
  for (const Json::Member& member : object->members()) {
    if (contains(names, member.name) && !member.value.is_null()) out.set(member.name, member.value);
  }
  return out;
}

// The members of `object` that are of a revision, replaced by those of `from`.
template <typename Names>
void put_back(Json& object, const Json* from, const Names& names) {
  for (const std::string_view name : names) object.erase(name);
  if (from == nullptr) return;
  for (const Json::Member& member : from->members()) {
    if (contains(names, member.name)) object.set(member.name, member.value);
  }
}

}  // namespace

std::string fingerprint_of(const Json& object) {
  Hash hash;
  if (is_language_service(object)) {
    add_members(hash, object.find("spec"), llm_members);
  } else {
    add_members(hash, object.find_path({"spec", "predictor"}), predictor_members);
  }
  add_members(hash, object.find_path({"metadata", "annotations"}), engine_annotations);
  return hash.text();
}

Json remembered(const Json& object) {
  Json spec;
  if (is_language_service(object)) {
    spec = picked(object.find("spec"), llm_members);
  } else {
    spec = Json::object({{"predictor", picked(object.find_path({"spec", "predictor"}), predictor_members)}});
  }
  Json out = Json::object({{"spec", std::move(spec)}});
  Json annotations = picked(object.find_path({"metadata", "annotations"}), engine_annotations);
  if (!annotations.members().empty()) out.set("annotations", std::move(annotations));
  return out;
}

Json object_of(const Json& object, const Json& remembered) {
  Json out = object;
  Json& spec = out.member("spec");
  spec.erase("canary");
  if (is_language_service(object)) {
    put_back(spec, remembered.find("spec"), llm_members);
  } else {
    put_back(spec.member("predictor"), remembered.find_path({"spec", "predictor"}), predictor_members);
  }
  put_back(out.member("metadata").member("annotations"), remembered.find("annotations"), engine_annotations);
  return out;
}

Json canary_object(const Json& object, const Json& canary) {
  Json out = object;
  Json& spec = out.member("spec");
  spec.erase("canary");
  const Json* predictor = canary.find("predictor");
  spec.set("predictor", predictor == nullptr ? Json::object() : *predictor);
  return out;
}

Json shadow_object(const Json& object, const std::string& storage_uri) {
  Json out = object;
  out.member("spec").erase("canary");
  Json& predictor = out.member("spec").member("predictor");
  predictor.erase("storageUris");
  for (Json::Member& member : predictor.members()) {
    const bool block = member.name != "storageUris" && member.name != "workerSpec" && member.name != "volumes" &&
                       member.name != "containers" && contains(predictor_members, member.name);
    if (!block || !member.value.is_object()) continue;
    member.value.erase("storage");
    member.value.set("storageUri", Json::text(storage_uri));
  }
  return out;
}

}  // namespace jackdaw::control
