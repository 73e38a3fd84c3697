#include "src/spec/kinds.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "src/spec/checker.h"

namespace jackdaw::spec {
namespace {

struct KindRow {
  std::string_view group;
  std::string_view kind;
  std::string_view versions;  // separated by spaces, the one to write first
  KindUse use;
  std::string_view help;  // why it is left out
};

constexpr std::string_view kserve = "serving.kserve.io";
constexpr std::string_view own = "jackdaw.dev";
constexpr std::string_view no_images = "jackdaw is the runtime and runs no images";
constexpr std::string_view no_copies = "models are read where they are";

constexpr std::array<KindRow, 16> kind_rows = {{
    {kserve, "InferenceService", "v1beta1", KindUse::inference_service, ""},
    {kserve, "InferenceServiceList", "v1beta1", KindUse::list, ""},
    {own, "Daemon", "v1alpha1", KindUse::daemon, ""},
    {kserve, "LLMInferenceService", "v1alpha2 v1alpha1", KindUse::llm_inference_service, ""},
    {kserve, "LLMInferenceServiceList", "v1alpha2 v1alpha1", KindUse::list, ""},
    {kserve, "LLMInferenceServiceConfig", "v1alpha2 v1alpha1", KindUse::left_out,
     "its settings go into the LLMInferenceService"},
    {kserve, "InferenceGraph", "v1alpha1", KindUse::left_out, "graphs come later"},
    {kserve, "TrainedModel", "v1alpha1", KindUse::left_out, "write an InferenceService for the model instead"},
    {kserve, "ServingRuntime", "v1alpha1", KindUse::left_out, no_images},
    {kserve, "ClusterServingRuntime", "v1alpha1", KindUse::left_out, no_images},
    {kserve, "ClusterStorageContainer", "v1alpha1", KindUse::left_out, no_images},
    {kserve, "LocalModelCache", "v1alpha1", KindUse::left_out, no_copies},
    {kserve, "LocalModelNamespaceCache", "v1alpha1", KindUse::left_out, no_copies},
    {kserve, "LocalModelNode", "v1alpha1", KindUse::left_out, no_copies},
    {kserve, "LocalModelNodeGroup", "v1alpha1", KindUse::left_out, no_copies},
    {"", "List", "v1", KindUse::list, ""},
}};

bool has_version(std::string_view versions, std::string_view version) {
  while (!versions.empty()) {
    const std::size_t end = std::min(versions.find(' '), versions.size());
    if (versions.substr(0, end) == version) return true;
    versions.remove_prefix(std::min(end + 1, versions.size()));
  }
  return false;
}

std::string first_version(const KindRow& row) {
  const std::string_view version = row.versions.substr(0, row.versions.find(' '));
  return row.group.empty() ? std::string(version) : fmt::format("{}/{}", row.group, version);
}

const KindRow* row_of(std::string_view kind) {
  const auto found =
      std::find_if(kind_rows.begin(), kind_rows.end(), [&](const KindRow& row) { return row.kind == kind; });
  return found == kind_rows.end() ? nullptr : &*found;
}

// The text of a field that every object must have; null after a complaint.
const Node* header(const Node& object, std::string_view name, std::string_view example, Complaints& complaints) {
  const Node* node = object.find(name);
  if (node != nullptr && node->is_text() && !node->text.empty()) return node;
  if (node == nullptr || node->is_null() || node->is_text()) {
    complaints.error(FindingKind::missing_field, node != nullptr ? *node : object,
                     fmt::format("{} is missing; write for example {}", name, example));
  } else {
    complaints.error(FindingKind::wrong_type, *node, node->as_text().error().message);
  }
  return nullptr;
}

KindUse unknown_kind(const Node& kind, std::string_view group, Complaints& complaints) {
  std::vector<std::string_view> names;
  for (const KindRow& row : kind_rows) {
    if (row.group == group) names.push_back(row.kind);
  }
  complaints.error(FindingKind::unknown_field, kind,
                   fmt::format("unknown kind '{}' in {}{}", kind.text, group, suggestion(kind.text, names)));
  return KindUse::left_out;
}

}  // namespace

KindUse use_of(const Node& object, Complaints& complaints) {
  if (!object.is_map()) {
    complaints.error(
        FindingKind::wrong_type, object,
        fmt::format("a document must be an object with apiVersion and kind, not {}", kind_name(object.kind)));
    return KindUse::left_out;
  }
  const Node* version_node = header(object, "apiVersion", "serving.kserve.io/v1beta1", complaints);
  const Node* kind = header(object, "kind", "InferenceService", complaints);
  if (version_node == nullptr || kind == nullptr) return KindUse::left_out;

  const std::string_view api_version = version_node->text;
  const std::size_t slash = api_version.find('/');
  const std::string_view group = slash == std::string_view::npos ? "" : api_version.substr(0, slash);
  const std::string_view version = slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
  const KindRow* row = row_of(kind->text);
  if (row != nullptr && (row->group != group || !has_version(row->versions, version))) {
    complaints.error(FindingKind::invalid_value, *version_node,
                     fmt::format("{} is apiVersion {} here, not {}", row->kind, first_version(*row), api_version));
    return KindUse::left_out;
  }
  if (row == nullptr && (group == kserve || group == own)) return unknown_kind(*kind, group, complaints);
  if (row == nullptr) {
    complaints.report(*kind, fmt::format("the {} of {} is left out: jackdaw reads InferenceService, "
                                         "LLMInferenceService and Daemon",
                                         kind->text, api_version));
    return KindUse::left_out;
  }
  if (row->use == KindUse::left_out) {
    complaints.report(*kind, fmt::format("this version does not serve {}: {}", row->kind, row->help));
  }
  return row->use;
}

}  // namespace jackdaw::spec
