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
    {"DaemonSpec", "memoryBudget", quantity, "", no_effect, "this version keeps every declared model loaded"},
    {"DaemonSpec", "tls", anything, "", unsupported, "listeners speak plain HTTP; remove it and put a TLS proxy in front"},
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
};
// clang-format on

}  // namespace

std::span<const FieldRow> daemon_rows() {
  return rows;
}

}  // namespace jackdaw::spec
