// Fields of a Kubernetes pod (core/v1 PodSpec and what it holds, except volumes), which KServe inlines into every
// component. jackdaw runs no pods: all of them are kept and reported, except a container's args and env.
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

using enum FieldType;
using enum FieldClass;

// clang-format off
constexpr FieldRow rows[] = {
    {"PodSpec", "activeDeadlineSeconds", integer, "", no_effect},
    {"PodSpec", "affinity", object, "Affinity", no_effect},
    {"PodSpec", "automountServiceAccountToken", boolean, "", no_effect},
    {"PodSpec", "containers", object_list, "Container", no_effect},
    {"PodSpec", "dnsConfig", object, "DnsConfig", no_effect},
    {"PodSpec", "dnsPolicy", text, "", no_effect},
    {"PodSpec", "enableServiceLinks", boolean, "", no_effect},
    {"PodSpec", "hostAliases", object_list, "HostAlias", no_effect},
    {"PodSpec", "hostIPC", boolean, "", no_effect},
    {"PodSpec", "hostNetwork", boolean, "", no_effect},
    {"PodSpec", "hostPID", boolean, "", no_effect},
    {"PodSpec", "hostUsers", boolean, "", no_effect},
    {"PodSpec", "hostname", text, "", no_effect},
    {"PodSpec", "hostnameOverride", text, "", no_effect},
    {"PodSpec", "imagePullSecrets", object_list, "ObjectRef", no_effect},
    {"PodSpec", "initContainers", object_list, "Container", no_effect},
    {"PodSpec", "nodeName", text, "", no_effect},
    {"PodSpec", "nodeSelector", text_map, "", no_effect},
    {"PodSpec", "os", object, "ObjectRef", no_effect},
    {"PodSpec", "overhead", quantity_map, "", no_effect},
    {"PodSpec", "preemptionPolicy", text, "", no_effect},
    {"PodSpec", "priority", integer, "", no_effect},
    {"PodSpec", "priorityClassName", text, "", no_effect},
    {"PodSpec", "readinessGates", object_list, "ReadinessGate", no_effect},
    {"PodSpec", "resourceClaims", object_list, "PodResourceClaim", no_effect},
    {"PodSpec", "resources", object, "ResourceRequirements", no_effect},
    {"PodSpec", "restartPolicy", text, "", no_effect},
    {"PodSpec", "runtimeClassName", text, "", no_effect},
    {"PodSpec", "schedulerName", text, "", no_effect},
    {"PodSpec", "schedulingGates", object_list, "ObjectRef", no_effect},
    {"PodSpec", "securityContext", object, "PodSecurityContext", no_effect},
    {"PodSpec", "serviceAccount", text, "", no_effect},
    {"PodSpec", "serviceAccountName", text, "", no_effect},
    {"PodSpec", "setHostnameAsFQDN", boolean, "", no_effect},
    {"PodSpec", "shareProcessNamespace", boolean, "", no_effect},
    {"PodSpec", "subdomain", text, "", no_effect},
    {"PodSpec", "terminationGracePeriodSeconds", integer, "", no_effect},
    {"PodSpec", "tolerations", object_list, "Toleration", no_effect},
    {"PodSpec", "topologySpreadConstraints", object_list, "TopologySpreadConstraint", no_effect},
    {"PodSpec", "volumes", object_list, "Volume", no_effect},

    {"Affinity", "nodeAffinity", object, "NodeAffinity"},
    {"Affinity", "podAffinity", object, "PodAffinity"},
    {"Affinity", "podAntiAffinity", object, "PodAffinity"},

    {"NodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution", object_list, "PreferredNodeTerm"},
    {"NodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", object, "NodeSelector"},

    {"PreferredNodeTerm", "preference", object, "NodeSelectorTerm"},
    {"PreferredNodeTerm", "weight", integer},

    {"NodeSelectorTerm", "matchExpressions", object_list, "SelectorRequirement"},
    {"NodeSelectorTerm", "matchFields", object_list, "SelectorRequirement"},

    {"SelectorRequirement", "key"},
    {"SelectorRequirement", "operator"},
    {"SelectorRequirement", "values", text_list},

    {"NodeSelector", "nodeSelectorTerms", object_list, "NodeSelectorTerm"},

    {"PodAffinity", "preferredDuringSchedulingIgnoredDuringExecution", object_list, "WeightedPodAffinityTerm"},
    {"PodAffinity", "requiredDuringSchedulingIgnoredDuringExecution", object_list, "PodAffinityTerm"},

    {"WeightedPodAffinityTerm", "podAffinityTerm", object, "PodAffinityTerm"},
    {"WeightedPodAffinityTerm", "weight", integer},

    {"PodAffinityTerm", "labelSelector", object, "LabelSelector"},
    {"PodAffinityTerm", "matchLabelKeys", text_list},
    {"PodAffinityTerm", "mismatchLabelKeys", text_list},
    {"PodAffinityTerm", "namespaceSelector", object, "LabelSelector"},
    {"PodAffinityTerm", "namespaces", text_list},
    {"PodAffinityTerm", "topologyKey"},

    {"LabelSelector", "matchExpressions", object_list, "SelectorRequirement"},
    {"LabelSelector", "matchLabels", text_map},

    {"Container", "args", text_list},
    {"Container", "command", text_list, "", no_effect},
    {"Container", "env", object_list, "EnvVar"},
    {"Container", "envFrom", object_list, "EnvFromSource", no_effect},
    {"Container", "image", text, "", no_effect},
    {"Container", "imagePullPolicy", text, "", no_effect},
    {"Container", "lifecycle", object, "Lifecycle", no_effect},
    {"Container", "livenessProbe", object, "Probe", no_effect},
    {"Container", "name"},
    {"Container", "ports", object_list, "ContainerPort", no_effect},
    {"Container", "readinessProbe", object, "Probe", no_effect},
    {"Container", "resizePolicy", object_list, "ResizePolicy", no_effect},
    {"Container", "resources", object, "ResourceRequirements", no_effect},
    {"Container", "restartPolicy", text, "", no_effect},
    {"Container", "restartPolicyRules", object_list, "RestartRule", no_effect},
    {"Container", "securityContext", object, "ContainerSecurityContext", no_effect},
    {"Container", "startupProbe", object, "Probe", no_effect},
    {"Container", "stdin", boolean, "", no_effect},
    {"Container", "stdinOnce", boolean, "", no_effect},
    {"Container", "terminationMessagePath", text, "", no_effect},
    {"Container", "terminationMessagePolicy", text, "", no_effect},
    {"Container", "tty", boolean, "", no_effect},
    {"Container", "volumeDevices", object_list, "VolumeDevice", no_effect},
    {"Container", "volumeMounts", object_list, "VolumeMount", no_effect},
    {"Container", "workingDir", text, "", no_effect},

    {"EnvVar", "name"},
    {"EnvVar", "value"},
    {"EnvVar", "valueFrom", object, "EnvVarSource"},

    {"EnvVarSource", "configMapKeyRef", object, "KeySelector"},
    {"EnvVarSource", "fieldRef", object, "FieldSelector"},
    {"EnvVarSource", "fileKeyRef", object, "FileKeySelector"},
    {"EnvVarSource", "resourceFieldRef", object, "ResourceFieldSelector"},
    {"EnvVarSource", "secretKeyRef", object, "KeySelector"},

    {"KeySelector", "key"},
    {"KeySelector", "name"},
    {"KeySelector", "optional", boolean},

    {"FieldSelector", "apiVersion"},
    {"FieldSelector", "fieldPath"},

    {"FileKeySelector", "key"},
    {"FileKeySelector", "optional", boolean},
    {"FileKeySelector", "path"},
    {"FileKeySelector", "volumeName"},

    {"ResourceFieldSelector", "containerName"},
    {"ResourceFieldSelector", "divisor", quantity},
    {"ResourceFieldSelector", "resource"},

    {"EnvFromSource", "configMapRef", object, "EnvSource"},
    {"EnvFromSource", "prefix"},
    {"EnvFromSource", "secretRef", object, "EnvSource"},

    {"EnvSource", "name"},
    {"EnvSource", "optional", boolean},

    {"Lifecycle", "postStart", object, "LifecycleHandler"},
    {"Lifecycle", "preStop", object, "LifecycleHandler"},
    {"Lifecycle", "stopSignal"},

    {"LifecycleHandler", "exec", object, "ExecAction"},
    {"LifecycleHandler", "httpGet", object, "HttpGetAction"},
    {"LifecycleHandler", "sleep", object, "SleepAction"},
    {"LifecycleHandler", "tcpSocket", object, "TcpSocketAction"},

    {"ExecAction", "command", text_list},

    {"HttpGetAction", "host"},
    {"HttpGetAction", "httpHeaders", object_list, "NameValue"},
    {"HttpGetAction", "path"},
    {"HttpGetAction", "port", quantity},
    {"HttpGetAction", "scheme"},

    {"NameValue", "name"},
    {"NameValue", "value"},

    {"SleepAction", "seconds", integer},

    {"TcpSocketAction", "host"},
    {"TcpSocketAction", "port", quantity},

    {"Probe", "exec", object, "ExecAction"},
    {"Probe", "failureThreshold", integer},
    {"Probe", "grpc", object, "GrpcAction"},
    {"Probe", "httpGet", object, "HttpGetAction"},
    {"Probe", "initialDelaySeconds", integer},
    {"Probe", "periodSeconds", integer},
    {"Probe", "successThreshold", integer},
    {"Probe", "tcpSocket", object, "TcpSocketAction"},
    {"Probe", "terminationGracePeriodSeconds", integer},
    {"Probe", "timeoutSeconds", integer},

    {"GrpcAction", "port", integer},
    {"GrpcAction", "service"},

    {"ContainerPort", "containerPort", integer},
    {"ContainerPort", "hostIP"},
    {"ContainerPort", "hostPort", integer},
    {"ContainerPort", "name"},
    {"ContainerPort", "protocol"},

    {"ResizePolicy", "resourceName"},
    {"ResizePolicy", "restartPolicy"},

    {"ResourceRequirements", "claims", object_list, "ResourceClaimRef"},
    {"ResourceRequirements", "limits", quantity_map},
    {"ResourceRequirements", "requests", quantity_map},

    {"ResourceClaimRef", "name"},
    {"ResourceClaimRef", "request"},

    {"RestartRule", "action"},
    {"RestartRule", "exitCodes", object, "RestartRuleExitCodes"},

    {"RestartRuleExitCodes", "operator"},
    {"RestartRuleExitCodes", "values", integer_list},

    {"ContainerSecurityContext", "allowPrivilegeEscalation", boolean},
    {"ContainerSecurityContext", "appArmorProfile", object, "SecurityProfile"},
    {"ContainerSecurityContext", "capabilities", object, "Capabilities"},
    {"ContainerSecurityContext", "privileged", boolean},
    {"ContainerSecurityContext", "procMount"},
    {"ContainerSecurityContext", "readOnlyRootFilesystem", boolean},
    {"ContainerSecurityContext", "runAsGroup", integer},
    {"ContainerSecurityContext", "runAsNonRoot", boolean},
    {"ContainerSecurityContext", "runAsUser", integer},
    {"ContainerSecurityContext", "seLinuxOptions", object, "SeLinuxOptions"},
    {"ContainerSecurityContext", "seccompProfile", object, "SecurityProfile"},
    {"ContainerSecurityContext", "windowsOptions", object, "WindowsOptions"},

    {"SecurityProfile", "localhostProfile"},
    {"SecurityProfile", "type"},

    {"Capabilities", "add", text_list},
    {"Capabilities", "drop", text_list},

    {"SeLinuxOptions", "level"},
    {"SeLinuxOptions", "role"},
    {"SeLinuxOptions", "type"},
    {"SeLinuxOptions", "user"},

    {"WindowsOptions", "gmsaCredentialSpec"},
    {"WindowsOptions", "gmsaCredentialSpecName"},
    {"WindowsOptions", "hostProcess", boolean},
    {"WindowsOptions", "runAsUserName"},

    {"VolumeDevice", "devicePath"},
    {"VolumeDevice", "name"},

    {"VolumeMount", "mountPath"},
    {"VolumeMount", "mountPropagation"},
    {"VolumeMount", "name"},
    {"VolumeMount", "readOnly", boolean},
    {"VolumeMount", "recursiveReadOnly"},
    {"VolumeMount", "subPath"},
    {"VolumeMount", "subPathExpr"},

    {"DnsConfig", "nameservers", text_list},
    {"DnsConfig", "options", object_list, "NameValue"},
    {"DnsConfig", "searches", text_list},

    {"HostAlias", "hostnames", text_list},
    {"HostAlias", "ip"},

    {"ObjectRef", "name"},

    {"ReadinessGate", "conditionType"},

    {"PodResourceClaim", "name"},
    {"PodResourceClaim", "resourceClaimName"},
    {"PodResourceClaim", "resourceClaimTemplateName"},

    {"PodSecurityContext", "appArmorProfile", object, "SecurityProfile"},
    {"PodSecurityContext", "fsGroup", integer},
    {"PodSecurityContext", "fsGroupChangePolicy"},
    {"PodSecurityContext", "runAsGroup", integer},
    {"PodSecurityContext", "runAsNonRoot", boolean},
    {"PodSecurityContext", "runAsUser", integer},
    {"PodSecurityContext", "seLinuxChangePolicy"},
    {"PodSecurityContext", "seLinuxOptions", object, "SeLinuxOptions"},
    {"PodSecurityContext", "seccompProfile", object, "SecurityProfile"},
    {"PodSecurityContext", "supplementalGroups", integer_list},
    {"PodSecurityContext", "supplementalGroupsPolicy"},
    {"PodSecurityContext", "sysctls", object_list, "NameValue"},
    {"PodSecurityContext", "windowsOptions", object, "WindowsOptions"},

    {"Toleration", "effect"},
    {"Toleration", "key"},
    {"Toleration", "operator"},
    {"Toleration", "tolerationSeconds", integer},
    {"Toleration", "value"},

    {"TopologySpreadConstraint", "labelSelector", object, "LabelSelector"},
    {"TopologySpreadConstraint", "matchLabelKeys", text_list},
    {"TopologySpreadConstraint", "maxSkew", integer},
    {"TopologySpreadConstraint", "minDomains", integer},
    {"TopologySpreadConstraint", "nodeAffinityPolicy"},
    {"TopologySpreadConstraint", "nodeTaintsPolicy"},
    {"TopologySpreadConstraint", "topologyKey"},
    {"TopologySpreadConstraint", "whenUnsatisfiable"},
};
// clang-format on

}  // namespace

std::span<const FieldRow> pod_rows() {
  return rows;
}

}  // namespace jackdaw::spec
