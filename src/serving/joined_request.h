// Requests of one signature as one request, and its answer by rows again.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

// Rows of a request that can be joined with others; nullopt when it must run alone: no rows, inputs that do not agree
// with their shapes or with each other.
std::optional<std::size_t> joinable_rows(const engine::InferenceRequest& request);

// Both joinable: whether they can run as one.
bool same_signature(const engine::InferenceRequest& a, const engine::InferenceRequest& b);

// One request with all rows in order. `requests` is not empty and of one signature.
engine::InferenceRequest joined(std::span<const engine::InferenceRequest* const> requests);

// True when every output has one row per row of the request. Higher ranks may be stacked by output instead of by row.
bool splits_by_rows(const std::vector<engine::Tensor>& outputs, std::size_t rows);

// Rows [first, first + count) of every output.
std::vector<engine::Tensor> rows_of(const std::vector<engine::Tensor>& outputs, std::size_t first, std::size_t count);

}  // namespace jackdaw::serving
