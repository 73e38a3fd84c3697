// Warm-up: calls a model answers before its revision takes requests, so that the first client does not pay for pages
// that are not in memory, threads that sleep and caches that are cold. Blocking; for the work thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

enum class WarmUpFill : unsigned char { zeros, random };

struct WarmUpOptions {
  std::size_t rows = 1;  // of the made-up request; of a language model: short prompts, one after the other
  WarmUpFill fill = WarmUpFill::zeros;
  Duration timeout = std::chrono::seconds(60);  // for a language model's answer
};

// A request of `rows` rows in the shape of the model's metadata: free dimensions are 1, texts are "0".
engine::InferenceRequest made_up_request(const engine::ModelMetadata& metadata, const WarmUpOptions& options,
                                         Random& random);

// Predicts a made-up request as one batch and row by row, or generates a few tokens. The error is the engine's: a model
// may well refuse zeros, so the caller decides what it means.
Result<void> warm_up(engine::Engine& engine, const WarmUpOptions& options, Random& random);

}  // namespace jackdaw::serving
