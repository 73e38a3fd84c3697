#include "jackdaw/spec/runtime_selection.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "jackdaw/base/text.h"

namespace jackdaw::spec {
namespace {

struct RuntimeRow {
  std::string_view runtime;
  std::string_view format;
  std::string_view version;
  bool auto_select;
  int priority;
  bool v1;  // all of them speak v2
  RuntimeDialect dialect;
};

// KServe's config/runtimes/*.yaml for the formats that jackdaw reads. Rows of one runtime stand together.
constexpr RuntimeDialect kserve = RuntimeDialect::kserve;
constexpr RuntimeDialect mlserver = RuntimeDialect::mlserver;
constexpr std::array<RuntimeRow, 13> runtime_rows = {{
    {"kserve-huggingfaceserver", "huggingface", "1", true, 1, true, kserve},
    {"kserve-lgbserver", "lightgbm", "4", true, 1, true, kserve},
    {"kserve-predictiveserver", "sklearn", "1", false, 3, true, kserve},
    {"kserve-predictiveserver", "xgboost", "2", false, 3, true, kserve},
    {"kserve-predictiveserver", "lightgbm", "4", false, 3, true, kserve},
    {"kserve-sklearnserver", "sklearn", "1", true, 1, true, kserve},
    {"kserve-xgbserver", "xgboost", "2", true, 1, true, kserve},
    {"kserve-mlserver", "sklearn", "0", true, 2, false, mlserver},
    {"kserve-mlserver", "sklearn", "1", true, 2, false, mlserver},
    {"kserve-mlserver", "xgboost", "1", true, 2, false, mlserver},
    {"kserve-mlserver", "xgboost", "2", true, 2, false, mlserver},
    {"kserve-mlserver", "lightgbm", "3", true, 2, false, mlserver},
    {"kserve-mlserver", "lightgbm", "4", true, 2, false, mlserver},
}};

bool speaks(const RuntimeRow& row, Protocol protocol) {
  return protocol == Protocol::v2 || (protocol == Protocol::v1 && row.v1);
}

bool serves_model(const RuntimeRow& row, const RuntimeRequest& request) {
  return row.format == request.model_format &&
         (request.format_version.empty() || row.version == request.format_version);
}

Error refusal(std::string message) {
  return {Code::unsupported, std::move(message), {}};
}

// Go prints the ModelFormat struct; a version is a pointer there, so its text is the nearest to KServe's words.
std::string format_text(const RuntimeRequest& request) {
  return fmt::format("{{{} {}}}", request.model_format,
                     request.format_version.empty() ? "<nil>" : request.format_version);
}

// "sklearn 0 or 1": what would have been served.
std::string known_versions(std::string_view format, Protocol protocol) {
  std::vector<std::string_view> versions;
  for (const RuntimeRow& row : runtime_rows) {
    const bool known = std::find(versions.begin(), versions.end(), row.version) != versions.end();
    if (row.format == format && speaks(row, protocol) && !known) versions.push_back(row.version);
  }
  std::sort(versions.begin(), versions.end());
  return fmt::format("{}", fmt::join(versions, ", "));
}

Result<SelectedRuntime> select_named(const RuntimeRequest& request) {
  const auto has_name = [&](const RuntimeRow& row) { return row.runtime == request.runtime; };
  const auto found = std::find_if(runtime_rows.begin(), runtime_rows.end(), has_name);
  if (found == runtime_rows.end()) {
    std::vector<std::string_view> names;
    for (const RuntimeRow& row : runtime_rows) names.push_back(row.runtime);
    const std::string near = nearest_name(request.runtime, names);
    return refusal(fmt::format(
        "RuntimeNotRecognized: no ServingRuntimes or ClusterServingRuntimes with the name: {}{}", request.runtime,
        near.empty() ? "; leave the runtime out to have it chosen" : fmt::format("; did you mean '{}'?", near)));
  }
  if (request.protocol_is_set && !speaks(*found, request.protocol)) {
    return refusal(fmt::format("NoSupportingRuntime: specified runtime {} does not support specified protocol version",
                               request.runtime));
  }
  const auto fits = [&](const RuntimeRow& row) { return has_name(row) && serves_model(row, request); };
  if (std::none_of(runtime_rows.begin(), runtime_rows.end(), fits)) {
    return refusal(fmt::format("NoSupportingRuntime: specified runtime {} does not support specified framework/version",
                               request.runtime));
  }
  return SelectedRuntime{std::string(found->runtime), found->dialect};
}

Result<SelectedRuntime> select_automatically(const RuntimeRequest& request) {
  const RuntimeRow* best = nullptr;
  for (const RuntimeRow& row : runtime_rows) {
    if (!row.auto_select || !serves_model(row, request) || !speaks(row, request.protocol)) continue;
    if (best == nullptr || row.priority > best->priority) best = &row;
  }
  if (best != nullptr) return SelectedRuntime{std::string(best->runtime), best->dialect};
  std::string message =
      fmt::format("NoSupportingRuntime: no runtime found to support predictor with model type: {} and protocol {}",
                  format_text(request), protocol_name(request.protocol));
  const std::string versions = known_versions(request.model_format, request.protocol);
  if (!request.format_version.empty() && !versions.empty()) {
    message += fmt::format("; versions with a runtime for {} over {}: {}, or leave the version out",
                           request.model_format, protocol_name(request.protocol), versions);
  }
  return refusal(std::move(message));
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::v1:
      return "v1";
    case Protocol::v2:
      return "v2";
    case Protocol::grpc_v1:
      return "grpc-v1";
    case Protocol::grpc_v2:
      return "grpc-v2";
  }
  return "";
}

Result<SelectedRuntime> select_runtime(const RuntimeRequest& request) {
  return request.runtime.empty() ? select_automatically(request) : select_named(request);
}

}  // namespace jackdaw::spec
