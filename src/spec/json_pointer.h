// JsonPointer: RFC 6901, "/spec/predictor/env/0".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::spec {

// The steps, unescaped; none for "", the whole document.
Result<std::vector<std::string>> read_pointer(std::string_view text);
std::string pointer_text(std::span<const std::string> steps);

// A step into an array: digits without leading zeros, below 10^9.
std::optional<std::size_t> array_index(std::string_view step);

}  // namespace jackdaw::spec
