// JSON arrays to tensors by numpy's rules, for V1 (np.array infers the type) and V2 (the datatype is declared).
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/base/dtype.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/tensor.h"

namespace jackdaw::api::oip {

// np.array(value): ints give INT64 (UINT64 beyond it), any float or null FP64, all bools BOOL, any text BYTES with the
// numbers written out. Ragged nesting is refused in numpy's words.
Result<engine::Tensor> array_of(simdjson::dom::array value);

// np.array(value, dtype).reshape(shape): nested or flat data; ints for floats, floats for ints (cut), texts with
// numbers in them, null as NaN. One dimension may be -1. Errors in numpy's words.
Result<engine::Tensor> array_of(simdjson::dom::array value, DType dtype, const std::vector<std::int64_t>& shape);

// Resolves -1 and checks the element count: "cannot reshape array of size 8 into shape (3,4)".
Result<std::vector<std::int64_t>> reshaped(std::size_t count, const std::vector<std::int64_t>& shape);

// "(2,4)", "(4,)", "()" as Python prints a shape here.
std::string shape_text(const std::vector<std::int64_t>& shape, bool spaces);

// Python's float(text); nullopt when it is none.
std::optional<double> python_float(std::string_view text);
// Python's repr of a float: "1.0", "1e-07".
std::string python_repr(double value);

}  // namespace jackdaw::api::oip
