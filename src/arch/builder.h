// The generic decoder: a Description becomes an ops::Program, its weights go to a WeightSink on the way.
#pragma once

#include <cstdint>

#include "jackdaw/base/result.h"
#include "jackdaw/ops/program.h"
#include "src/arch/description.h"
#include "src/arch/weights.h"

namespace jackdaw::arch {

// `context`: the longest sequence that will be asked for. Errors: those of WeightLoader and make_rope; unsupported for
// a tensor of a layer that this family does not use (answers would be wrong without it).
Result<ops::Program> build_program(const formats::ModelFile& file, const Description& description, WeightSink& sink,
                                   std::uint32_t context, WeightLoader::Progress progress);

}  // namespace jackdaw::arch
