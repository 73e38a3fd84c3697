// How a model's memory is divided: the arithmetic behind plan() and load.
#pragma once

#include "jackdaw/arch/model.h"
#include "jackdaw/base/machine_memory.h"
#include "jackdaw/engine/generate.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/llm/llm.h"
#include "jackdaw/ops/backend.h"
#include "src/llm/engine_limits.h"

namespace jackdaw::llm {

// --kv-cache-dtype: "", auto, f16, float16, half, bf16, bfloat16, q8_0.
Result<ops::KvEncoding> kv_encoding_of(const std::string& name);
std::string_view kv_encoding_name(ops::KvEncoding encoding);

struct EnginePlan {
  MemoryPlan memory;
  EngineLimits limits;
  ops::StepLimits step;
};

// Errors: the file or an option is wrong. What does not fit is no error: memory.fits is false and memory.advice says
// what to lower.
Result<EnginePlan> plan_engine(const formats::ModelFile& file, const engine::LlmOptions& options,
                               const ops::Backend& backend, const MachineMemory& machine);
// The same from a plan of the model, for tests.
Result<EnginePlan> divide_memory(const arch::ModelPlan& model, const engine::LlmOptions& options,
                                 const ops::Backend& backend, const MachineMemory& machine);

}  // namespace jackdaw::llm
