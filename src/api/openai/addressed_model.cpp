#include "src/api/openai/addressed_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "jackdaw/serving/router.h"
#include "src/api/access/admit.h"
#include "src/api/gate_call.h"

namespace jackdaw::api::openai {
namespace {

using serving::ModelState;
using serving::ServedModel;
using serving::ServedModelPtr;

constexpr Duration loading_retry = std::chrono::seconds(2);
constexpr std::size_t names_shown_max = 20;

std::string names_of(const std::vector<ServedModelPtr>& models) {
  std::string names;
  for (std::size_t i = 0; i < models.size() && i < names_shown_max; ++i) {
    names += (i == 0 ? "" : ", ") + models[i]->name;
  }
  if (models.size() > names_shown_max) names += ", …";
  return names;
}

std::vector<ServedModelPtr> generating_models(const Call& call, const serving::RegistrySnapshot& snapshot) {
  std::vector<ServedModelPtr> models;
  for (const auto& model : snapshot.models()) {
    if (!model->unloaded && generates(*model) && addressed(call, *model)) models.push_back(model);
  }
  return models;
}

Refusal unknown_model(const Call& call, const serving::RegistrySnapshot& snapshot, const std::string& name) {
  const auto models = generating_models(call, snapshot);
  Refusal refusal{404, {}, "model", Duration{0}};
  if (mount_of(call) == Mount::kserve) {
    refusal.message = fmt::format("Model with name {} does not exist.", clipped(name));
  } else {
    refusal.message = fmt::format("The model `{}` does not exist.", clipped(name));
    refusal.message +=
        models.empty() ? " No language model is loaded here." : " Models here: " + names_of(models) + ".";
  }
  return refusal;
}

// The model meant by a request that names none; null when that is not clear.
ServedModelPtr sole_model(const Call& call, const serving::RegistrySnapshot& snapshot) {
  auto models = generating_models(call, snapshot);
  if (models.size() > 1) {
    const std::string_view host = call.request().header("host").value_or("");
    std::erase_if(models, [&](const ServedModelPtr& model) { return !serving::host_means(*model, host); });
  }
  return models.size() == 1 ? models.front() : nullptr;
}

// A model that the caller may not use is one that is not there: its name does not show.
ServedModelPtr named_model(const Call& call, const serving::RegistrySnapshot& snapshot, const std::string& name) {
  if (mount_of(call) != Mount::service) {
    const ServedModelPtr& model = snapshot.hold(name, call.request().header("host").value_or(""));
    return model != nullptr && addressed(call, *model) ? model : nullptr;
  }
  for (const auto& model : snapshot.models()) {
    if (addressed(call, *model) && model->answers_to(name)) return model;
  }
  return nullptr;
}

// The revision whose request it is.
ServedModelPtr route_call(Call& call, const ServedModelPtr& model) {
  const std::string_view host = call.request().header("host").value_or("");
  const std::string_view session = call.request().header("x-session-id").value_or("");
  const serving::Gate* const gate = call.pass != nullptr ? call.pass->gate() : nullptr;
  return call.revision = serving::route(model, {host, session, gate}, *call.api->context.random);
}

}  // namespace

Mount mount_of(const Call& call) {
  if (call.service_path) return Mount::service;
  return call.request().path().starts_with("/openai/") ? Mount::kserve : Mount::root;
}

bool generates(const ServedModel& model) {
  if (model.generates) return true;
  const serving::ModelVersion* latest = model.latest();
  return latest != nullptr && latest->engine != nullptr && latest->engine->codec() != nullptr;
}

bool addressed(const Call& call, const ServedModel& model) {
  if (!may_use(call, model.name, model.namespace_name)) return false;
  if (mount_of(call) != Mount::service) return true;
  return model.namespace_name == call.path[0] && model.service_name == call.path[1];
}

std::vector<ServedModelPtr> listed_models(const Call& call, const serving::RegistrySnapshot& snapshot) {
  auto models = generating_models(call, snapshot);
  std::erase_if(models, [](const ServedModelPtr& model) {
    const serving::ModelVersion* latest = model->latest();
    return latest == nullptr || !serving::is_available(*latest);
  });
  return models;
}

std::variant<AddressedModel, Refusal> look_up_model(Call& call, const std::string& name, std::string_view api_name) {
  const auto snapshot = call.api->context.registry->snapshot();
  AddressedModel found{
      route_call(call, name.empty() ? sole_model(call, *snapshot) : named_model(call, *snapshot, name)), nullptr, name};
  if (found.model == nullptr && name.empty()) {
    const auto models = generating_models(call, *snapshot);
    if (models.empty()) return Refusal{404, "No language model is loaded here.", "model", Duration{0}};
    return refuse("model", "model is missing; models here: {}.", names_of(models));
  }
  if (found.model == nullptr || found.model->unloaded || found.model->latest() == nullptr)
    return unknown_model(call, *snapshot, name);
  if (name.empty()) found.name = found.model->name;
  found.version = found.model->latest();
  if (found.version->state == ModelState::loading)
    return Refusal{503, fmt::format("The model `{}` is loading; try again soon.", found.name), "", loading_retry};
  if (found.version->state == ModelState::standby) return found;
  if (found.version->state != ModelState::ready || found.version->engine == nullptr) {
    const std::string why = found.version->reason.empty() ? "" : " " + found.version->reason;
    return Refusal{503, fmt::format("The model `{}` is not ready.{}", found.name, why), "", Duration{0}};
  }
  if (found.version->engine->codec() == nullptr)
    return refuse("model", "Model {} does not support {} API", clipped(found.name), api_name);
  return found;
}

std::optional<AddressedModel> find_model(Call& call, const std::string& name, std::string_view api_name) {
  auto found = look_up_model(call, name, api_name);
  if (auto* model = std::get_if<AddressedModel>(&found)) {
    const Entry entry = enter(call, *model->model, [](const Call& refused, const Error& error) {
      answer_refusal(refused, refuse_error(error, loading_retry));
    });
    if (entry == Entry::later) return std::nullopt;
    // The pass is younger than the look: whoever opened the gate had put the engine in place before.
    if (model->version->state == ModelState::standby) found = look_up_model(call, name, api_name);
  }
  if (auto* model = std::get_if<AddressedModel>(&found)) {
    if (model->version->engine != nullptr) return std::move(*model);
    found = Refusal{503, fmt::format("The model `{}` is not ready.", name), "", loading_retry};
  }
  answer_refusal(call, std::get<Refusal>(found));
  return std::nullopt;
}

void answer_refusal(const Call& call, const Refusal& refusal) {
  net::Response response;
  response.status = refusal.status;
  const bool kserve = mount_of(call) == Mount::kserve;
  if (kserve && refusal.status == 404) {
    return answer_error(call, 404, refusal.message);
  }
  response.body = kserve ? kserve_error_body(refusal) : error_body(refusal);
  if (refusal.retry_after > Duration{0}) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(refusal.retry_after);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal.retry_after);
    response.headers.push_back({"retry-after", std::to_string(seconds.count())});
    response.headers.push_back({"retry-after-ms", std::to_string(ms.count())});
  }
  answer(call, std::move(response));
}

}  // namespace jackdaw::api::openai
