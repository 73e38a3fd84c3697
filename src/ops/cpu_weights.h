// The weights of the CPU backend: packed linear layers in an arena, and vectors.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "jackdaw/kernels/linear.h"
#include "jackdaw/ops/backend.h"
#include "src/ops/cpu_memory.h"

namespace jackdaw::ops {

// Neighbouring parts in one encoding make one segment, packed on its own.
struct CpuSegment {
  kernels::PackedLinear packed;
  std::int64_t first_row = 0;  // of the whole weight
};

struct CpuWeight {
  std::int64_t rows = 0;  // a vector has one row
  std::int64_t columns = 0;
  bool is_vector = false;
  std::vector<CpuSegment> segments;  // ascending first_row
  std::span<const float> values;     // of a vector
  bool wants_blocks = false;         // some segment takes activations in blocks
  bool wants_floats = false;         // some segment takes them as floats
};

class CpuWeights {
 public:
  Result<Weight> add_linear(std::span<const LinearPart> parts);
  Result<Weight> add_vector(std::span<const float> values);

  // nullptr for a handle that was never given out. Stays valid.
  const CpuWeight* find(Weight weight) const;
  const CpuWeight& at(Weight weight) const;
  std::uint64_t bytes() const { return arena_.used(); }

 private:
  Result<void> append(CpuWeight& weight, std::span<const LinearPart> same_encoding);

  Arena arena_;
  std::deque<CpuWeight> weights_;
};

// Row `row` as floats.
void unpack_row(const CpuWeight& weight, std::int64_t row, float* out);

}  // namespace jackdaw::ops
