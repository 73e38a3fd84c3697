#include "src/spec/predictor.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "src/spec/checker.h"
#include "src/spec/llm_settings_reader.h"
#include "src/spec/scaling_reader.h"
#include "src/spec/serving_stages.h"

namespace jackdaw::spec {
namespace {

constexpr std::array<std::string_view, 4> served_formats = {"sklearn", "xgboost", "lightgbm", "huggingface"};
// Formats that KServe has runtimes for and this version does not read.
constexpr std::array<std::string_view, 13> later_formats = {"tensorflow", "tensorrt", "onnx",   "pytorch",   "triton",
                                                            "pmml",       "paddle",   "mlflow", "autogluon", "openvino",
                                                            "vLLM",       "catboost", "keras"};
// In the order in which KServe names them.
constexpr std::array<std::string_view, 11> implementations = {"sklearn",  "xgboost", "tensorflow",  "pytorch",
                                                              "triton",   "onnx",    "huggingface", "pmml",
                                                              "lightgbm", "paddle",  "model"};

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void set_text(const Node& block, std::string_view field, ConfigValue<std::string>& out) {
  const Node* found = block.find(field);
  if (found != nullptr && found->is_text()) out.set(found->text, found->place());
}

std::vector<const Member*> implementations_of(const Node& predictor) {
  std::vector<const Member*> found;
  for (const Member& member : predictor.members) {
    if (contains(implementations, member.name) && !member.value.is_null()) found.push_back(&member);
  }
  return found;
}

bool has_containers(const Node& predictor) {
  const Node* containers = predictor.find("containers");
  return containers != nullptr && containers->is_sequence() && !containers->items.empty();
}

// The one block that says what the model is; null when there is none to go on with.
const Member* the_implementation(const Node& predictor, Complaints& complaints) {
  const auto found = implementations_of(predictor);
  if (found.size() == 1) return found.front();
  if (found.empty() && has_containers(predictor)) {
    complaints.error(FindingKind::unsupported, *predictor.find("containers"),
                     "not supported yet by this version: a predictor that is a container image; jackdaw runs no "
                     "images, name the model with spec.predictor.model instead");
    return nullptr;
  }
  const std::string message =
      "exactly one of [SKLearn, XGBoost, Tensorflow, PyTorch, Triton, ONNX, HuggingFace, PMML, LightGBM, Paddle, "
      "Model] must be specified in PredictorSpec";
  if (found.empty()) {
    complaints.error(FindingKind::missing_field, predictor, message);
  } else {
    complaints.error(FindingKind::invalid_value, *found[1],
                     fmt::format("{}; '{}' is here too", message, found[0]->name));
  }
  return nullptr;
}

bool read_format(const Member& implementation, Predictor& out, Complaints& complaints) {
  const Node& block = implementation.value;
  out.legacy_block = implementation.name != "model";
  const Node* name = nullptr;
  if (out.legacy_block) {
    out.model_format.set(implementation.name, implementation.key_place());
  } else {
    const Node* format = block.find("modelFormat");
    name = format != nullptr ? format->find("name") : nullptr;
    if (name == nullptr || name->is_null()) {
      complaints.error(FindingKind::missing_field, format != nullptr && format->is_map() ? *format : block,
                       "modelFormat.name is missing; it says which library made the model, for example sklearn");
      return false;
    }
    if (!name->is_text()) return false;
    out.model_format.set(name->text, name->place());
    set_text(*format, "version", out.format_version);
  }
  const std::string& format_name = *out.model_format;
  if (contains(served_formats, format_name)) return true;
  const auto refuse = [&](FindingKind kind, std::string message) {
    if (name != nullptr) {
      complaints.error(kind, *name, std::move(message));
    } else {
      complaints.error(kind, implementation, std::move(message));
    }
  };
  if (contains(later_formats, format_name)) {
    refuse(FindingKind::unsupported,
           fmt::format("not supported yet by this version: model format '{}'; it serves sklearn, xgboost, lightgbm "
                       "and huggingface",
                       format_name));
  } else {
    refuse(FindingKind::unsupported,
           fmt::format("NoSupportingRuntime: no runtime found to support predictor with model type: {}{}", format_name,
                       suggestion(format_name, served_formats)));
  }
  return false;
}

bool read_protocol(const Node& block, Predictor& out, Complaints& complaints) {
  const Node* node = block.find("protocolVersion");
  if (node == nullptr || !node->is_text()) return true;
  for (const Protocol protocol : {Protocol::v1, Protocol::v2, Protocol::grpc_v1, Protocol::grpc_v2}) {
    if (node->text == protocol_name(protocol)) out.protocol.set(protocol, node->place());
  }
  if (!out.protocol.is_set) {
    complaints.error(FindingKind::invalid_value, *node,
                     fmt::format("invalid protocol {}. Must be one of [v1, v2, grpc-v1, grpc-v2]", node->text));
    return false;
  }
  if (*out.protocol == Protocol::v1 || *out.protocol == Protocol::v2) return true;
  complaints.error(FindingKind::unsupported, *node,
                   fmt::format("not supported yet by this version: protocolVersion {}; use v2, which is the same over "
                               "HTTP",
                               node->text));
  return false;
}

void choose_runtime(const Node& block, InferenceService& service, Complaints& complaints) {
  Predictor& predictor = service.predictor;
  const RuntimeRequest request{*predictor.model_format, *predictor.format_version, *predictor.runtime_name,
                               *predictor.protocol, predictor.protocol.is_set};
  auto selected = select_runtime(request);
  if (selected) {
    service.runtime = *selected;
    const bool v2_only = selected->dialect == RuntimeDialect::mlserver;
    if (!predictor.protocol.is_set && v2_only) predictor.protocol = ConfigValue<Protocol>(Protocol::v2);
    return;
  }
  const Node* at = block.find("runtime");
  const Node* format = block.find("modelFormat");
  if (at == nullptr) at = format != nullptr ? format : &block;
  complaints.error(FindingKind::invalid_value, *at, selected.error().message);
}

// KServe's checks of the fields every component has.
void check_extension(const Node& component, Complaints& complaints) {
  const Node* logger = component.find("logger");
  const std::string_view mode = logger != nullptr ? logger->text_of("mode") : std::string_view();
  constexpr std::array<std::string_view, 4> modes = {"", "all", "request", "response"};
  if (!contains(modes, mode)) {
    complaints.error(FindingKind::invalid_value, *logger->find("mode"),
                     fmt::format("invalid logger type{}", suggestion(mode, std::span(modes).subspan(1))));
  }
}

// Containers beside a model. A transformer is transformer.cpp's.
void check_side_containers(const Node& predictor, Complaints& complaints) {
  const Node* containers = predictor.find("containers");
  if (containers == nullptr || !containers->is_sequence()) return;
  for (const Node& container : containers->items) {
    const std::string_view name = container.text_of("name");
    if (name == "transformer-container") continue;
    complaints.report(container, fmt::format("the container '{}' has no effect here: jackdaw runs no images", name));
  }
}

bool names_a_source(const Node& predictor, const Node& block) {
  const auto there = [](const Node& node, std::string_view field) {
    const Node* found = node.find(field);
    return found != nullptr && !found->is_null();
  };
  return there(block, "storageUri") || there(block, "storage") || there(predictor, "storageUris");
}

// KServe's Hugging Face server takes --model_id of the hub instead of a storageUri, and before it.
void read_source(const Node& predictor, const Node& block, Predictor& out, Complaints& complaints) {
  const auto hub = out.is_language_model() ? hub_uri(block) : ConfigValue<std::string>();
  if (!hub.is_set) return read_model_source(predictor, block, out, complaints);
  out.storage_uri = hub;
  if (!names_a_source(predictor, block)) return;
  complaints.add({Severity::error, FindingKind::unsupported, hub.place, "",
                  fmt::format("not supported yet by this version: '--model_id' beside a storage URI: the server would "
                              "fetch {} from the hub; remove one of the two",
                              *hub)});
}

}  // namespace

void read_predictor(InferenceService& service, Complaints& complaints) {
  const Node* spec = service.node->find("spec");
  const Node* node = spec != nullptr ? spec->find("predictor") : nullptr;
  if (node == nullptr || node->is_null()) {
    complaints.error(FindingKind::missing_field, spec != nullptr && spec->is_map() ? *spec : *service.node,
                     "spec.predictor is missing; it names the model to serve");
    return;
  }
  if (node->is_map()) read_predictor(service, *node, complaints);
}

void read_predictor(InferenceService& service, const Node& node, Complaints& complaints) {
  check_extension(node, complaints);
  Predictor& predictor = service.predictor;
  read_component_scaling(node, predictor.scaling, complaints);
  read_scaling_annotations(*service.node, predictor.scaling, complaints);
  set_text(node, "name", predictor.name);
  const Member* implementation = the_implementation(node, complaints);
  if (implementation == nullptr) return;
  check_side_containers(node, complaints);
  const Node& block = implementation->value;
  if (!block.is_map()) return;
  predictor.place = implementation->key_place();
  // Empty is not set, as in Go; KServe's SDK sends it so.
  if (const Node* name = block.find("name"); name != nullptr && !name->is_null() && name->text != "") {
    complaints.error(FindingKind::invalid_value, *name, "the 'name' field is not allowed in standard predictor");
  }
  set_text(block, "runtime", predictor.runtime_name);
  set_text(block, "runtimeVersion", predictor.runtime_version);
  const bool known_format = read_format(*implementation, predictor, complaints);
  const bool known_protocol = read_protocol(block, predictor, complaints);
  if (!known_format) return;
  read_source(node, block, predictor, complaints);
  if (known_protocol) choose_runtime(block, service, complaints);
  read_model_settings(block, service, complaints);
  const bool mlserver = service.runtime.dialect == RuntimeDialect::mlserver;
  read_serving_stages({service.node.get(), &node, predictor.is_language_model(), mlserver ? &predictor.env : nullptr},
                      predictor.stages, complaints);
}

}  // namespace jackdaw::spec
