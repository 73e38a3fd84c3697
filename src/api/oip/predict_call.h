// One prediction on its way: found model, parsed request, timings; runs inline or on the cpu pool and answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/api/call.h"
#include "src/api/oip/request.h"

namespace jackdaw::api::oip {

// The revision a call is for, kept alive for as long as the call lasts.
struct Found {
  serving::ServedModelPtr model;
  const serving::ModelVersion* version = nullptr;
  std::string batch_id = {};  // once predicted: of the batch it ran in, "" = it ran by itself
  // Answered in the shape of KServe's batcher, failures too: {"message": …, "batchId": …, "predictions": …}.
  bool batch_shape = false;
};

// The model that a name of the path means here: the one that the call's Host points at where several have it. Null when
// there is none, or it is in a namespace that the caller has no rights in.
serving::ServedModelPtr model_named(const Call& call, const serving::RegistrySnapshot& snapshot, std::string_view name);

// Routes the call: the revision of the model of that name whose request it is, once and for all (call.revision). Null
// when there is no such model.
serving::ServedModelPtr route_call(Call& call, const serving::RegistrySnapshot& snapshot, std::string_view name);

// Finds a revision that is available, unless the call is routed already; answers the call itself (404, 503) and returns
// a null model otherwise. `version` is what the path says, "" = the latest. It may be in standby, without an engine.
Found find_available(Call& call, const std::string& name, const std::string& version);

// The same for a call that needs the engine: it goes through the revision's gate. A null model also when the call is
// held: it comes again when the engine is there.
Found find_ready(Call& call, const std::string& name, const std::string& version);

// The same for a model that predicts; a language model is answered 400, with where to ask instead.
Found find_predictive(Call& call, const std::string& name, const std::string& version);

// The dialect of `model`, or of the daemon as a whole (MLServer's only when every model is).
serving::Dialect dialect_of(const serving::RegistrySnapshot& snapshot, const serving::ServedModel* model);

// Answers "no such model" in the dialect's words.
void answer_unknown_model(const Call& call, const serving::RegistrySnapshot& snapshot, const std::string& name,
                          const std::string& version);

// {"models":["a","b"]} of everything that was not unloaded.
std::string model_names(const Call& call, const serving::RegistrySnapshot& snapshot);

// What a request says of its wait in a queue (Triton's request parameters "priority" and "timeout").
struct QueueWish {
  std::uint32_t priority = 0;  // 1 is served first; 0 = the model's default
  Duration timeout{0};         // 0 = the model's default
};

// Answers from the cache, or runs the engine: in a batch where the model has a batcher, else inline or on the cpu pool.
// Hands the outputs to `render` on the io thread; errors are answered here.
using Render = std::function<void(const Call&, const Found&, std::vector<engine::Tensor>)>;
void predict(Call call, Found found, std::shared_ptr<const engine::InferenceRequest> request, Render render,
             QueueWish wish = {});

// {"message": message, "batchId": "", "predictions": null}: how a request that failed is answered with `batch_shape`.
void answer_batch_failure(const Call& call, int status, std::string_view message);

}  // namespace jackdaw::api::oip
