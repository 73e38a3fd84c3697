#include "src/spec/llm_service.h"

#include <algorithm>

#include "src/spec/llm_settings_reader.h"
#include "src/spec/scaling_reader.h"
#include "src/spec/serving_stages.h"

namespace jackdaw::spec {
namespace {

constexpr std::int64_t replicas_max = 1'000'000;

void read_model(const Node& spec, LlmInferenceService& service, Complaints& complaints) {
  const Node* model = spec.find("model");
  if (model == nullptr || model->is_null()) {
    return complaints.error(FindingKind::missing_field, spec, "spec.model is missing; it names the model to serve");
  }
  service.place = model->place();
  if (!model->is_map()) return;
  const Node* uri = model->find("uri");
  if (uri == nullptr || uri->is_null() || (uri->is_text() && uri->text.empty())) {
    complaints.error(FindingKind::missing_field, uri != nullptr ? *uri : *model,
                     "spec.model.uri is missing; it names the model's file or folder, for example "
                     "file:///srv/models/qwen, pvc://claim/qwen or ./qwen.gguf");
  } else if (uri->is_text()) {
    service.model_uri.set(uri->text, uri->place());
  }
  const Node* name = model->find("name");
  if (name == nullptr || !name->is_text()) return;
  ConfigValue<std::string> said;
  said.set(name->text, name->place());
  check_llm_name(said, complaints);
  service.served_name = said;
}

// The container that runs vLLM is called main; others are side-cars.
void read_template(const Node& spec, LlmInferenceService& service, Complaints& complaints) {
  const Node* pod = spec.find("template");
  const Node* containers = pod != nullptr ? pod->find("containers") : nullptr;
  if (containers == nullptr || !containers->is_sequence()) return;
  for (const Node& container : containers->items) {
    const std::string_view name = container.text_of("name");
    if (name == "main") {
      read_llm_container(container, service.llm, complaints);
    } else {
      complaints.report(container, fmt::format("the container '{}' has no effect here: jackdaw runs no images", name));
    }
  }
}

// --served-model-name wins, as it does in vLLM; spec.model.name, which KServe's router rewrites requests to, still
// finds the model then.
void name_model(LlmInferenceService& service, Complaints& complaints) {
  const ConfigValue<std::string> said = service.served_name;
  if (!said.is_set) service.served_name = ConfigValue<std::string>(*service.metadata.name);
  const auto& names = service.llm.served_names;
  if (names.empty()) return;
  for (const auto& name : names) check_llm_name(name, complaints);
  service.served_name = names.front();
  const auto add = [&](const ConfigValue<std::string>& alias) {
    const auto same = [&](const ConfigValue<std::string>& other) { return *other == *alias; };
    if (same(service.served_name) || std::any_of(service.aliases.begin(), service.aliases.end(), same)) return;
    service.aliases.push_back(alias);
  };
  std::for_each(names.begin() + 1, names.end(), add);
  if (said.is_set) add(said);
}

void read_replicas(const Node& spec, LlmInferenceService& service, Complaints& complaints) {
  const Node* node = spec.find("replicas");
  if (node == nullptr || node->is_null()) return;
  const Node* scaling = spec.find("scaling");
  if (scaling != nullptr && !scaling->is_null()) {
    complaints.error(FindingKind::invalid_value, *node, "replicas and scaling are both here; KServe takes one of them");
  }
  const auto value = node->as_integer();
  if (!value) return;  // said by the schema
  if (*value < 0 || *value > replicas_max) {
    return complaints.error(FindingKind::invalid_value, *node,
                            fmt::format("replicas must be from 0 to {}, not {}", replicas_max, *value));
  }
  service.replicas.set(static_cast<std::uint32_t>(*value), node->place());
  service.stopped = *value == 0;
  // Fixed: as many as are asked for.
  service.scaling.min_replicas.set(std::max<std::int64_t>(*value, 1), node->place());
  service.scaling.max_replicas.set(std::max<std::int64_t>(*value, 1), node->place());
}

bool is_stopped(const LlmInferenceService& service) {
  const auto stop = service.metadata.annotations.find("serving.kserve.io/stop");
  return stop != service.metadata.annotations.end() && (*stop->second == "true" || *stop->second == "True");
}

}  // namespace

void read_llm_service(LlmInferenceService& service, Complaints& complaints) {
  const Node* spec = service.node->find("spec");
  if (spec == nullptr || !spec->is_map()) {
    return complaints.error(FindingKind::missing_field, *service.node,
                            "spec.model is missing; it names the model to serve");
  }
  read_model(*spec, service, complaints);
  read_template(*spec, service, complaints);
  read_llm_annotations(*service.node, service.llm, complaints);
  read_serving_stages({service.node.get(), nullptr, true, nullptr}, service.stages, complaints);
  name_model(service, complaints);
  read_replicas(*spec, service, complaints);
  read_llm_scaling(*spec, service.scaling, complaints);
  read_scaling_annotations(*service.node, service.scaling, complaints);
  if (is_stopped(service)) service.stopped = true;
}

}  // namespace jackdaw::spec
