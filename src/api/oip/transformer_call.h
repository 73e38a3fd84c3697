// Calls to a service with a transformer: forwarded to where that runs, answered with what it says.
#pragma once

#include <string_view>

#include "src/api/call.h"

namespace jackdaw::api::oip {

// Forwards the call when its service has a transformer, can answer, and is not asked for its predictor alone; true when
// it did, or answered why it could not. `model_name`: from the path. Io thread; nothing waits.
bool forward_to_transformer(const Call& call, const serving::RegistrySnapshot& snapshot, std::string_view model_name);

// Answers 503 when the model is asked for through a transformer that is not ready; false when it was not, or is ready.
bool refuse_for_transformer(const Call& call, std::string_view model_name);

}  // namespace jackdaw::api::oip
