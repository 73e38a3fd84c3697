// Declared objects as spec reads them: the checks every write passes, and what the composition root makes models of.
// Any thread.
#pragma once

#include <string>
#include <vector>

#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/json.h"
#include "jackdaw/spec/load.h"

namespace jackdaw::control {

// metadata.annotations of what the configuration declared: the file's absolute path. Relative storage paths start at
// its folder.
inline constexpr std::string_view config_file_annotation = "jackdaw.dev/config-file";

// The object through spec's loader, without what the server itself put there (status, managedFields). `mapped`:
// prefixes of URIs that spec.storage.map takes, whatever their scheme.
spec::LoadedConfig read_declared(const spec::Json& object, const std::vector<std::string>& mapped);

// The loader's findings as the store wants them: errors as causes with their field, reports as warnings. Kinds that
// nothing runs of pass with one warning.
Validator make_spec_validator(std::vector<std::string> mapped);

}  // namespace jackdaw::control
