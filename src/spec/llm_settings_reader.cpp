#include "src/spec/llm_settings_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "src/spec/checker.h"
#include "src/spec/llm_arguments.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

constexpr std::string_view mount_path = "/mnt/models";
constexpr std::uint64_t tokens_max = 1u << 30;
constexpr std::uint64_t seqs_max = 1u << 16;

Error refused(std::string message) {
  return {Code::invalid_argument, std::move(message), {}};
}
Error unsupported(std::string message) {
  return {Code::unsupported, fmt::format("not supported yet by this version: {}", message), {}};
}

// vLLM's human-readable integers: "4096", "8k" (thousands), "8K" (1,024s), "1.5M".
std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double scale = 1;
  constexpr std::pair<char, double> units[] = {{'k', 1e3},    {'m', 1e6},    {'g', 1e9},    {'t', 1e12},
                                               {'K', 0x1p10}, {'M', 0x1p20}, {'G', 0x1p30}, {'T', 0x1p40}};
  for (const auto& [unit, factor] : units) {
    if (text.back() == unit) scale = factor;
  }
  if (scale != 1) text.remove_suffix(1);
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = status == std::errc() && end == text.data() + text.size() && value >= 0;
  if (!whole || value * scale >= 0x1p62 || (scale == 1 && std::trunc(value) != value)) return std::nullopt;
  return static_cast<std::uint64_t>(value * scale);
}

Result<std::uint64_t> counted(const LlmArgument& argument, std::uint64_t min, std::uint64_t max) {
  const auto value = parse_count(argument.value());
  if (value && *value >= min && *value <= max) return *value;
  return refused(fmt::format("'--{}' must be a whole number from {} to {} (8k and 8K are known), not '{}'",
                             argument.name, min, max, argument.value()));
}

Result<void> set_count(const LlmArgument& argument, std::uint64_t max, ConfigValue<std::uint32_t>& out) {
  JACKDAW_ASSIGN(const std::uint64_t value, counted(argument, 1, max));
  out.set(static_cast<std::uint32_t>(value), argument.node->place());
  return {};
}

// ---- one function per argument with a meaning --------------------------------------------------------------------

Result<void> set_names(const LlmArgument& argument, LlmSettings& out) {
  out.served_names.clear();
  for (const std::string& name : argument.values) {
    out.served_names.emplace_back().set(name, argument.node->place());
  }
  return {};
}
Result<void> set_model_len(const LlmArgument& argument, LlmSettings& out) {
  if (argument.value() == "auto" || argument.value() == "-1") return {};
  return set_count(argument, tokens_max, out.max_model_len);
}
Result<void> set_num_seqs(const LlmArgument& argument, LlmSettings& out) {
  return set_count(argument, seqs_max, out.max_num_seqs);
}
Result<void> set_batched_tokens(const LlmArgument& argument, LlmSettings& out) {
  return set_count(argument, tokens_max, out.max_num_batched_tokens);
}
Result<void> set_kv_bytes(const LlmArgument& argument, LlmSettings& out) {
  JACKDAW_ASSIGN(const std::uint64_t value, counted(argument, 1, 1ull << 50));
  out.kv_cache_bytes.set(value, argument.node->place());
  return {};
}

Result<void> set_kv_dtype(const LlmArgument& argument, LlmSettings& out) {
  constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"auto", ""},     {"f16", "f16"},       {"float16", "f16"}, {"half", "f16"},
      {"bf16", "bf16"}, {"bfloat16", "bf16"}, {"q8_0", "q8_0"}};
  for (const auto& [name, meaning] : names) {
    if (argument.value() == name) {
      out.kv_cache_dtype.set(std::string(meaning), argument.node->place());
      return {};
    }
  }
  return unsupported(fmt::format("'--{}' {}; auto, float16, bfloat16 and q8_0 are", argument.name, argument.value()));
}

Result<void> set_prefix_caching(const LlmArgument& argument, LlmSettings& out) {
  out.enable_prefix_caching.set(!argument.negated && argument.value() != "false" && argument.value() != "False",
                                argument.node->place());
  return {};
}

Result<void> set_generation_config(const LlmArgument& argument, LlmSettings& out) {
  if (argument.value() != "auto" && argument.value() != "vllm") {
    return unsupported(
        fmt::format("'--{}' {}; auto (the model's own file) and vllm (none) are", argument.name, argument.value()));
  }
  out.generation_config.set(argument.value(), argument.node->place());
  return {};
}
Result<void> set_chat_template(const LlmArgument& argument, LlmSettings& out) {
  out.chat_template.set(argument.value(), argument.node->place());
  return {};
}

Result<void> check_model(const LlmArgument& argument, LlmSettings&) {
  if (argument.value() == mount_path) return {};
  return unsupported(fmt::format("'--{}' other than {}; name the model with its URI and remove the argument",
                                 argument.name, mount_path));
}
// One of the values that change nothing here.
Result<void> check_task(const LlmArgument& argument, LlmSettings&) {
  constexpr std::array<std::string_view, 5> known = {"auto", "generate", "text_generation", "none", "text-generation"};
  if (std::find(known.begin(), known.end(), argument.value()) != known.end()) return {};
  return unsupported(fmt::format("'--{}' {}; language models generate text here", argument.name, argument.value()));
}
Result<void> check_role(const LlmArgument& argument, LlmSettings&) {
  if (argument.value() == "assistant") return {};
  return unsupported(fmt::format("'--{}' other than assistant", argument.name));
}
Result<void> accept(const LlmArgument&, LlmSettings&) {
  return {};
}

struct SetterRow {
  std::string_view name;
  Result<void> (*set)(const LlmArgument& argument, LlmSettings& out);
  bool is_switch;  // needs no value
};
constexpr std::array<SetterRow, 20> setters = {{
    {"served-model-name", set_names, false},
    {"model-name", set_names, false},
    {"max-model-len", set_model_len, false},
    {"max-length", set_model_len, false},
    {"max-num-seqs", set_num_seqs, false},
    {"max-num-batched-tokens", set_batched_tokens, false},
    {"kv-cache-dtype", set_kv_dtype, false},
    {"kv-cache-memory-bytes", set_kv_bytes, false},
    {"enable-prefix-caching", set_prefix_caching, true},
    {"generation-config", set_generation_config, false},
    {"chat-template", set_chat_template, false},
    {"model", check_model, false},
    {"model-dir", check_model, false},
    {"task", check_task, false},
    {"runner", check_task, false},
    {"convert", check_task, false},
    {"response-role", check_role, false},
    {"model-id", accept, false},        // hub_uri reads it
    {"model-revision", accept, false},  // the same
    {"enable-chunked-prefill", accept, true},
}};

const SetterRow* setter_of(std::string_view name) {
  const auto* found = std::find_if(setters.begin(), setters.end(), [&](const auto& row) { return row.name == name; });
  return found == setters.end() ? nullptr : found;
}

void complain(const Error& error, const Node& node, Complaints& complaints) {
  const bool later = error.code == Code::unsupported;
  complaints.error(later ? FindingKind::unsupported : FindingKind::invalid_value, node, error.message);
}

void apply_setter(const SetterRow& row, const LlmArgument& argument, LlmSettings& out, Complaints& complaints) {
  if (argument.negated && row.set == accept) {
    complaints.report(*argument.node, fmt::format("'--no-{}' has no effect here: long prompts are always prefilled in "
                                                  "chunks, which changes no answer",
                                                  argument.name));
  } else if (argument.value().empty() && !row.is_switch) {
    complaints.error(FindingKind::invalid_value, *argument.node, fmt::format("'--{}' needs a value", argument.name));
  } else if (const auto set = row.set(argument, out); !set) {
    complain(set.error(), *argument.node, complaints);
  }
}

void apply(const LlmArgument& argument, LlmSettings& out, Complaints& complaints) {
  const Node& node = *argument.node;
  if (argument.name.empty()) {
    if (!is_serve_command(argument.value())) {
      complaints.report(node, fmt::format("the argument '{}' has no effect here", argument.value()));
    }
  } else if (const SetterRow* row = setter_of(argument.name)) {
    apply_setter(*row, argument, out, complaints);
  } else if (const LlmArgumentRow* known = llm_argument_row(argument.name); known == nullptr) {
    complaints.report(node, fmt::format("the argument '--{}' has no effect here", argument.name));
  } else if (known->refused) {
    complaints.error(FindingKind::unsupported, node,
                     fmt::format("not supported yet by this version: '--{}': {}", argument.name, known->help));
  } else {
    complaints.report(node, fmt::format("'--{}' has no effect here: {}", argument.name, known->help));
  }
}

void read_variable(const Node& entry, LlmSettings& out, Complaints& complaints) {
  const std::string_view name = entry.text_of("name");
  if (name.empty()) {
    if (entry.is_map()) complaints.error(FindingKind::missing_field, entry, "name is missing; it names the variable");
    return;
  }
  const Node* value = entry.find("value");
  if (name != "VLLM_ADDITIONAL_ARGS") {
    complaints.report(entry, fmt::format("the environment variable {} has no effect here", name));
  } else if (value != nullptr && value->is_text()) {
    for (const LlmArgument& argument : split_llm_words(*value)) apply(argument, out, complaints);
  } else if (entry.find("valueFrom") != nullptr) {
    complaints.error(FindingKind::unsupported, entry,
                     "not supported yet by this version: VLLM_ADDITIONAL_ARGS from a Secret, ConfigMap or field; write "
                     "its value here");
  }
}

// ---- annotations --------------------------------------------------------------------------------------------------

Result<void> set_memory(const Node& node, LlmSettings& out) {
  JACKDAW_ASSIGN(const std::uint64_t bytes, parse_size(node.text));
  out.memory_bytes.set(bytes, node.place());
  return {};
}
Result<void> set_itl(const Node& node, LlmSettings& out) {
  JACKDAW_ASSIGN(const Duration target, parse_duration(node.text));
  if (target <= Duration::zero()) return refused("the target must be above 0, for example 50ms");
  out.itl_target_ms.set(std::chrono::duration<double, std::milli>(target).count(), node.place());
  return {};
}
Result<void> set_whole(const Node& node, std::uint64_t min, std::uint64_t max, ConfigValue<std::uint32_t>& out) {
  const auto value = parse_count(node.text);
  if (!value || *value < min || *value > max) {
    return refused(fmt::format("'{}' is not a whole number from {} to {}", node.text, min, max));
  }
  out.set(static_cast<std::uint32_t>(*value), node.place());
  return {};
}
Result<void> set_speculative(const Node& node, LlmSettings& out) {
  return set_whole(node, 0, 16, out.speculative_tokens);
}
Result<void> set_queue(const Node& node, LlmSettings& out) {
  return set_whole(node, 1, 1'000'000, out.queue_max);
}

struct AnnotationSetter {
  std::string_view name;
  Result<void> (*set)(const Node& node, LlmSettings& out);
};
constexpr std::array<AnnotationSetter, 4> annotation_setters = {{
    {"jackdaw.dev/memory-budget", set_memory},
    {"jackdaw.dev/itl-target", set_itl},
    {"jackdaw.dev/speculative-tokens", set_speculative},
    {"jackdaw.dev/queue-max", set_queue},
}};

const Node* annotation_node(const Node& object, std::string_view name) {
  const Node* metadata = object.find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  const Node* found = annotations != nullptr ? annotations->find(name) : nullptr;
  return found != nullptr && found->is_text() ? found : nullptr;
}

}  // namespace

void read_llm_container(const Node& container, LlmSettings& out, Complaints& complaints) {
  if (const Node* args = container.find("args"); args != nullptr && args->is_sequence()) {
    for (const LlmArgument& argument : split_llm_arguments(*args)) apply(argument, out, complaints);
  }
  if (const Node* env = container.find("env"); env != nullptr && env->is_sequence()) {
    for (const Node& entry : env->items) read_variable(entry, out, complaints);
  }
}

void read_llm_annotations(const Node& object, LlmSettings& out, Complaints& complaints) {
  for (const AnnotationSetter& row : annotation_setters) {
    const Node* node = annotation_node(object, row.name);
    if (node == nullptr) continue;
    if (const auto set = row.set(*node, out); !set) complain(set.error(), *node, complaints);
  }
  for (const std::string_view name : {"jackdaw.dev/predict-fn", "jackdaw.dev/model-memory-limit"}) {
    if (const Node* node = annotation_node(object, name)) {
      complaints.report(*node, fmt::format("'{}' has no effect here: it is for predictive models", name));
    }
  }
}

void report_llm_annotations(const Node& object, Complaints& complaints) {
  for (const AnnotationSetter& row : annotation_setters) {
    if (const Node* node = annotation_node(object, row.name)) {
      complaints.report(*node, fmt::format("'{}' has no effect here: it is for language models", row.name));
    }
  }
}

ConfigValue<std::string> hub_uri(const Node& container) {
  ConfigValue<std::string> out;
  const Node* args = container.find("args");
  if (args == nullptr || !args->is_sequence()) return out;
  std::string revision;
  for (const LlmArgument& argument : split_llm_arguments(*args)) {
    if (argument.name == "model-id" && !argument.value().empty()) {
      out.set("hf://" + argument.value(), argument.node->place());
    } else if (argument.name == "model-revision") {
      revision = argument.value();
    }
  }
  if (out.is_set && !revision.empty()) out.value += ":" + revision;
  return out;
}

void check_llm_name(const ConfigValue<std::string>& name, Complaints& complaints) {
  constexpr std::size_t name_max = 256;
  const bool visible = std::all_of(name->begin(), name->end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!name.is_set || (visible && !name->empty() && name->size() <= name_max)) return;
  complaints.add({Severity::error, FindingKind::invalid_value, name.place, "",
                  "the model's name must be 1 to 256 visible ASCII characters"});
}

}  // namespace jackdaw::spec
