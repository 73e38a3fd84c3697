// AddressedModel: which language model a call is for, by its path, its Host and the model it names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "src/api/call.h"
#include "src/api/openai/refusal.h"

namespace jackdaw::api::openai {

// Where an endpoint is mounted: /v1/…, /openai/v1/… (KServe's prefix, with its error shapes) or
// /{namespace}/{name}/v1/… (one service).
enum class Mount : unsigned char { root, kserve, service };
Mount mount_of(const Call& call);

struct AddressedModel {
  serving::ServedModelPtr model;                   // the revision that answers
  const serving::ModelVersion* version = nullptr;  // with an engine that generates, unless it is in standby
  std::string name;                                // what the answer calls it: as the client did

  engine::Engine& engine() const { return *version->engine; }
  const engine::PromptCodec& codec() const { return *version->engine->codec(); }
};

// `name`: the request's "model", "" when it has none; then the one model that can be meant answers. `api_name` stands
// in the words for models that do not generate ("Chat Completions").
// The call's revision is routed, and named in its answer. It may be in standby, without an engine.
std::variant<AddressedModel, Refusal> look_up_model(Call& call, const std::string& name, std::string_view api_name);
// The same for a call that wants an answer of the model: it goes through the revision's gate. Nothing when the call was
// refused here, or is held and will come again.
std::optional<AddressedModel> find_model(Call& call, const std::string& name, std::string_view api_name);

// True for models that are language models, loaded or not.
bool generates(const serving::ServedModel& model);
// The models a list shows at this call's address, in name order: those that generate and are ready.
std::vector<serving::ServedModelPtr> listed_models(const Call& call, const serving::RegistrySnapshot& snapshot);
// Whether the call's address can mean that model, and its caller may use it.
bool addressed(const Call& call, const serving::ServedModel& model);

// Answers in the error shape of the call's mount, with Retry-After where it helps.
void answer_refusal(const Call& call, const Refusal& refusal);

}  // namespace jackdaw::api::openai
