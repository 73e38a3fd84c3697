#include "src/spec/metadata.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "src/spec/checker.h"

namespace jackdaw::spec {
namespace {

struct AnnotationRow {
  std::string_view name;
  bool effective;         // false: reported
  std::string_view help;  // why it has no effect
};

constexpr std::string_view own_prefix = "jackdaw.dev/";
constexpr std::string_view kserve_prefix = "serving.kserve.io/";
constexpr std::string_view no_pods = "jackdaw runs no pods";
constexpr std::string_view no_store = "models are read in place; map their URIs with spec.storage.map of kind Daemon";

// KServe's pkg/constants, Knative's autoscaling annotations, and our own.
constexpr std::array<AnnotationRow, 73> annotation_rows = {{
    {"jackdaw.dev/config-file", true, ""},
    {"jackdaw.dev/predict-fn", true, ""},
    {"jackdaw.dev/model-memory-limit", true, ""},
    {"jackdaw.dev/memory-budget", true, ""},
    {"jackdaw.dev/itl-target", true, ""},
    {"jackdaw.dev/speculative-tokens", true, ""},
    {"jackdaw.dev/queue-max", true, ""},
    {"jackdaw.dev/dynamic-batching", true, ""},
    {"jackdaw.dev/max-batch-size", true, ""},
    {"jackdaw.dev/max-queue-delay", true, ""},
    {"jackdaw.dev/preferred-batch-size", true, ""},
    {"jackdaw.dev/batch-instances", true, ""},
    {"jackdaw.dev/queue-size", true, ""},
    {"jackdaw.dev/queue-timeout", true, ""},
    {"jackdaw.dev/queue-timeout-action", true, ""},
    {"jackdaw.dev/priority-levels", true, ""},
    {"jackdaw.dev/default-priority-level", true, ""},
    {"jackdaw.dev/response-cache", true, ""},
    {"jackdaw.dev/response-cache-ttl", true, ""},
    {"jackdaw.dev/warm-up", true, ""},
    {"jackdaw.dev/logger-file", true, ""},
    {"jackdaw.dev/logger-file-size", true, ""},
    {"jackdaw.dev/held-requests-max", true, ""},
    {"jackdaw.dev/load", true, ""},
    {"jackdaw.dev/canary-traffic-percent", true, ""},
    {"jackdaw.dev/deployment-strategy", true, ""},
    {"jackdaw.dev/restarted-at", true, ""},
    {"jackdaw.dev/rollback-error-rate", true, ""},
    {"jackdaw.dev/rollback-latency-p99", true, ""},
    {"jackdaw.dev/rollback-min-requests", true, ""},
    {"jackdaw.dev/rollback-window", true, ""},
    {"jackdaw.dev/rollout-paused", true, ""},
    {"jackdaw.dev/shadow", true, ""},
    {"jackdaw.dev/shadow-percent", true, ""},
    {"jackdaw.dev/transformer-url", true, ""},
    {"serving.kserve.io/stop", true, ""},
    {"serving.kserve.io/deploymentMode", false, no_pods},
    {"serving.kserve.io/autoscalerClass", true, ""},
    {"serving.kserve.io/metrics", true, ""},
    {"serving.kserve.io/targetUtilizationPercentage", true, ""},
    {"serving.kserve.io/enable-tag-routing", true, ""},
    {"serving.kserve.io/enable-metric-aggregation", false, "all metrics are at /metrics"},
    {"serving.kserve.io/enable-prometheus-scraping", false, "all metrics are at /metrics"},
    {"serving.kserve.io/disable-localmodel", false, no_store},
    {"serving.kserve.io/nodegroup", false, no_pods},
    {"serving.kserve.io/disable-auto-update", false, "no runtime is updated on its own"},
    {"serving.kserve.io/gpu-resource-types", false, no_pods},
    {"serving.kserve.io/gke-accelerator", false, no_pods},
    {"serving.kserve.io/server-type", false, "the runtime decides"},
    {"serving.kserve.io/logger-secret-name", false, "they are for events in blob storage"},
    {"serving.kserve.io/logger-secret-path", false, "they are for events in blob storage"},
    {"serving.kserve.io/logger-secret-file", false, "they are for events in blob storage"},
    {"serving.kserve.io/storage-initializer-uid", false, no_pods},
    {"serving.kserve.io/enable-served-by-header", false, "only language models have it"},
    {"serving.kserve.io/inferencepool-migrated", false, "only language models have it"},
    {"serving.kserve.io/exp-dra-device-class", false, no_pods},
    {"serving.kserve.io/exp-dra-cel-selector", false, no_pods},
    {"serving.kserve.io/exp-dra-device-count", false, no_pods},
    {"serving.kserve.io/exp-dra-container-name", false, no_pods},
    {"serving.kserve.io/s3-endpoint", false, no_store},
    {"serving.kserve.io/s3-usehttps", false, no_store},
    {"serving.kserve.io/s3-region", false, no_store},
    {"serving.kserve.io/s3-useanoncredential", false, no_store},
    {"serving.kserve.io/s3-verifyssl", false, no_store},
    {"serving.kserve.io/s3-usevirtualbucket", false, no_store},
    {"serving.kserve.io/s3-useaccelerate", false, no_store},
    {"serving.kserve.io/s3-cabundle", false, no_store},
    {"serving.kserve.io/s3-cabundle-configmap", false, no_store},
    {"serving.kserve.io/s3-signature-version", false, no_store},
    {"serving.kserve.io/reconcile-timeout", false, no_pods},
    {"serving.kserve.io/modelFormat", false, "the model's own format decides"},
    {"storage.kserve.io/readonly", false, "models are always read only"},
    {"serving.knative.dev/rollout-duration", true, ""},
}};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

const AnnotationRow* annotation_row(std::string_view name) {
  const auto found = std::find_if(annotation_rows.begin(), annotation_rows.end(),
                                  [&](const AnnotationRow& row) { return row.name == name; });
  return found == annotation_rows.end() ? nullptr : &*found;
}

std::vector<std::string_view> annotation_names(std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const AnnotationRow& row : annotation_rows) {
    if (starts_with(row.name, prefix)) names.push_back(row.name);
  }
  return names;
}

void check_annotation(const Member& member, Complaints& complaints) {
  const std::string& name = member.name;
  if (const AnnotationRow* row = annotation_row(name)) {
    if (!row->effective) complaints.report(member, fmt::format("'{}' has no effect here: {}", name, row->help));
  } else if (starts_with(name, own_prefix)) {
    const std::string hint = complaints.full_of_errors() ? "" : suggestion(name, annotation_names(own_prefix));
    complaints.error(FindingKind::unknown_field, member, fmt::format("unknown annotation '{}'{}", name, hint));
  } else if (starts_with(name, kserve_prefix)) {
    const std::string hint = complaints.full_of_reports() ? "" : suggestion(name, annotation_names(kserve_prefix));
    complaints.report(member,
                      fmt::format("'{}' is not an annotation KServe knows, and has no effect here{}", name, hint));
  }
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_lower_or_digit(char c) {
  return is_lower(c) || (c >= '0' && c <= '9');
}

// [-a-z0-9]* between an allowed first and last character.
bool is_label(std::string_view text, bool letter_first) {
  if (text.empty()) return false;
  const bool first = letter_first ? is_lower(text.front()) : is_lower_or_digit(text.front());
  const auto inner = [](char c) { return is_lower_or_digit(c) || c == '-'; };
  return first && is_lower_or_digit(text.back()) && std::all_of(text.begin(), text.end(), inner);
}

void read_name(const Node& object, const Node& metadata, ObjectMeta& meta, Complaints& complaints) {
  constexpr std::size_t name_max = 253;
  const Node* name = metadata.find("name");
  if (name == nullptr || name->is_null() || (name->is_text() && name->text.empty())) {
    const Node& at = metadata.is_map() ? metadata : object;
    complaints.error(FindingKind::missing_field, at,
                     metadata.find("generateName") != nullptr
                         ? "metadata.name is missing; a file that is read again needs the same name each time, so "
                           "generateName is for the API alone"
                         : "metadata.name is missing; every object needs one");
    return;
  }
  if (!name->is_text()) return;
  meta.name.set(name->text, name->place());
  if (is_label(name->text, true) && name->text.size() <= name_max) return;
  const bool llm = object.text_of("kind") == "LLMInferenceService";
  complaints.error(
      FindingKind::invalid_value, *name,
      fmt::format("the {1} \"{0}\" is invalid: a {1} name must consist of lower case "
                  "alphanumeric characters or '-', and must start with alphabetical character. (e.g. \"my-name\" or "
                  "\"abc-123\", regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                  name->text.substr(0, name_max), llm ? "LLMInferenceService" : "InferenceService"));
}

void read_namespace(const Node& metadata, ObjectMeta& meta, Complaints& complaints) {
  constexpr std::size_t namespace_max = 63;
  const Node* ns = metadata.find("namespace");
  if (ns == nullptr || !ns->is_text() || ns->text.empty()) return;
  meta.namespace_name.set(ns->text, ns->place());
  if (is_label(ns->text, false) && ns->text.size() <= namespace_max) return;
  complaints.error(FindingKind::invalid_value, *ns,
                   "a namespace is at most 63 lower case letters, digits or '-', and begins and ends with a letter or "
                   "digit");
}

TextMap read_text_map(const Node* node) {
  TextMap out;
  if (node == nullptr || !node->is_map()) return out;
  for (const Member& member : node->members) {
    if (!member.value.is_text()) continue;
    out[member.name].set(member.value.text, member.value.place());
  }
  return out;
}

}  // namespace

ObjectMeta read_metadata(const Node& object, Complaints& complaints) {
  ObjectMeta meta;
  static const Node none;
  const Node* found = object.find("metadata");
  const Node& metadata = found != nullptr ? *found : none;
  read_name(object, metadata, meta, complaints);
  read_namespace(metadata, meta, complaints);
  meta.labels = read_text_map(metadata.find("labels"));
  meta.annotations = read_text_map(metadata.find("annotations"));
  return meta;
}

void check_annotations(const Node& object, Complaints& complaints) {
  const Node* metadata = object.find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  if (annotations == nullptr) return;
  for (const Member& member : annotations->members) check_annotation(member, complaints);
}

}  // namespace jackdaw::spec
