// How a rollout is kept in its object's status: status.rollout (who has been what) and status.revisions (what each
// one is made of, oldest first). Reading is lenient: anybody with the right may write a status.
#pragma once

#include <map>
#include <string>

#include "jackdaw/spec/json.h"
#include "src/control/rollout.h"

namespace jackdaw::control {

// What each revision is made of, by its name: remembered() of its object.
using RevisionSources = std::map<std::string, spec::Json, std::less<>>;

struct RecalledRollout {
  RolloutMemory memory;
  RevisionSources sources;
};

RecalledRollout recall(const spec::Json& object);

spec::Json rollout_json(const RolloutMemory& memory);
spec::Json revisions_json(const Rollout& rollout, const RevisionSources& sources, const ServiceTraffic& traffic);

}  // namespace jackdaw::control
