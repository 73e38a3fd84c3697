// The configuration as a field manager of the store, named "config": what files declare is applied over whatever is
// there, and what they once declared and do no more is removed.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/load.h"

namespace jackdaw::control {

inline constexpr std::string_view config_manager = "config";

struct ConfigApplied {
  std::size_t objects = 0;  // that the files declare
  std::size_t changed = 0;  // of them
  std::size_t pruned = 0;
  std::vector<std::string> faults;  // "InferenceService default/iris: words"; not empty: nothing was pruned
};

// Applies every service of `config` (which has no errors), then removes the objects that an earlier configuration
// applied and this one does not name. Blocks on the store's disk. Objects that others made stay, also where the
// configuration once named them: only what "config" still manages a field of counts as its own.
ConfigApplied apply_config(ResourceStore& store, const spec::LoadedConfig& config);

}  // namespace jackdaw::control
