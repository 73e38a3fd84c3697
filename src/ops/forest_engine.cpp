#include "forest_engine.h"

#include <cmath>

#include "forest_block_layout.h"
#include "forest_check.h"
#include "forest_row_layout.h"
#include "jackdaw/base/cpu.h"

namespace jackdaw::ops {
namespace {

// Null when this machine (or JACKDAW_CPU) has no such instructions, or the build lacks the kernels.
const kernels::ForestBlockKernels* kernels_of(ForestPath path) {
  const CpuFeatures& cpu = cpu_features();
  switch (path) {
    case ForestPath::block_plain:
      return kernels::forest_block_plain();
    case ForestPath::block_avx2:
      return cpu.avx2 ? kernels::forest_block_avx2() : nullptr;
    case ForestPath::block_avx512:
      return cpu.avx512 ? kernels::forest_block_avx512() : nullptr;
    default:
      return nullptr;
  }
}

struct BestKernels {
  const kernels::ForestBlockKernels& kernels;
  double slowness;  // Against AVX-512, which BlockLayout::block_ns is calibrated for.
};

BestKernels best_kernels() {
  if (const auto* found = kernels_of(ForestPath::block_avx512)) return {*found, 1.0};
  if (const auto* found = kernels_of(ForestPath::block_avx2)) return {*found, 2.5};
  return {*kernels::forest_block_plain(), 5.0};
}

template <typename X, typename Sum>
class Engine final : public TypedForestEngine<X, Sum> {
 public:
  Engine(const ForestSpec& spec, const Splits& splits)
      : n_outputs_(spec.n_outputs),
        categories_(std::make_shared<CategoryColumns>(spec, splits)),
        rows_(spec, splits, categories_),
        blocks_(BlockLayout<X, Sum>::make(spec, splits, categories_)),
        best_(best_kernels()) {
    if (blocks_) block_rows_min_ = std::ceil(blocks_->block_ns() * best_.slowness / rows_.row_ns());
  }

  std::size_t resident_bytes() const override {
    return sizeof(*this) + categories_->resident_bytes() + rows_.resident_bytes() +
           (blocks_ ? blocks_->resident_bytes() : 0);
  }
  double row_ns() const override { return rows_.row_ns(); }

  bool has(ForestPath path) const override {
    return path == ForestPath::automatic || path == ForestPath::row || (blocks_ && kernels_of(path) != nullptr);
  }

  void add_scores(ForestPath path, const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) const override {
    CHECK(has(path));
    if (path == ForestPath::row) return add_rows(rows, n_rows, stride, out);
    if (path != ForestPath::automatic) return blocks_->add_scores(*kernels_of(path), rows, n_rows, stride, out);
    std::size_t in_blocks = 0;
    if (blocks_ && block_rows_min_ <= kernels::forest_block_rows) {
      const std::size_t rest = n_rows % kernels::forest_block_rows;
      in_blocks = static_cast<double>(rest) >= block_rows_min_ ? n_rows : n_rows - rest;
    }
    if (in_blocks > 0) blocks_->add_scores(best_.kernels, rows, in_blocks, stride, out);
    add_rows(rows + in_blocks * stride, n_rows - in_blocks, stride, out + in_blocks * n_outputs_);
  }

 private:
  void add_rows(const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) const {
    for (std::size_t row = 0; row < n_rows; ++row) rows_.add_row(rows + row * stride, out + row * n_outputs_);
  }

  std::uint32_t n_outputs_;
  std::shared_ptr<const CategoryColumns> categories_;
  RowLayout<X, Sum> rows_;
  std::unique_ptr<BlockLayout<X, Sum>> blocks_;
  BestKernels best_;
  double block_rows_min_ = 0;  // From here on a block, mostly empty or not, beats single rows.
};

}  // namespace

Result<std::unique_ptr<ForestEngine>> make_forest_engine(const ForestSpec& spec) {
  JACKDAW_ASSIGN(const std::vector<std::uint32_t> depths, check_forest(spec));
  const Splits splits = make_splits(spec, depths);
  std::unique_ptr<ForestEngine> engine;
  if (spec.features_f64) {
    engine = std::make_unique<Engine<double, double>>(spec, splits);
  } else if (spec.sums_f64) {
    engine = std::make_unique<Engine<float, double>>(spec, splits);
  } else {
    engine = std::make_unique<Engine<float, float>>(spec, splits);
  }
  return engine;
}

}  // namespace jackdaw::ops
