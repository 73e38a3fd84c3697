#include "jackdaw/control/declared_object.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "src/control/object_meta.h"

namespace jackdaw::control {
namespace {

using spec::Finding;
using spec::FindingKind;
using spec::Json;

std::string base_dir_of(const Json& object) {
  const std::filesystem::path file(text_at(object, {"metadata", "annotations", config_file_annotation}));
  return file.is_absolute() ? file.parent_path().string() : std::string();
}

// metav1.CauseType.
std::string_view cause_reason(FindingKind kind) {
  switch (kind) {
    case FindingKind::missing_field:
      return "FieldValueRequired";
    case FindingKind::wrong_type:
      return "FieldValueTypeInvalid";
    case FindingKind::unsupported:
    case FindingKind::no_effect:
      return "FieldValueForbidden";
    case FindingKind::duplicate:
      return "FieldValueDuplicate";
    case FindingKind::syntax:
    case FindingKind::unknown_field:
    case FindingKind::invalid_value:
    case FindingKind::file:
      break;
  }
  return "FieldValueInvalid";
}

bool is_mapped(std::string_view uri, const std::vector<std::string>& mapped) {
  return std::any_of(mapped.begin(), mapped.end(), [&](const std::string& prefix) { return uri.starts_with(prefix); });
}

// A path that is relative to a file, of an object that came from none.
bool hangs_in_the_air(const std::string& uri, const std::string& base_dir, const std::vector<std::string>& mapped) {
  return !uri.empty() && base_dir.empty() && uri.front() != '/' && uri.find("://") == std::string::npos &&
         !is_mapped(uri, mapped);
}

void check_path(const std::string& uri, const std::string& base_dir, std::string_view field,
                const std::vector<std::string>& mapped, std::vector<FieldCause>& causes) {
  if (!hangs_in_the_air(uri, base_dir, mapped)) return;
  causes.push_back({std::string(field),
                    fmt::format("'{}' is relative, and an object that comes from no file has no folder to start from; "
                                "write an absolute path or a URI",
                                uri),
                    "FieldValueInvalid"});
}

// Annotations are no fields: anybody may write them, but not misspell ours.
bool is_unknown_field(const Finding& finding) {
  return finding.kind == FindingKind::unknown_field && !finding.place.pointer.empty() &&
         !finding.place.pointer.starts_with("/metadata/annotations/");
}

std::string warning_of(const Finding& finding) {
  return finding.path.empty() ? finding.message : finding.path + ": " + finding.message;
}

Verdict verdict_on(const Json& object, const std::vector<std::string>& mapped) {
  const spec::LoadedConfig read = read_declared(object, mapped);
  Verdict verdict;
  for (const Finding& finding : read.findings) {
    if (finding.severity != spec::Severity::error) {
      verdict.warnings.push_back(warning_of(finding));
      continue;
    }
    FieldCause cause{finding.path, finding.message, std::string(cause_reason(finding.kind))};
    if (is_unknown_field(finding)) {
      verdict.unknown_fields.push_back({std::move(cause), finding.place.pointer});
    } else {
      verdict.errors.push_back(std::move(cause));
    }
  }
  for (const auto& service : read.services) {
    check_path(*service.predictor.storage_uri, service.base_dir, "spec.predictor.model.storageUri", mapped,
               verdict.errors);
  }
  for (const auto& service : read.llm_services) {
    check_path(*service.model_uri, service.base_dir, "spec.model.uri", mapped, verdict.errors);
  }
  return verdict;
}

}  // namespace

spec::LoadedConfig read_declared(const Json& object, const std::vector<std::string>& mapped) {
  Json wanted = object;
  wanted.erase("status");
  if (Json* metadata = wanted.find("metadata")) metadata->erase("managedFields");
  spec::LoadOptions options;
  options.mapped = mapped;
  return spec::load_config_text(wanted.dump(), "object.json", base_dir_of(object), options);
}

Validator make_spec_validator(std::vector<std::string> mapped) {
  return [mapped = std::move(mapped)](const ResourceKind&, Json& object) { return verdict_on(object, mapped); };
}

}  // namespace jackdaw::control
