// Runtime selection: which of KServe's serving runtimes would serve a model, and so whose answers jackdaw gives.
//
// The rules are those of KServe's controller (pkg/apis/serving/v1beta1/predictor_model.go, GetSupportingRuntimes) over
// the runtimes it ships (config/runtimes):
//   - A runtime is a candidate when one of its model formats has the name (and the version, if the service names one),
//     is marked autoSelect, and the runtime speaks the protocol. A service that names no protocol asks for v1.
//   - Candidates are ordered by protocol, then newest, then name; then stably by the format's priority, higher first.
//     So priority decides between those that are left, and only equal priorities fall back to the first order.
//   - A runtime named by the service is taken without autoSelect. Its protocol is checked only if the service names
//     one; kserve-mlserver without a protocol then answers v2.
// Hence: sklearn, no protocol or v1 -> kserve-sklearnserver (kserve-mlserver does not speak v1). sklearn with
// protocolVersion v2 -> kserve-mlserver: both speak v2, and its priority 2 beats kserve-sklearnserver's 1. sklearn
// version "0" exists with v2 only; kserve-predictiveserver (priority 3) is never automatic, because autoSelect is off.
#pragma once

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
  std::string_view model_format;    // "sklearn"
  std::string_view format_version;  // "" = any
  std::string_view runtime;         // "" = automatic
  Protocol protocol = Protocol::v1;
  bool protocol_is_set = false;  // the service names it
};

// unsupported: no runtime; the message begins with KServe's reason (NoSupportingRuntime, RuntimeNotRecognized) and has
// KServe's words where it has any.
Result<SelectedRuntime> select_runtime(const RuntimeRequest& request);

}  // namespace jackdaw::spec
