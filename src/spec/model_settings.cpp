#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "src/spec/checker.h"
#include "src/spec/llm_settings_reader.h"
#include "src/spec/predictor.h"
#include "src/spec/serving_stages.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

constexpr std::string_view mount_path = "/mnt/models";

struct ArgRow {
  std::string_view name;
  std::string_view help;  // why it has no effect; "" = effective
};

// Arguments of KServe's model servers (python/kserve/kserve/model_server.py) and of the three predictive ones.
constexpr std::string_view own_listener = "listeners are in spec.listen of kind Daemon";
constexpr std::string_view own_threads = "threads are in spec.ioThreads and spec.cpuThreads of kind Daemon";
constexpr std::string_view own_log = "logging is in spec.logging of kind Daemon";
constexpr std::string_view no_step = "there is no transformer to call it";
constexpr std::array<ArgRow, 24> arg_rows = {{
    {"model_name", ""},
    {"model_dir", ""},
    {"http_port", own_listener},
    {"grpc_port", own_listener},
    {"enable_grpc", "this version has no gRPC"},
    {"workers", own_threads},
    {"max_threads", own_threads},
    {"max_asyncio_workers", own_threads},
    {"nthread", own_threads},
    {"event-loop", own_threads},
    {"timeout-keep-alive", "timeouts are in spec.limits of kind Daemon"},
    {"enable_docs_url", "there is no Swagger page"},
    {"enable_latency_logging", own_log},
    {"configure_logging", own_log},
    {"log_config_file", own_log},
    {"access_log_format", own_log},
    {"grpc_max_send_message_length", "this version has no gRPC"},
    {"grpc_max_receive_message_length", "this version has no gRPC"},
    {"predictor_host", no_step},
    {"predictor_protocol", no_step},
    {"predictor_use_ssl", no_step},
    {"predictor_request_timeout_seconds", no_step},
    {"predictor_request_retries", no_step},
    {"framework", "modelFormat says it"},
}};

struct Argument {
  const Node* node = nullptr;
  std::string_view name;  // without dashes
  std::string_view value;
  bool has_value = false;
};

// "--a=b", "--a b" and "--flag" as argparse takes them.
std::vector<Argument> split_arguments(const Node& args) {
  std::vector<Argument> out;
  for (const Node& item : args.items) {
    if (!item.is_text()) continue;
    std::string_view text = item.text;
    if (text.substr(0, 2) == "--") {
      text.remove_prefix(2);
      const std::size_t equals = text.find('=');
      const bool has_value = equals != std::string_view::npos;
      out.push_back({&item, text.substr(0, equals), has_value ? text.substr(equals + 1) : "", has_value});
    } else if (!out.empty() && !out.back().has_value) {
      out.back().value = text;
      out.back().has_value = true;
    } else {
      out.push_back({&item, "", text, true});
    }
  }
  return out;
}

void apply_argument(const Argument& argument, InferenceService& service, Complaints& complaints) {
  const auto known =
      std::find_if(arg_rows.begin(), arg_rows.end(), [&](const ArgRow& row) { return row.name == argument.name; });
  if (known == arg_rows.end()) {
    complaints.report(*argument.node, fmt::format("the argument '{}' has no effect here", argument.node->text));
  } else if (!known->help.empty()) {
    complaints.report(*argument.node, fmt::format("'--{}' has no effect here: {}", argument.name, known->help));
  } else if (argument.value.empty()) {
    complaints.error(FindingKind::invalid_value, *argument.node, fmt::format("'--{}' needs a value", argument.name));
  } else if (argument.name == "model_name") {
    service.predictor.served_name.set(std::string(argument.value), argument.node->place());
  } else if (argument.value != mount_path) {
    complaints.error(FindingKind::unsupported, *argument.node,
                     fmt::format("not supported yet by this version: '--model_dir' other than {}; name the folder with "
                                 "storageUri and remove the argument",
                                 mount_path));
  }
}

void keep_texts(const Node& args, Predictor& out) {
  for (const Node& item : args.items) {
    ConfigValue<std::string>& arg = out.args.emplace_back();
    if (item.is_text()) arg.set(item.text, item.place());
  }
}

void read_arguments(const Node& block, InferenceService& service, Complaints& complaints) {
  const Node* args = block.find("args");
  if (args == nullptr || !args->is_sequence()) return;
  keep_texts(*args, service.predictor);
  if (service.runtime.dialect == RuntimeDialect::mlserver) {
    complaints.report(*args, "'args' has no effect here: MLServer's settings are environment variables");
    return;
  }
  for (const Argument& argument : split_arguments(*args)) apply_argument(argument, service, complaints);
}

bool is_true(std::string_view text) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; };
  constexpr std::string_view word = "true";
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), same);
}

// Whether a variable has a meaning for this runtime; `value` is null when it comes from elsewhere (valueFrom).
bool apply_variable(std::string_view name, const Node* value, const Node& entry, InferenceService& service,
                    Complaints& complaints) {
  Predictor& predictor = service.predictor;
  const bool mlserver = service.runtime.dialect == RuntimeDialect::mlserver;
  const bool proba = name == "PREDICT_PROBA" && !mlserver && *predictor.model_format == "sklearn";
  const bool model_name = name == "MLSERVER_MODEL_NAME" && mlserver;
  const bool model_uri = name == "MLSERVER_MODEL_URI" && mlserver;
  const bool batching = mlserver && is_mlserver_batching_variable(name);
  if (!proba && !model_name && !model_uri && !batching) return false;
  if (value == nullptr) {
    complaints.error(FindingKind::unsupported, entry,
                     fmt::format("not supported yet by this version: {} from a Secret, ConfigMap or field; write its "
                                 "value here",
                                 name));
  } else if (proba) {
    predictor.predict_proba.set(is_true(value->text), value->place());
  } else if (model_name) {
    predictor.served_name.set(value->text, value->place());
  } else if (batching) {
    // Read with the other stages around the model, from the environment kept above.
  } else if (value->text != mount_path) {
    complaints.error(FindingKind::unsupported, *value,
                     fmt::format("not supported yet by this version: MLSERVER_MODEL_URI other than {}; name the folder "
                                 "with storageUri and remove the variable",
                                 mount_path));
  }
  return true;
}

void read_variable(const Node& entry, InferenceService& service, Complaints& complaints) {
  const Node* name = entry.find("name");
  if (name == nullptr || !name->is_text() || name->text.empty()) {
    if (entry.is_map()) complaints.error(FindingKind::missing_field, entry, "name is missing; it names the variable");
    return;
  }
  const Node* value = entry.find("value");
  const bool literal = value != nullptr && value->is_text();
  if (value != nullptr && !value->is_null() && !literal) return;  // a wrong type, said already
  if (literal) service.predictor.env[name->text].set(value->text, value->place());
  const bool elsewhere = !literal && entry.find("valueFrom") != nullptr;
  if (!literal && !elsewhere) return;  // set to nothing
  if (!apply_variable(name->text, literal ? value : nullptr, entry, service, complaints)) {
    complaints.report(entry, fmt::format("the environment variable {} has no effect here", name->text));
  }
}

void read_environment(const Node& block, InferenceService& service, Complaints& complaints) {
  const Node* env = block.find("env");
  if (env == nullptr || !env->is_sequence()) return;
  for (const Node& entry : env->items) read_variable(entry, service, complaints);
}

const Node* annotation_node(const InferenceService& service, std::string_view name) {
  const Node* metadata = service.node->find("metadata");
  const Node* annotations = metadata != nullptr ? metadata->find("annotations") : nullptr;
  const Node* found = annotations != nullptr ? annotations->find(name) : nullptr;
  return found != nullptr && found->is_text() ? found : nullptr;
}

void read_own_annotations(InferenceService& service, Complaints& complaints) {
  constexpr std::array<std::string_view, 4> functions = {"predict", "predict_proba", "decision_function", "transform"};
  if (const Node* fn = annotation_node(service, "jackdaw.dev/predict-fn")) {
    service.predictor.predict_fn.set(fn->text, fn->place());
    if (std::find(functions.begin(), functions.end(), fn->text) == functions.end()) {
      complaints.error(FindingKind::invalid_value, *fn,
                       fmt::format("'{}' is not a prediction function{}", fn->text, suggestion(fn->text, functions)));
    }
  }
  if (const Node* limit = annotation_node(service, "jackdaw.dev/model-memory-limit")) {
    const auto bytes = parse_size(limit->text);
    if (bytes) {
      service.predictor.memory_limit_bytes.set(*bytes, limit->place());
    } else {
      complaints.error(FindingKind::invalid_value, *limit, bytes.error().message);
    }
  }
}

// One line of printable characters: the name becomes part of URLs and answers.
void check_served_name(const InferenceService& service, const Node& block, Complaints& complaints) {
  constexpr std::size_t name_max = 256;
  const ConfigValue<std::string>& name = service.predictor.served_name;
  const bool printable = std::all_of(name->begin(), name->end(),
                                     [](char c) { return c > ' ' && c != '/' && c != '?' && c != '#' && c != 0x7f; });
  if (printable && !name->empty() && name->size() <= name_max) return;
  if (!name.is_set) return;  // metadata.name has rules of its own
  complaints.add({Severity::error, FindingKind::invalid_value, name.place, block.path(),
                  "the model's name must be 1 to 256 visible ASCII characters without '/', '?' and '#', because it is "
                  "part of the URL"});
}

// A language model of KServe's Hugging Face server.
void read_language_model(const Node& block, InferenceService& service, Complaints& complaints) {
  Predictor& predictor = service.predictor;
  if (const Node* args = block.find("args")) keep_texts(*args, predictor);
  read_llm_container(block, predictor.llm, complaints);
  read_llm_annotations(*service.node, predictor.llm, complaints);
  for (const auto& name : predictor.llm.served_names) {
    check_llm_name(name, complaints);
    if (&name == &predictor.llm.served_names.front()) {
      predictor.served_name = name;
    } else {
      predictor.aliases.push_back(name);
    }
  }
}

void read_predictive_model(const Node& block, InferenceService& service, Complaints& complaints) {
  read_arguments(block, service, complaints);
  read_environment(block, service, complaints);
  read_own_annotations(service, complaints);
  report_llm_annotations(*service.node, complaints);
  check_served_name(service, block, complaints);
}

}  // namespace

void read_model_settings(const Node& block, InferenceService& service, Complaints& complaints) {
  service.predictor.served_name = ConfigValue<std::string>(*service.metadata.name);
  if (service.predictor.is_language_model()) {
    read_language_model(block, service, complaints);
  } else {
    read_predictive_model(block, service, complaints);
  }
  if (const Node* stop = annotation_node(service, "serving.kserve.io/stop")) service.stopped = is_true(stop->text);
}

}  // namespace jackdaw::spec
