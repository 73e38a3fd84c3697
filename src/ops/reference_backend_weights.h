// The weights of the reference backend: bytes as the file had them, decoded row by row when a row is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/ops/backend.h"
#include "src/ops/reference_backend_check.h"

namespace jackdaw::ops::reference {

// Immutable after it was made.
class StoredWeight {
 public:
  // Errors: unsupported for rows that are not whole blocks, invalid_argument for parts that do not fit together or
  // whose data is shorter than their shape.
  static Result<StoredWeight> linear(std::span<const LinearPart> parts);
  static StoredWeight vector(std::span<const float> values);

  const WeightShape& shape() const { return shape_; }
  // `out` holds one row.
  void row(std::int64_t index, std::span<float> out) const;
  // Of a vector.
  std::span<const float> values() const { return values_; }
  std::uint64_t bytes() const;

 private:
  struct Part {
    Encoding encoding = Encoding::f32;
    std::int64_t first_row = 0;
    std::size_t row_bytes = 0;
    std::vector<std::byte> data;
  };
  WeightShape shape_;
  std::vector<Part> parts_;
  std::vector<float> values_;
};

}  // namespace jackdaw::ops::reference
