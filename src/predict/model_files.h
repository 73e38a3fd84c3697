// Which file of a model directory is the model: KServe's and MLServer's rules (one file by extension; well-known
// names).
#pragma once

#include <string>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::predict {

struct ModelFile {
  std::string path;
  std::string predict_fn;  // MLServer's model-settings.json, parameters.extra.predict_fn; "" when it has none
};

// A file is taken as it is. In a directory KServe wants exactly one regular file with an extension of the format;
// MLServer takes the first well-known name (model.joblib, ...), or what model-settings.json's parameters.uri says when
// that stays inside the directory. Symbolic links are followed: Kubernetes mounts are made of them. Blocking.
Result<ModelFile> find_model_file(const engine::EngineSpec& spec);

// The whole file. `size_max` 0 = 16 GiB. Errors: not_found, io_error, too_large.
Result<std::vector<std::byte>> read_model_file(const std::string& path, std::uint64_t size_max);

}  // namespace jackdaw::predict
