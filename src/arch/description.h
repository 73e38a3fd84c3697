// Description: everything a model file says that the builder needs, checked and with defaults resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/arch/model.h"
#include "src/arch/family.h"
#include "src/arch/rope.h"
#include "src/arch/settings.h"

namespace jackdaw::arch {

// One layer's differences from its neighbours.
struct LayerPlan {
  std::uint32_t window = 0;   // 0 = sees everything
  bool has_positions = true;  // rotary embedding
  bool uses_local_rope = false;
};

struct Description {
  const Family* family = nullptr;
  formats::ModelFileKind kind = formats::ModelFileKind::gguf;
  Hyperparameters hyperparameters;
  std::vector<LayerPlan> layers;
  RopeScaling rope;
  std::optional<RopeScaling> local_rope;  // of sliding layers, where it differs
  bool tied_embedding = false;            // the head is the embedding even if the file has another tensor
  bool renormalize_experts = true;
  float experts_scale = 1.0f;
};

// Reads metadata and shapes, no weights but GGUF's short lists of rotary factors.
Result<Description> describe(const formats::ModelFile& file);

// What a file says of its rotary embeddings; in rope_settings.cpp. `local`: of sliding layers, for families that tell
// them apart.
struct RopeSettings {
  RopeScaling rope;
  std::optional<RopeScaling> local;
};
Result<RopeSettings> read_rope_settings(const formats::ModelFile& file, const Settings& settings, const Family& family,
                                        const Hyperparameters& hyperparameters);
// Dimensions of a head that turn.
Result<std::uint32_t> read_rope_dimensions(const Settings& settings, std::uint32_t head_dim);

// The elements of a small tensor of plain floats (f32, f16, bf16). Errors: unsupported, naming tensor and encoding.
Result<std::vector<float>> read_floats(const formats::FileTensor& tensor);

}  // namespace jackdaw::arch
