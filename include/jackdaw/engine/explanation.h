// Explanation: what an engine answers to Verb::explain, by the names of its tensors.
//
//   contributions   [rows, features + 1] or [rows, outputs, features + 1], FP32 or FP64: how far each feature moved the
//                   raw answer from the expected one, which comes last; they add up to the raw answer
//   feature_names   [features], BYTES; only when the model knows them
//   ...             what predict answers
//
// A predict request that names the output "contributions" gets that one among the others.
#pragma once

#include <string_view>

namespace jackdaw::engine {

inline constexpr std::string_view contributions_output = "contributions";
inline constexpr std::string_view feature_names_output = "feature_names";

}  // namespace jackdaw::engine
