// ForestEngine: a checked forest with all its layouts. Forest is the public face; tests pick a path by name.
#pragma once

#include <memory>

#include "jackdaw/ops/forest.h"

namespace jackdaw::ops {

// How to score: `automatic` is what production uses, the others pin one implementation.
enum class ForestPath : std::uint8_t { automatic, row, block_plain, block_avx2, block_avx512 };

class ForestEngine {
 public:
  virtual ~ForestEngine() = default;
  virtual std::size_t resident_bytes() const = 0;
  virtual double row_ns() const = 0;
  // False when this machine or this forest cannot take the path.
  virtual bool has(ForestPath path) const = 0;
};

template <typename X, typename Sum>
class TypedForestEngine : public ForestEngine {
 public:
  // CHECKs that has(path).
  virtual void add_scores(ForestPath path, const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) const = 0;
};

// The engine's type follows spec.features_f64 and spec.sums_f64: TypedForestEngine<float, float> and so on.
Result<std::unique_ptr<ForestEngine>> make_forest_engine(const ForestSpec& spec);

}  // namespace jackdaw::ops
