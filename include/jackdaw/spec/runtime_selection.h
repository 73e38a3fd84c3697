// Runtime selection: which of KServe's serving runtimes would serve a model, and so whose answers jackdaw gives.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::spec {

enum class Protocol : unsigned char { v1, v2, grpc_v1, grpc_v2 };
std::string_view protocol_name(Protocol protocol);  // "v1", "v2", "grpc-v1", "grpc-v2"

// Whose bytes the answers equal.
enum class RuntimeDialect : unsigned char { kserve, mlserver };

struct SelectedRuntime {
  std::string name;  // "kserve-sklearnserver", as status.clusterServingRuntimeName says it
  RuntimeDialect dialect = RuntimeDialect::kserve;
};

struct RuntimeRequest {
  std::string_view service;         // metadata.name, for messages
  std::string_view model_format;    // "sklearn"
  std::string_view format_version;  // "" = any
  std::string_view runtime;         // "" = automatic
  Protocol protocol = Protocol::v1;
};

Result<SelectedRuntime> select_runtime(const RuntimeRequest& request);

}  // namespace jackdaw::spec
