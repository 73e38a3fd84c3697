#include "src/spec/serving_stages.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "src/spec/checker.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

constexpr std::int64_t kserve_batch_size = 32;  // pkg/batcher/handler.go: MaxBatchSize, MaxLatency
constexpr Duration kserve_latency = std::chrono::milliseconds(5000);
constexpr std::int64_t rows_max = 1'000'000;
constexpr std::string_view batch_size_variable = "MLSERVER_MODEL_MAX_BATCH_SIZE";
constexpr std::string_view batch_time_variable = "MLSERVER_MODEL_MAX_BATCH_TIME";

using Set = Result<void>;

Error refused(std::string message) {
  return {Code::invalid_argument, std::move(message), {}};
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::int64_t> whole(std::string_view text, std::int64_t min, std::int64_t max) {
  const auto value = parse_number<std::int64_t>(text);
  if (value && *value >= min && *value <= max) return *value;
  return refused(fmt::format("'{}' is not a whole number from {} to {}", text, min, max));
}

Set set_whole(const Node& node, std::int64_t min, std::int64_t max, ConfigValue<std::int64_t>& out) {
  JACKDAW_ASSIGN(const std::int64_t value, whole(node.text, min, max));
  out.set(value, node.place());
  return {};
}

Set set_duration(const Node& node, ConfigValue<Duration>& out) {
  JACKDAW_ASSIGN(const Duration value, parse_duration(node.text));
  out.set(value, node.place());
  return {};
}

Set set_size(const Node& node, ConfigValue<std::uint64_t>& out) {
  JACKDAW_ASSIGN(const std::uint64_t value, parse_size(node.text));
  out.set(value, node.place());
  return {};
}

// ---- dynamic batching ---------------------------------------------------------------------------------------------

Set set_dynamic(const Node& node, ServingStages& out) {
  if (node.text != "true" && node.text != "false") return refused("it is \"true\" or \"false\"");
  out.batching.kind.set(node.text == "true" ? BatchingKind::dynamic : BatchingKind::none, node.place());
  return {};
}
Set set_batch_size(const Node& node, ServingStages& out) {
  return set_whole(node, 1, rows_max, out.batching.max_batch_size);
}
Set set_queue_delay(const Node& node, ServingStages& out) {
  return set_duration(node, out.batching.max_delay);
}
Set set_preferred(const Node& node, ServingStages& out) {
  std::vector<std::int64_t> sizes;
  std::string_view rest = node.text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    std::string_view one = rest.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    JACKDAW_ASSIGN(const std::int64_t size, whole(one, 1, rows_max));
    sizes.push_back(size);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  if (sizes.empty()) return refused("it is a list of batch sizes, for example \"4,8\"");
  out.batching.preferred_sizes.set(std::move(sizes), node.place());
  return {};
}
Set set_instances(const Node& node, ServingStages& out) {
  return set_whole(node, 1, 1024, out.batching.instances);
}
Set set_queue_size(const Node& node, ServingStages& out) {
  return set_whole(node, 1, rows_max, out.batching.queue_size);
}
Set set_queue_timeout(const Node& node, ServingStages& out) {
  return set_duration(node, out.batching.queue_timeout);
}
Set set_timeout_action(const Node& node, ServingStages& out) {
  constexpr std::array<std::string_view, 2> actions = {"reject", "delay"};
  if (std::find(actions.begin(), actions.end(), node.text) == actions.end()) {
    return refused(
        fmt::format("'{}' is not what can become of a request{}", node.text, suggestion(node.text, actions)));
  }
  out.batching.timeout_delays.set(node.text == "delay", node.place());
  return {};
}
Set set_levels(const Node& node, ServingStages& out) {
  return set_whole(node, 1, 1000, out.batching.priority_levels);
}
Set set_default_level(const Node& node, ServingStages& out) {
  return set_whole(node, 1, 1000, out.batching.default_priority);
}

// ---- response cache, warm-up, logger ------------------------------------------------------------------------------

Set set_cache(const Node& node, ServingStages& out) {
  return set_size(node, out.cache.bytes);
}
Set set_cache_ttl(const Node& node, ServingStages& out) {
  return set_duration(node, out.cache.ttl);
}

// "8", "zeros:8", "random:8", "file:body.json".
Set set_warm_up(const Node& node, ServingStages& out) {
  constexpr std::int64_t warm_rows_max = 100'000;
  constexpr std::array<std::string_view, 3> kinds = {"zeros", "random", "file"};
  const std::string_view text = node.text;
  const std::size_t colon = text.find(':');
  const std::string_view kind = colon == std::string_view::npos ? "zeros" : text.substr(0, colon);
  const std::string_view value = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    return refused(fmt::format("'{}' is no kind of warm-up{}", kind, suggestion(kind, kinds)));
  }
  if (kind == "file") {
    if (value.empty()) return refused("'file:' needs the path of a file with a request body");
    out.warm_up.file = value;
    out.warm_up.kind.set(WarmUpKind::file, node.place());
    return {};
  }
  JACKDAW_ASSIGN(out.warm_up.rows, whole(value, 0, warm_rows_max));
  const WarmUpKind filled = kind == "random" ? WarmUpKind::random : WarmUpKind::zeros;
  out.warm_up.kind.set(out.warm_up.rows == 0 ? WarmUpKind::none : filled, node.place());
  return {};
}

// Services can be declared by clients: what they name must not be just any file of this machine.
constexpr std::string_view file_ending = ".jsonl";
constexpr std::string_view ending_wanted = "the file of a logger must end in .jsonl";

Set set_logger_file(const Node& node, ServingStages& out) {
  if (!node.text.ends_with(file_ending)) return refused(std::string(ending_wanted));
  out.logger.file.set(node.text, node.place());
  return {};
}
Set set_logger_file_size(const Node& node, ServingStages& out) {
  JACKDAW_TRY(set_size(node, out.logger.file_bytes_max));
  if (*out.logger.file_bytes_max < 4096) return refused("a file of less than 4 KiB holds no event");
  return {};
}

struct AnnotationSetter {
  std::string_view name;
  bool predictive_only;
  Set (*set)(const Node& node, ServingStages& out);
};
constexpr std::array<AnnotationSetter, 15> annotation_setters = {{
    {"jackdaw.dev/dynamic-batching", true, set_dynamic},
    {"jackdaw.dev/max-batch-size", true, set_batch_size},
    {"jackdaw.dev/max-queue-delay", true, set_queue_delay},
    {"jackdaw.dev/preferred-batch-size", true, set_preferred},
    {"jackdaw.dev/batch-instances", true, set_instances},
    {"jackdaw.dev/queue-size", true, set_queue_size},
    {"jackdaw.dev/queue-timeout", true, set_queue_timeout},
    {"jackdaw.dev/queue-timeout-action", true, set_timeout_action},
    {"jackdaw.dev/priority-levels", true, set_levels},
    {"jackdaw.dev/default-priority-level", true, set_default_level},
    {"jackdaw.dev/response-cache", true, set_cache},
    {"jackdaw.dev/response-cache-ttl", true, set_cache_ttl},
    {"jackdaw.dev/warm-up", false, set_warm_up},
    {"jackdaw.dev/logger-file", false, set_logger_file},
    {"jackdaw.dev/logger-file-size", false, set_logger_file_size},
}};
constexpr std::size_t batching_setters = 10;  // the first ones

const Node* annotation_node(const Node& object, std::string_view name) {
  const Node* metadata = object.find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  const Node* found = annotations != nullptr ? annotations->find(name) : nullptr;
  return found != nullptr && found->is_text() ? found : nullptr;
}

// The first annotation about batching, or null.
const Node* batching_annotation(const Node& object) {
  for (std::size_t i = 0; i < batching_setters; ++i) {
    if (const Node* node = annotation_node(object, annotation_setters[i].name)) return node;
  }
  return nullptr;
}

void read_annotations(const StagesOf& of, ServingStages& out, Complaints& complaints) {
  for (const AnnotationSetter& row : annotation_setters) {
    const Node* node = annotation_node(*of.object, row.name);
    if (node == nullptr) continue;
    if (row.predictive_only && of.generates) {
      complaints.report(*node, fmt::format("'{}' has no effect here: it is for predictive models", row.name));
    } else if (const auto set = row.set(*node, out); !set) {
      complaints.error(FindingKind::invalid_value, *node, fmt::format("{}: {}", row.name, set.error().message));
    }
  }
}

std::optional<std::int64_t> integer_of(const Node& block, std::string_view field) {
  const Node* node = block.find(field);
  if (node == nullptr || node->is_null()) return std::nullopt;
  const auto value = node->as_integer();
  return value ? std::optional(*value) : std::nullopt;
}

// KServe's agent puts its defaults in the place of sizes and latencies that are not positive.
void read_kserve_batcher(const Node& block, BatchingSpec& out, Complaints& complaints) {
  out.kind.set(BatchingKind::kserve, block.place());
  const std::int64_t size = integer_of(block, "maxBatchSize").value_or(0);
  const std::int64_t latency = integer_of(block, "maxLatency").value_or(0);
  constexpr std::int64_t latency_max = 3'600'000;
  if (size > rows_max) {
    complaints.error(FindingKind::invalid_value, *block.find("maxBatchSize"),
                     fmt::format("maxBatchSize is at most {}", rows_max));
  }
  if (latency > latency_max) {
    complaints.error(FindingKind::invalid_value, *block.find("maxLatency"),
                     fmt::format("maxLatency is in milliseconds, at most {} (an hour)", latency_max));
  }
  out.max_batch_size.set(size > 0 ? size : kserve_batch_size, block.place());
  out.max_delay.set(latency > 0 ? Duration(std::chrono::milliseconds(std::min(latency, latency_max))) : kserve_latency,
                    block.place());
}

// MLServer's adaptive batching is on when both say so; the time is in seconds.
void read_mlserver_batching(const TextMap& env, BatchingSpec& out, Complaints& complaints) {
  const auto size_text = env.find(batch_size_variable);
  const auto time_text = env.find(batch_time_variable);
  const auto refuse = [&](const ConfigValue<std::string>& value, std::string_view variable, std::string_view what) {
    complaints.add({Severity::error, FindingKind::invalid_value, value.place, "",
                    fmt::format("{}: '{}' is not {}", variable, *value, what)});
  };
  std::int64_t size = 0;
  double seconds = 0;
  if (size_text != env.end()) {
    const auto value = parse_number<std::int64_t>(*size_text->second);
    if (!value || *value > rows_max) return refuse(size_text->second, batch_size_variable, "a number of requests");
    size = *value;
  }
  if (time_text != env.end()) {
    const auto value = parse_number<double>(*time_text->second);
    if (!value || !(*value >= 0 && *value <= 3600)) {
      return refuse(time_text->second, batch_time_variable, "a time in seconds");
    }
    seconds = *value;
  }
  if (size <= 1 || seconds <= 0) return;
  out.kind.set(BatchingKind::dynamic, size_text->second.place);
  out.max_batch_size.set(size, size_text->second.place);
  out.max_delay.set(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)),
                    time_text->second.place);
}

void check_sizes(BatchingSpec& out, const Node& at, Complaints& complaints) {
  const auto& preferred = *out.preferred_sizes;
  if (std::any_of(preferred.begin(), preferred.end(), [&](std::int64_t s) { return s > *out.max_batch_size; })) {
    complaints.error(FindingKind::invalid_value, at,
                     fmt::format("a preferred batch size is larger than max-batch-size, {}", *out.max_batch_size));
  }
  if (*out.default_priority > *out.priority_levels) {
    complaints.error(FindingKind::invalid_value, at,
                     fmt::format("default-priority-level is none of the {} priority-levels", *out.priority_levels));
  }
}

void read_batching(const StagesOf& of, BatchingSpec& out, Complaints& complaints) {
  const Node* annotation = batching_annotation(*of.object);
  const Node* block = of.predictor != nullptr ? of.predictor->find("batcher") : nullptr;
  if (block != nullptr && !block->is_map()) block = nullptr;
  if (of.generates) {
    if (block != nullptr) {
      complaints.report(*block, "'batcher' has no effect here: a language model joins requests token by token itself");
    }
    return;
  }
  if (block != nullptr && annotation != nullptr) {
    complaints.error(FindingKind::invalid_value, *annotation,
                     "spec.predictor.batcher and the annotations about dynamic batching are two ways of joining "
                     "requests; remove one of them");
  } else if (block != nullptr) {
    read_kserve_batcher(*block, out, complaints);
  } else if (annotation != nullptr) {
    if (!out.kind.is_set) out.kind.set(BatchingKind::dynamic, annotation->place());
    check_sizes(out, *annotation, complaints);
  } else if (of.mlserver_env != nullptr) {
    read_mlserver_batching(*of.mlserver_env, out, complaints);
  }
}

std::vector<std::string> texts_of(const Node* list) {
  std::vector<std::string> out;
  if (list == nullptr || !list->is_sequence()) return out;
  for (const Node& item : list->items) {
    if (item.is_text()) out.push_back(item.text);
  }
  return out;
}

void read_logger_url(const Node& block, LoggerSpec& out, Complaints& complaints) {
  const Node* url = block.find("url");
  if (url == nullptr || !url->is_text() || url->text.empty()) {
    if (out.file->empty()) complaints.report(block, "'logger' has no effect here: it has no url to send events to");
    return;
  }
  const std::string_view text = url->text;
  if (text.starts_with("file://") && !text.ends_with(file_ending)) {
    return complaints.error(FindingKind::invalid_value, *url, std::string(ending_wanted));
  }
  constexpr std::array<std::string_view, 3> schemes = {"http://", "https://", "file:///"};
  if (std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) { return text.starts_with(scheme); })) {
    out.url.set(url->text, url->place());
    return;
  }
  complaints.report(*url, fmt::format("the logger's url '{}' has no effect here: this version sends events to http, "
                                      "https and file URLs, not to blob storage",
                                      text.substr(0, 200)));
}

// The mode was checked with the predictor's other fields.
void read_logger(const Node& block, LoggerSpec& out, Complaints& complaints) {
  read_logger_url(block, out, complaints);
  const std::string_view mode = block.text_of("mode");
  if (mode == "request") out.mode.set(LoggerMode::request, block.find("mode")->place());
  if (mode == "response") out.mode.set(LoggerMode::response, block.find("mode")->place());
  out.metadata_headers = texts_of(block.find("metadataHeaders"));
  out.metadata_annotations = texts_of(block.find("metadataAnnotations"));
}

}  // namespace

bool is_mlserver_batching_variable(std::string_view name) {
  return name == batch_size_variable || name == batch_time_variable;
}

void read_serving_stages(const StagesOf& of, ServingStages& out, Complaints& complaints) {
  read_annotations(of, out, complaints);
  if (of.generates && *out.warm_up.kind == WarmUpKind::file) {
    complaints.add({Severity::error, FindingKind::invalid_value, out.warm_up.kind.place, "",
                    "a language model is warmed up with short prompts; write how many, for example \"1\""});
  }
  read_batching(of, out.batching, complaints);
  const Node* logger = of.predictor != nullptr ? of.predictor->find("logger") : nullptr;
  if (logger != nullptr && logger->is_map()) read_logger(*logger, out.logger, complaints);
}

}  // namespace jackdaw::spec
