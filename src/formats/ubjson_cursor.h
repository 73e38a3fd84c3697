// UBJSON (draft 12) as XGBoost writes it (xgboost src/common/json.cc): big-endian; objects are never counted and have
// bare keys (length and bytes, no S); arrays are plain, counted ([# n) or typed and counted ([$ t # n).
#pragma once

#include <memory>

#include "src/formats/json_cursor.h"

namespace jackdaw::formats {

// `bytes` outlives the cursor. Unknown markers, negative or lying lengths, and nesting beyond the limit are errors.
std::unique_ptr<ValueCursor> ubjson_cursor(Bytes bytes, std::uint32_t nesting_max);

}  // namespace jackdaw::formats
