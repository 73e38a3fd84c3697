// One prediction on its way: found model, parsed request, timings; runs inline or on the cpu pool and answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/api/call.h"
#include "src/api/oip/request.h"

namespace jackdaw::api::oip {

// The model a call is for, kept alive by the snapshot for as long as the call lasts.
struct Found {
  std::shared_ptr<const serving::RegistrySnapshot> snapshot;
  const serving::ServedModel* model = nullptr;
  const serving::ModelVersion* version = nullptr;  // ready
};

// Finds a model that can answer; answers the call itself (404, 503) and returns a null model otherwise. `version` is
// what the path says, "" = the latest.
Found find_ready(const Call& call, const std::string& name, const std::string& version);

// The same for a model that predicts; a language model is answered 400, with where to ask instead.
Found find_predictive(const Call& call, const std::string& name, const std::string& version);

// The dialect of `model`, or of the daemon as a whole (MLServer's only when every model is).
serving::Dialect dialect_of(const serving::RegistrySnapshot& snapshot, const serving::ServedModel* model);

// Answers "no such model" in the dialect's words.
void answer_unknown_model(const Call& call, const serving::RegistrySnapshot& snapshot, const std::string& name,
                          const std::string& version);

// {"models":["a","b"]} of everything that was not unloaded.
std::string model_names(const serving::RegistrySnapshot& snapshot);

// Runs the engine, inline or on the cpu pool, and hands the outputs to `render` on the io thread; errors are answered
// here.
using Render = std::function<void(const Call&, const Found&, std::vector<engine::Tensor>)>;
void predict(Call call, Found found, std::shared_ptr<const engine::InferenceRequest> request, Render render);

}  // namespace jackdaw::api::oip
