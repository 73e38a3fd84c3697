#include "src/spec/scaling_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "src/spec/checker.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t replicas_max = 1'000'000;
constexpr std::string_view by_hand = "requests decide here (concurrency or rps)";

void refuse(const Node& node, Complaints& complaints, std::string message) {
  complaints.error(FindingKind::invalid_value, node, std::move(message));
}

const Node* given(const Node& map, std::string_view field) {
  const Node* node = map.find(field);
  return node == nullptr || node->is_null() ? nullptr : node;
}

// Nothing when the field is missing or is no whole number (which the schema says).
std::optional<std::int64_t> whole(const Node& map, std::string_view field) {
  const Node* node = given(map, field);
  const auto value = node == nullptr ? Result<std::int64_t>(make_error(Code::not_found, "")) : node->as_integer();
  return value ? std::optional(*value) : std::nullopt;
}

template <typename T>
void set(const Node& node, T value, ConfigValue<T>& out) {
  out.set(std::move(value), node.place());
}

void read_metric(const Node& node, Scaling& out, Complaints& complaints) {
  constexpr std::array<std::string_view, 4> names = {"concurrency", "rps", "cpu", "memory"};
  if (node.text == "concurrency") {
    set(node, ScaleMetric::concurrency, out.metric);
  } else if (node.text == "rps") {
    set(node, ScaleMetric::rps, out.metric);
  } else if (node.text == "cpu" || node.text == "memory") {
    complaints.report(node, fmt::format("the metric '{}' has no effect here: {}", node.text, by_hand));
  } else {
    refuse(node, complaints, fmt::format("'{}' is not a scaling metric{}", node.text, suggestion(node.text, names)));
  }
}

// Whether the target is one of requests: that of cpu or memory means nothing here.
bool counts_requests(const Node& component) {
  const std::string_view metric = component.text_of("scaleMetric");
  return metric != "cpu" && metric != "memory";
}

// Annotations are texts; each row reads one.
struct AnnotationRow {
  std::string_view name;
  void (*read)(const Node& node, Scaling& out, Complaints& complaints);
};

bool parse_number(const Node& node, double least, double most, double& out, Complaints& complaints) {
  const std::string& text = node.text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && std::isfinite(out);
  if (is_number && out >= least && out <= most) return true;
  refuse(node, complaints, fmt::format("must be a number from {:g} to {:g}, not '{}'", least, most, text));
  return false;
}

bool parse_whole(const Node& node, std::int64_t least, std::int64_t most, std::int64_t& out, Complaints& complaints) {
  const std::string& text = node.text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (is_number && out >= least && out <= most) return true;
  refuse(node, complaints, fmt::format("must be a whole number from {} to {}, not '{}'", least, most, text));
  return false;
}

template <ConfigValue<std::int64_t> Scaling::*member, std::int64_t least>
void read_replicas(const Node& node, Scaling& out, Complaints& complaints) {
  std::int64_t value = 0;
  if (parse_whole(node, least, replicas_max, value, complaints)) set(node, value, out.*member);
}

// Knative writes shares in per cent.
template <ConfigValue<double> Scaling::*member, int least, int most>
void read_percentage(const Node& node, Scaling& out, Complaints& complaints) {
  double value = 0;
  if (parse_number(node, least, most, value, complaints)) set(node, value / 100, out.*member);
}

template <ConfigValue<Duration> Scaling::*member, int least_s, int most_s>
void read_time(const Node& node, Scaling& out, Complaints& complaints) {
  const auto value = parse_duration(node.text);
  if (!value) return refuse(node, complaints, value.error().message);
  if (*value < std::chrono::seconds(least_s) || *value > std::chrono::seconds(most_s)) {
    return refuse(node, complaints, fmt::format("must be from {} s to {} s, not '{}'", least_s, most_s, node.text));
  }
  set(node, *value, out.*member);
}

void read_target(const Node& node, Scaling& out, Complaints& complaints) {
  double value = 0;
  if (parse_number(node, 0.01, 1e9, value, complaints)) set(node, value, out.target);
}

void read_burst(const Node& node, Scaling& out, Complaints& complaints) {
  double value = 0;
  if (parse_number(node, -1, 1e9, value, complaints)) set(node, value, out.target_burst_capacity);
}

void read_aggregation(const Node& node, Scaling& out, Complaints& complaints) {
  if (node.text != "linear" && node.text != "weighted-exponential") {
    return refuse(node, complaints, fmt::format("must be linear or weighted-exponential, not '{}'", node.text));
  }
  set(node, node.text == "weighted-exponential", out.weighted);
}

void read_class(const Node& node, Scaling& out, Complaints& complaints) {
  constexpr std::array<std::string_view, 5> names = {"kpa", "hpa", "keda", "external", "none"};
  out.fixed = node.text == "none" || node.text == "external";
  if (node.text == "hpa" || node.text == "keda") {
    complaints.report(node, fmt::format("'{}' scales as kpa does here: {}", node.text, by_hand));
  } else if (node.text != "kpa" && !out.fixed) {
    refuse(node, complaints, fmt::format("'{}' is not an autoscaler class{}", node.text, suggestion(node.text, names)));
  }
}

// Knative's has a domain of its own: kpa.autoscaling.knative.dev.
void read_knative_class(const Node& node, Scaling& out, Complaints& complaints) {
  (void)out;
  if (node.text == "kpa.autoscaling.knative.dev") return;
  complaints.report(node, fmt::format("the class '{}' scales as kpa.autoscaling.knative.dev does here", node.text));
}

void read_utilization(const Node& node, Scaling& out, Complaints& complaints) {
  (void)out;
  complaints.report(
      node, fmt::format("'targetUtilizationPercentage' has no effect here: it is of cpu or memory, and {}", by_hand));
}

void read_held_max(const Node& node, Scaling& out, Complaints& complaints) {
  std::int64_t value = 0;
  if (parse_whole(node, 1, 100'000, value, complaints)) set(node, static_cast<std::uint32_t>(value), out.held_max);
}

void read_load(const Node& node, Scaling& out, Complaints& complaints) {
  if (node.text != "lazy" && node.text != "eager") {
    return refuse(node, complaints, fmt::format("must be lazy or eager, not '{}'", node.text));
  }
  set(node, node.text == "lazy", out.lazy);
}

constexpr std::array<AnnotationRow, 20> annotation_rows = {{
    {"autoscaling.knative.dev/class", read_knative_class},
    {"autoscaling.knative.dev/metric", read_metric},
    {"autoscaling.knative.dev/target", read_target},
    {"autoscaling.knative.dev/target-utilization-percentage", read_percentage<&Scaling::target_utilization, 1, 100>},
    {"autoscaling.knative.dev/target-burst-capacity", read_burst},
    {"autoscaling.knative.dev/min-scale", read_replicas<&Scaling::min_replicas, 0>},
    {"autoscaling.knative.dev/max-scale", read_replicas<&Scaling::max_replicas, 0>},
    {"autoscaling.knative.dev/initial-scale", read_replicas<&Scaling::initial_scale, 0>},
    {"autoscaling.knative.dev/activation-scale", read_replicas<&Scaling::activation_scale, 1>},
    {"autoscaling.knative.dev/scale-down-delay", read_time<&Scaling::scale_down_delay, 0, 3600>},
    {"autoscaling.knative.dev/window", read_time<&Scaling::window, 6, 3600>},
    {"autoscaling.knative.dev/panic-window-percentage", read_percentage<&Scaling::panic_window, 1, 100>},
    {"autoscaling.knative.dev/panic-threshold-percentage", read_percentage<&Scaling::panic_threshold, 110, 1000>},
    {"autoscaling.knative.dev/scale-to-zero-pod-retention-period", read_time<&Scaling::zero_retention, 0, 3600>},
    {"autoscaling.knative.dev/metric-aggregation-algorithm", read_aggregation},
    {"serving.kserve.io/autoscalerClass", read_class},
    {"serving.kserve.io/metrics", read_metric},
    {"serving.kserve.io/targetUtilizationPercentage", read_utilization},
    {"jackdaw.dev/held-requests-max", read_held_max},
    {"jackdaw.dev/load", read_load},
}};

void check_bounds(const Node& component, Complaints& complaints) {
  const std::int64_t minimum = whole(component, "minReplicas").value_or(1);
  const std::int64_t maximum = whole(component, "maxReplicas").value_or(0);
  if (minimum < 0) {
    refuse(*component.find("minReplicas"), complaints, "'MinReplicas' cannot be less than 0");
  } else if (maximum < 0) {
    refuse(*component.find("maxReplicas"), complaints, "'MaxReplicas' cannot be less than 0");
  } else if (minimum > maximum && maximum != 0) {
    refuse(*component.find("maxReplicas"), complaints, "'MinReplicas' cannot be greater than MaxReplicas");
  }
}

void read_bounds(const Node& block, Scaling& out) {
  if (const auto value = whole(block, "minReplicas")) set(*block.find("minReplicas"), *value, out.min_replicas);
  if (const auto value = whole(block, "maxReplicas")) set(*block.find("maxReplicas"), *value, out.max_replicas);
}

// KEDA's block: what has a meaning here is when the last replica goes.
void read_keda(const Node& keda, Scaling& out, Complaints& complaints) {
  if (const auto idle = whole(keda, "idleReplicaCount")) {
    const Node& node = *keda.find("idleReplicaCount");
    if (*idle != 0) {
      complaints.report(node, "'idleReplicaCount' other than 0 has no effect here, nor in KEDA");
    } else {
      set(node, std::int64_t{0}, out.min_replicas);
    }
  }
  if (const auto cooldown = whole(keda, "cooldownPeriod")) {
    const Node& node = *keda.find("cooldownPeriod");
    if (*cooldown < 0 || *cooldown > 3600) {
      refuse(node, complaints, fmt::format("must be from 0 to 3600 seconds, not {}", *cooldown));
    } else {
      // A window of Knative's is 6 s at least.
      set(node, std::max(Duration(std::chrono::seconds(*cooldown)), Duration(6s)), out.window);
    }
  }
  for (const char* field : {"pollingInterval", "initialCooldownPeriod", "fallback", "advanced", "triggers"}) {
    if (const Node* node = given(keda, field))
      complaints.report(*node, fmt::format("'{}' has no effect here: {}", field, by_hand));
  }
}

}  // namespace

void read_component_scaling(const Node& component, Scaling& out, Complaints& complaints) {
  check_bounds(component, complaints);
  read_bounds(component, out);
  if (const Node* metric = given(component, "scaleMetric"); metric != nullptr && metric->is_text())
    read_metric(*metric, out, complaints);
  if (const auto target = whole(component, "scaleTarget")) {
    const Node& node = *component.find("scaleTarget");
    if (*target <= 0) {
      refuse(node, complaints, fmt::format("scaleTarget must be above 0, not {}", *target));
    } else if (counts_requests(component)) {
      set(node, static_cast<double>(*target), out.target);
    } else {
      complaints.report(node, fmt::format("'scaleTarget' of cpu or memory has no effect here: {}", by_hand));
    }
  }
  if (const auto limit = whole(component, "containerConcurrency")) {
    const Node& node = *component.find("containerConcurrency");
    // Knative's own bound.
    constexpr std::int64_t concurrency_max = 1000;
    if (*limit < 0) {
      refuse(node, complaints, "parallelism cannot be less than 0");
    } else if (*limit > concurrency_max) {
      refuse(node, complaints, fmt::format("expected 0 <= {} <= {}: containerConcurrency", *limit, concurrency_max));
    } else {
      set(node, static_cast<std::uint32_t>(*limit), out.container_concurrency);
    }
  }
  if (const auto seconds = whole(component, "timeout")) {
    const Node& node = *component.find("timeout");
    constexpr std::int64_t seconds_max = 86'400;
    if (*seconds < 1 || *seconds > seconds_max) {
      refuse(node, complaints, fmt::format("timeout must be from 1 to {} seconds, not {}", seconds_max, *seconds));
    } else {
      set(node, Duration(std::chrono::seconds(*seconds)), out.timeout);
    }
  }
}

void read_llm_scaling(const Node& spec, Scaling& out, Complaints& complaints) {
  const Node* scaling = given(spec, "scaling");
  if (scaling == nullptr || !scaling->is_map()) return;
  check_bounds(*scaling, complaints);
  read_bounds(*scaling, out);
  if (const Node* keda = given(*scaling, "keda"); keda != nullptr && keda->is_map()) read_keda(*keda, out, complaints);
  const Node* wva = given(*scaling, "wva");
  if (wva == nullptr || !wva->is_map()) return;
  if (const Node* keda = given(*wva, "keda"); keda != nullptr && keda->is_map()) read_keda(*keda, out, complaints);
  for (const char* field : {"variantCost", "hpa"}) {
    if (const Node* node = given(*wva, field))
      complaints.report(*node, fmt::format("'{}' has no effect here: {}", field, by_hand));
  }
}

void read_scaling_annotations(const Node& object, Scaling& out, Complaints& complaints) {
  const Node* metadata = object.find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  if (annotations == nullptr || !annotations->is_map()) return;
  std::vector<std::string_view> names;
  for (const AnnotationRow& row : annotation_rows) {
    names.push_back(row.name);
    const Node* node = annotations->find(row.name);
    if (node != nullptr && node->is_text()) row.read(*node, out, complaints);
  }
  for (const Member& member : annotations->members) {
    constexpr std::string_view prefix = "autoscaling.knative.dev/";
    const bool known = std::find(names.begin(), names.end(), member.name) != names.end();
    if (!member.name.starts_with(prefix) || known) continue;
    complaints.report(member, fmt::format("'{}' is not an annotation Knative knows, and has no effect here{}",
                                          member.name, suggestion(member.name, std::span(names).first(15))));
  }
  const std::int64_t most = *out.max_replicas;
  if (most != 0 && *out.min_replicas > most) {
    const auto& later = out.min_replicas.is_set ? out.min_replicas : out.max_replicas;
    if (annotations->find("autoscaling.knative.dev/min-scale") ||
        annotations->find("autoscaling.knative.dev/max-scale"))
      complaints.add({Severity::error, FindingKind::invalid_value, later.place, "",
                      fmt::format("max-scale={} is less than min-scale={}", most, *out.min_replicas)});
  }
}

}  // namespace jackdaw::spec
