// Fields of jackdaw.dev/v1alpha1 Daemon. docs/config.md says the same in words; a test holds the two together.
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

using enum FieldType;
using enum FieldClass;

// clang-format off
constexpr FieldRow rows[] = {
    {"Daemon", "apiVersion"},
    {"Daemon", "kind"},
    {"Daemon", "metadata", object, "ObjectMeta"},
    {"Daemon", "spec", object, "DaemonSpec"},
    {"Daemon", "status", anything, "", no_effect, "the daemon writes the status itself"},

    {"DaemonSpec", "listen", text_list},
    {"DaemonSpec", "ioThreads", integer},
    {"DaemonSpec", "cpuThreads", integer},
    {"DaemonSpec", "drainTimeout"},
    {"DaemonSpec", "stateDir"},
    {"DaemonSpec", "limits", object, "DaemonLimits"},
    {"DaemonSpec", "logging", object, "DaemonLogging"},
    {"DaemonSpec", "storage", object, "DaemonStorage"},
    {"DaemonSpec", "memoryBudget", quantity},
    {"DaemonSpec", "loadedModelsMax", integer},
    {"DaemonSpec", "tls", object, "DaemonTls"},
    {"DaemonSpec", "auth", object, "DaemonAuth"},
    {"DaemonSpec", "cors", object, "DaemonCors"},
    {"DaemonSpec", "cluster", anything, "", unsupported, "there is no gossip ring; remove it to run alone"},

    {"DaemonLimits", "maxHeaderBytes", quantity},
    {"DaemonLimits", "maxBodyBytes", quantity},
    {"DaemonLimits", "maxBufferedBytes", quantity},
    {"DaemonLimits", "maxConnections", integer},
    {"DaemonLimits", "headerTimeout"},
    {"DaemonLimits", "bodyTimeout"},
    {"DaemonLimits", "idleTimeout"},
    {"DaemonLimits", "writeTimeout"},

    {"DaemonLogging", "format"},
    {"DaemonLogging", "level"},
    {"DaemonLogging", "access", boolean},

    {"DaemonStorage", "map", text_map},
    {"DaemonStorage", "pvcRoot"},
    {"DaemonStorage", "pvc", text_map},
    {"DaemonStorage", "roots", text_list},

    {"DaemonTls", "certFile"},
    {"DaemonTls", "keyFile"},
    {"DaemonTls", "clientCaFile"},
    {"DaemonTls", "clientCertificates"},
    {"DaemonTls", "minVersion", quantity},

    {"DaemonAuth", "tokens", object_list, "DaemonToken"},
    {"DaemonAuth", "certificates", object_list, "DaemonCertificate"},
    {"DaemonAuth", "inferenceKeys", object, "DaemonInferenceKeys"},

    {"DaemonToken", "token", anything},
    {"DaemonToken", "tokenFile"},
    {"DaemonToken", "", inlined, "DaemonGrant"},

    {"DaemonCertificate", "names", text_list},
    {"DaemonCertificate", "", inlined, "DaemonGrant"},

    {"DaemonGrant", "name"},
    {"DaemonGrant", "scopes", text_list},
    {"DaemonGrant", "models", text_list},
    {"DaemonGrant", "namespaces", text_list},

    {"DaemonInferenceKeys", "required", boolean},

    {"DaemonCors", "allowedOrigins", text_list},
    {"DaemonCors", "allowedHeaders", text_list},
    {"DaemonCors", "allowedMethods", text_list},
    {"DaemonCors", "maxAge"},
    {"DaemonCors", "allowCredentials", boolean},
};
// clang-format on

}  // namespace

std::span<const FieldRow> daemon_rows() {
  return rows;
}

}  // namespace jackdaw::spec
