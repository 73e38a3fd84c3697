// Model: a decoder read from a ModelFile, described by a row of the architecture table, placed on a Backend.
//
// Families are data: src/arch/table.cpp has a row for each (GGUF's general.architecture and config.json's
// "architectures"), and one generic builder turns hyperparameters into an ops::Program. Blocking; any one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/backend.h"

namespace jackdaw::arch {

// What the file says of its model, the same for GGUF and safetensors. Units: counts, unless said.
struct Hyperparameters {
  std::string architecture;  // the table's row: "llama", "qwen2", "gemma3", ...
  std::string name;          // general.name, _name_or_path or the folder's name
  std::string quantization;  // "Q4_K", "BF16": the encoding of most bytes
  std::uint32_t vocabulary = 0;
  std::uint32_t width = 0;  // embedding_length, hidden_size
  std::uint32_t layers = 0;
  std::uint32_t heads = 0;
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t hidden = 0;          // feed_forward_length, intermediate_size
  std::uint32_t context_length = 0;  // max_position_embeddings: what it was trained for
  float norm_eps = 1e-5f;
  float rope_base = 10'000.0f;
  std::optional<float> rope_base_local;  // gemma3's sliding layers
  std::uint32_t rope_dimensions = 0;
  std::uint32_t sliding_window = 0;          // 0 = none
  std::uint32_t sliding_window_pattern = 0;  // every n-th layer is global; 0 = no pattern
  float attention_scale = 0.0f;              // resolved, never 0 after reading
  float attention_softcap = 0.0f;
  float logit_softcap = 0.0f;
  std::uint32_t experts = 0;
  std::uint32_t experts_used = 0;
  std::uint32_t expert_hidden = 0;
  std::uint64_t parameters = 0;  // elements of all tensors

  std::uint64_t kv_bytes_per_token(ops::KvEncoding encoding) const;
};

Result<Hyperparameters> read_hyperparameters(const formats::ModelFile& file);

// Names in the table, for messages and docs.
std::vector<std::string> supported_architectures();

struct LoadOptions {
  std::uint32_t max_model_len = 0;  // chooses among longrope's factors; 0 = context_length
  // Called after each tensor with bytes done and bytes in all; may be empty.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct LoadedModel {
  Hyperparameters hyperparameters;
  ops::Program program;  // for Backend::compile
};

// Reads weights into `backend` tensor by tensor, letting go of the file's pages as it goes. Errors name the tensor that
// is missing, has the wrong shape or an encoding without a kernel.
Result<LoadedModel> load_model(const formats::ModelFile& file, ops::Backend& backend, const LoadOptions& options = {});

// The same without reading any weights: for `jackdaw plan` and for checking a budget before loading.
struct ModelPlan {
  Hyperparameters hyperparameters;
  std::uint64_t weight_bytes = 0;  // in the backend's layout
  ops::Program program;            // weights are placeholders; for workspace_bytes only
};
Result<ModelPlan> plan_model(const formats::ModelFile& file, const ops::Backend& backend);

}  // namespace jackdaw::arch
