// Small text functions every module needs: the nearest known name, JSON string escaping, shortest float text, times.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"

namespace jackdaw {

// The known name nearest to `name` by edit distance (with transpositions), or "" when none is near enough to suggest
// (more than a third of its length away).
std::string nearest_name(std::string_view name, std::span<const std::string_view> known);

// True when the bytes are valid UTF-8 (no surrogates, no overlong forms).
bool is_valid_utf8(std::string_view text);

// Appends `text` as a JSON string with its quotes. Control characters, quotes and backslashes are escaped the way
// orjson does (\b \t \n \f \r by letter, others as \u00xx); other bytes pass through. Text must be valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Appends a double the way orjson prints it: the shortest digits that read back, "1.0", "1e+16", "1.5e-7", "-0.0";
// NaN and infinities as null.
void append_json_double(std::string& out, double value);

// JSON whose integers of 19 and more digits end in ".0", for readers that know integers of 64 bits only: Hugging Face
// writes
// `"model_max_length": 1000000000000000019884624838656`. What is in strings stays; text that is no JSON may stay that.
std::string with_large_integers_as_reals(std::string_view json);

// "2026-11-28T17:35:33Z": RFC 3339 in whole seconds, as Kubernetes writes times.
std::string rfc3339(WallTime time);
// Nothing when it is no such time in UTC between 1970 and 2261; fractions of a second are cut.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// Kubernetes' short form of an age (apimachinery/pkg/util/duration): "45s", "3m20s", "5h", "12d", "2y30d". A second of
// the future is "0s", more of it "<invalid>".
std::string short_age(Duration age);

}  // namespace jackdaw
