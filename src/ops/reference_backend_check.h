// Checks a Program against the weights it names before it runs: slots, widths, layers, vectors. What is wrong here is
// a bug of whoever wrote the Program; the reference backend says which op and why.
#pragma once

#include <functional>

#include "jackdaw/base/result.h"
#include "jackdaw/ops/program.h"

namespace jackdaw::ops::reference {

// What a Weight handle stands for; a vector has one row.
struct WeightShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool is_vector = false;
};

// `shape_of` gives nothing for a handle that was never handed out. Errors: internal.
Result<void> check_program(const Program& program, const std::function<const WeightShape*(Weight)>& shape_of);

}  // namespace jackdaw::ops::reference
