// How far the daemon is with what an object declares, and waiting for it.
#pragma once

#include <string>

#include "src/app/client/session.h"

namespace jackdaw::app {

enum class Progress : unsigned char { under_way, done, failed };

struct ServiceProgress {
  Progress state = Progress::under_way;
  std::string words;  // "Loading: The model is being loaded.", why it failed, …
};

// From metadata.generation, status.observedGeneration, the condition Ready and modelStatus. A stopped service is done.
ServiceProgress progress_of(const spec::Json& object);

// Watches the object until it is no longer under way by `look`, or the deadline; what it last was, or why it cannot be
// told.
Result<ServiceProgress> wait_until_settled(ApiClient& client, const ResourceType& type,
                                           const std::string& namespace_name, const std::string& name, Instant deadline,
                                           ServiceProgress (*look)(const spec::Json&) = progress_of);
// Waits until the object is gone; deadline_exceeded when it stays.
Result<void> wait_until_gone(ApiClient& client, const ResourceType& type, const std::string& namespace_name,
                             const std::string& name, Instant deadline);

}  // namespace jackdaw::app
