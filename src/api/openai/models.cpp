// GET /v1/models and /v1/models/{m}: OpenAI's list, KServe's V1 list, or one object that satisfies the readers of both.
#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"
#include "src/api/openai/addressed_model.h"
#include "src/api/openai/openai.h"

namespace jackdaw::api::openai {
namespace {

// On the bare path the two protocols share an address; OpenAI's words are used as soon as a language model is declared.
bool speaks_kserve_only(const Call& call, const serving::RegistrySnapshot& snapshot) {
  if (mount_of(call) != Mount::root) return false;
  const auto& models = snapshot.models();
  return std::none_of(models.begin(), models.end(), [](const auto& model) { return generates(*model); });
}

// Of a model that was never loaded, nobody knows yet.
std::string model_len(const serving::ModelVersion& version) {
  if (version.engine != nullptr) return std::to_string(version.engine->codec()->max_model_len());
  return version.max_model_len > 0 ? std::to_string(version.max_model_len) : "null";
}

void append_card_members(std::string& out, const Call& call, const serving::ServedModel& model, std::string_view id) {
  const bool kserve = mount_of(call) == Mount::kserve;
  out += R"("id":)";
  append_json_string(out, id);
  fmt::format_to(std::back_inserter(out), R"(,"object":"model","created":{},"owned_by":"{}","root":)",
                 call.api->started, kserve ? "" : "jackdaw");
  append_json_string(out, model.name);
  fmt::format_to(std::back_inserter(out), R"(,"parent":null,"max_model_len":{},"permission":[])",
                 model_len(*model.latest()));
}

std::string card_list(const Call& call, const serving::RegistrySnapshot& snapshot) {
  std::string out = R"({"object":"list","data":[)";
  bool first = true;
  const auto add = [&](const serving::ServedModel& model, std::string_view id) {
    out += std::exchange(first, false) ? "{" : ",{";
    append_card_members(out, call, model, id);
    out += '}';
  };
  for (const serving::ServedModelPtr& model : listed_models(call, snapshot)) {
    add(*model, model->name);
    for (const std::string& alias : model->aliases) {
      if (alias != model->name) add(*model, alias);
    }
  }
  return out + ']';
}

// {m} may hold a slash that the client did not encode: "owner/model".
std::string asked_model(const Call& call) {
  const std::size_t first = call.service_path ? 2 : 0;
  std::string name = call.path[first];
  for (std::size_t i = first + 1; i < call.path.count; ++i) name += "/" + call.path[i];
  return name;
}

}  // namespace

void list_models(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  if (speaks_kserve_only(call, *snapshot)) return oip::v1_list(std::move(call));
  std::string body = card_list(call, *snapshot);
  if (mount_of(call) == Mount::root) {
    // oip's object begins with its brace.
    body += ',' + oip::model_names(call, *snapshot).substr(1);
  } else {
    body += '}';
  }
  answer_json(call, std::move(body));
}

void get_model(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  const bool owner_form = !call.service_path && call.path.count > 1;
  const std::string name = asked_model(call);
  if (mount_of(call) == Mount::root) {
    const serving::ServedModel* model = snapshot->find(name, call.request().header("host").value_or(""));
    const bool predictive = model != nullptr && !generates(*model);
    if (!owner_form && (predictive || speaks_kserve_only(call, *snapshot))) return oip::v1_model_ready(std::move(call));
  }
  const auto found = look_up_model(call, name, "Models");
  if (const auto* refusal = std::get_if<Refusal>(&found)) return answer_refusal(call, *refusal);
  std::string body = "{";
  append_card_members(body, call, *std::get<AddressedModel>(found).model, name);
  if (mount_of(call) == Mount::root) {
    body += R"(,"name":)";
    append_json_string(body, name);
    body += R"(,"ready":true)";
  }
  answer_json(call, body + "}");
}

}  // namespace jackdaw::api::openai
