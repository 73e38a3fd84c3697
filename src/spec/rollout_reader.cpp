#include "src/spec/rollout_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "src/spec/checker.h"
#include "src/spec/predictor.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

constexpr std::size_t canaries_max = 16;

const Node* annotation(const Node& object, std::string_view name) {
  const Node* metadata = object.find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  const Node* found = annotations != nullptr ? annotations->find(name) : nullptr;
  return found != nullptr && found->is_text() ? found : nullptr;
}

void refuse(Complaints& complaints, const Node& node, std::string message) {
  complaints.error(FindingKind::invalid_value, node, std::move(message));
}

void read_flag(const Node& object, std::string_view name, ConfigValue<bool>& out, Complaints& complaints) {
  const Node* node = annotation(object, name);
  if (node == nullptr) return;
  const bool yes = node->text == "true" || node->text == "True";
  if (!yes && node->text != "false" && node->text != "False")
    return refuse(complaints, *node, fmt::format("{} must be \"true\" or \"false\", not \"{}\"", name, node->text));
  out.set(yes, node->place());
}

void read_time(const Node& object, std::string_view name, ConfigValue<Duration>& out, Complaints& complaints) {
  const Node* node = annotation(object, name);
  if (node == nullptr) return;
  const auto time = parse_duration(node->text);
  if (!time) return refuse(complaints, *node, fmt::format("{}: {}", name, time.error().message));
  out.set(*time, node->place());
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

// "0.05" or "5%".
void read_rate(const Node& object, std::string_view name, ConfigValue<double>& out, Complaints& complaints) {
  const Node* node = annotation(object, name);
  if (node == nullptr) return;
  std::string_view text = node->text;
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  const auto number = number_in(text);
  const double rate = number.value_or(-1) / (percent ? 100 : 1);
  if (!(rate >= 0 && rate <= 1)) {
    return refuse(
        complaints, *node,
        fmt::format("{} must be a share of the answers, such as \"0.05\" or \"5%\", not \"{}\"", name, node->text));
  }
  out.set(rate, node->place());
}

template <typename T>
void read_count(const Node& object, std::string_view name, std::uint64_t least, std::uint64_t most, ConfigValue<T>& out,
                Complaints& complaints) {
  const Node* node = annotation(object, name);
  if (node == nullptr) return;
  std::uint64_t number = 0;
  const std::string& text = node->text;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (!whole || number < least || number > most) {
    return refuse(complaints, *node,
                  fmt::format("{} must be a whole number from {} to {}, not \"{}\"", name, least, most, text));
  }
  out.set(static_cast<T>(number), node->place());
}

void read_annotations(const Node& object, RolloutSettings& out, Complaints& complaints) {
  read_flag(object, "serving.kserve.io/enable-tag-routing", out.tags, complaints);
  read_flag(object, "jackdaw.dev/rollout-paused", out.paused, complaints);
  read_time(object, "serving.knative.dev/rollout-duration", out.duration, complaints);
  read_rate(object, "jackdaw.dev/rollback-error-rate", out.rollback.error_rate, complaints);
  read_time(object, "jackdaw.dev/rollback-latency-p99", out.rollback.latency_p99, complaints);
  read_time(object, "jackdaw.dev/rollback-window", out.rollback.window, complaints);
  read_count(object, "jackdaw.dev/rollback-min-requests", 1, 1'000'000'000, out.rollback.min_requests, complaints);
  read_count(object, "jackdaw.dev/shadow-percent", 0, 100, out.shadow_percent, complaints);
  if (const Node* shadow = annotation(object, "jackdaw.dev/shadow")) out.shadow.set(shadow->text, shadow->place());
  if (out.rollback.window.is_set && *out.rollback.window < std::chrono::seconds(1)) {
    const Node* node = annotation(object, "jackdaw.dev/rollback-window");
    refuse(complaints, *node, "jackdaw.dev/rollback-window must be at least 1s");
  }
}

// A share of traffic; 0..100.
void read_percent(const Node* node, std::string_view name, ConfigValue<std::uint32_t>& out, Complaints& complaints) {
  if (node == nullptr || node->is_null()) return;
  const auto value = node->as_integer();
  if (!value) return;  // said by the schema
  if (*value < 0 || *value > 100)
    return refuse(complaints, *node, fmt::format("{} must be between 0 and 100, not {}", name, *value));
  out.set(static_cast<std::uint32_t>(*value), node->place());
}

void read_strategy(const Node& predictor, RolloutSettings& out, Complaints& complaints) {
  const Node* strategy = predictor.find("deploymentStrategy");
  if (strategy == nullptr || !strategy->is_map()) return;
  const Node* type = strategy->find("type");
  if (type == nullptr || !type->is_text()) return;
  constexpr std::array<std::string_view, 2> types = {"RollingUpdate", "Recreate"};
  if (std::find(types.begin(), types.end(), type->text) == types.end()) {
    return refuse(complaints, *type,
                  fmt::format("'{}' is not a deployment strategy{}", type->text, suggestion(type->text, types)));
  }
  out.recreate.set(type->text == "Recreate", type->place());
}

bool is_predictor_name(std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto inner = [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 63 && lower(name.front()) && name.back() != '-' &&
         std::all_of(name.begin(), name.end(), inner);
}

void check_predictor_name(const Node& name, Complaints& complaints) {
  if (!name.is_text() || is_predictor_name(name.text)) return;
  refuse(complaints, name,
         fmt::format("the predictor name \"{}\" is invalid: it must be at most 63 lower case letters, digits or '-', "
                     "begin with a letter and not end with '-'",
                     name.text));
}

// A canary has fixed replicas in KServe: no field that scales may stand in it.
void check_canary_replicas(const Node& predictor, const Node* stable, Complaints& complaints) {
  for (const std::string_view field : {"maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling"}) {
    const Node* node = predictor.find(field);
    if (node == nullptr || node->is_null()) continue;
    refuse(complaints, *node, fmt::format("'{}' is not allowed in a canary predictor: its replicas are fixed", field));
  }
  const Node* own = predictor.find("minReplicas");
  const Node* of_stable = stable == nullptr ? nullptr : stable->find("minReplicas");
  const auto count = [](const Node* node, std::int64_t otherwise) {
    const auto value = node == nullptr || node->is_null() ? Result<std::int64_t>(otherwise) : node->as_integer();
    return value ? *value : otherwise;
  };
  const std::int64_t own_count = count(own, 0);
  const std::int64_t stable_count = count(of_stable, 1);
  if (own_count > std::max<std::int64_t>(stable_count, 1)) {
    refuse(complaints, *own,
           fmt::format("a canary's minReplicas ({}) cannot be greater than the stable predictor's ({})", own_count,
                       stable_count));
  }
}

// The two ways to split traffic do not mix: a canary's share stands beside its predictor.
void check_canary_share(const Node& predictor, Complaints& complaints) {
  const Node* node = predictor.find("canaryTrafficPercent");
  if (node == nullptr || node->is_null()) return;
  refuse(complaints, *node,
         "'canaryTrafficPercent' is not allowed in a canary predictor: its share is trafficPercent, beside predictor");
}

// Its predictor, read as if it were the service's.
void check_canary_predictor(const InferenceService& service, const Node& predictor, Complaints& complaints) {
  InferenceService alone;
  alone.metadata = service.metadata;
  alone.base_dir = service.base_dir;
  alone.node = service.node;
  read_predictor(alone, predictor, complaints);
}

void read_canary(InferenceService& service, const Node& item, const Node* stable, Complaints& complaints) {
  const Node* predictor = item.find("predictor");
  if (predictor == nullptr || !predictor->is_map()) {
    if (item.is_map() && (predictor == nullptr || predictor->is_null()))
      complaints.error(FindingKind::missing_field, item, "predictor is missing; it names the canary's model");
    return;
  }
  CanarySettings canary;
  const Node* name = predictor->find("name");
  if (name == nullptr || name->is_null() || (name->is_text() && name->text.empty())) {
    complaints.error(FindingKind::missing_field, *predictor, "name is missing; a canary predictor must have one");
  } else if (name->is_text()) {
    canary.name.set(name->text, name->place());
    check_predictor_name(*name, complaints);
    if (name->text == "latest" || name->text == "prev")
      refuse(complaints, *name, fmt::format("a canary cannot be called '{}': that host is a tag's", name->text));
  }
  read_percent(item.find("trafficPercent"), "trafficPercent", canary.percent, complaints);
  check_canary_share(*predictor, complaints);
  check_canary_replicas(*predictor, stable, complaints);
  check_canary_predictor(service, *predictor, complaints);
  service.rollout.canaries.push_back(std::move(canary));
}

void check_canary_names(const InferenceService& service, const Node* stable, Complaints& complaints) {
  const auto& canaries = service.rollout.canaries;
  const std::string_view stable_name = stable == nullptr ? std::string_view() : stable->text_of("name");
  for (auto at = canaries.begin(); at != canaries.end(); ++at) {
    if (at->name->empty()) continue;
    const auto same = [&](const CanarySettings& other) { return *other.name == *at->name; };
    const bool twice = std::any_of(canaries.begin(), at, same);
    if (!twice && *at->name != stable_name) continue;
    complaints.add({Severity::error, FindingKind::duplicate, at->name.place, "spec.canary",
                    fmt::format("the predictor name '{}' is here twice; canaries are told apart by it", *at->name)});
  }
}

void read_canaries(InferenceService& service, const Node& spec, const Node* stable, Complaints& complaints) {
  const Node* list = spec.find("canary");
  if (list == nullptr || !list->is_sequence()) return;
  if (list->items.size() > canaries_max) {
    return refuse(complaints, *list,
                  fmt::format("{} canaries are too many; {} are the most", list->items.size(), canaries_max));
  }
  for (const Node& item : list->items) read_canary(service, item, stable, complaints);
  check_canary_names(service, stable, complaints);
  std::uint32_t sum = 0;
  for (const CanarySettings& canary : service.rollout.canaries) sum += *canary.percent;
  if (sum > 100) {
    refuse(complaints, *list,
           fmt::format("the sum of the canaries' trafficPercent is {}; it cannot be greater than 100", sum));
  }
  const ConfigValue<std::uint32_t>& percent = service.rollout.canary_percent;
  if (percent.is_set && !list->items.empty()) {
    complaints.add({Severity::error, FindingKind::invalid_value, percent.place, "spec.predictor.canaryTrafficPercent",
                    "canaryTrafficPercent and spec.canary are both here; the traffic is split by one of them"});
  }
}

}  // namespace

void read_rollout(InferenceService& service, Complaints& complaints) {
  RolloutSettings& out = service.rollout;
  read_annotations(*service.node, out, complaints);
  const Node* spec = service.node->find("spec");
  if (spec == nullptr || !spec->is_map()) return;
  const Node* predictor = spec->find("predictor");
  const Node* stable = predictor != nullptr && predictor->is_map() ? predictor : nullptr;
  if (stable != nullptr) {
    read_percent(stable->find("canaryTrafficPercent"), "canaryTrafficPercent", out.canary_percent, complaints);
    read_strategy(*stable, out, complaints);
    if (const Node* name = stable->find("name")) check_predictor_name(*name, complaints);
  }
  read_canaries(service, *spec, stable, complaints);
}

void read_rollout(LlmInferenceService& service, Complaints& complaints) {
  const Node& object = *service.node;
  RolloutSettings& out = service.rollout;
  read_annotations(object, out, complaints);
  read_count(object, "jackdaw.dev/canary-traffic-percent", 0, 100, out.canary_percent, complaints);
  const Node* strategy = annotation(object, "jackdaw.dev/deployment-strategy");
  if (strategy == nullptr) return;
  if (strategy->text != "Recreate" && strategy->text != "RollingUpdate") {
    return refuse(
        complaints, *strategy,
        fmt::format("jackdaw.dev/deployment-strategy must be RollingUpdate or Recreate, not \"{}\"", strategy->text));
  }
  out.recreate.set(strategy->text == "Recreate", strategy->place());
}

}  // namespace jackdaw::spec
