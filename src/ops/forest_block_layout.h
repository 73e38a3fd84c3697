// BlockLayout: a forest laid out for 64 rows at a time, on byte columns of threshold ranks.
//
// Trees of up to 8 levels become complete trees; of deeper ones (or those with wide leaves) the top levels do, and the
// rest is walked in compact nodes. See jackdaw/kernels/forest.h for the formats.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "forest_categories.h"

namespace jackdaw::ops {

template <typename X, typename Sum>
class BlockLayout {
 public:
  // Null when the forest is too wide for it: over 16,384 byte columns, 2,048 outputs, or 2^32 tail nodes.
  static std::unique_ptr<BlockLayout> make(const ForestSpec& spec, const Splits& splits,
                                           std::shared_ptr<const CategoryColumns> categories);

  // Any thread; scratch is thread-local and at most some 3 MB.
  void add_scores(const kernels::ForestBlockKernels& kernels, const X* rows, std::size_t n_rows, std::size_t stride,
                  Sum* out) const;

  std::size_t resident_bytes() const;
  // Estimated cost of one block, in nanoseconds.
  double block_ns() const;

 private:
  using Key = std::conditional_t<std::is_same_v<X, float>, std::int32_t, std::int64_t>;
  class Builder;

  explicit BlockLayout(std::shared_ptr<const CategoryColumns> categories) : categories_(std::move(categories)) {}
  void fill_columns(const kernels::ForestBlockKernels& kernels, const X* rows, std::size_t n_rows, std::size_t stride,
                    std::uint8_t* columns) const;
  void score(const kernels::ForestBlockKernels& kernels, const kernels::BlockBatch<Sum>& batch) const;

  std::uint32_t n_outputs_ = 1;
  std::uint32_t leaf_width_ = 1;
  std::vector<kernels::RankFeature> features_;
  std::vector<kernels::RankColumn> columns_;
  std::vector<Key> keys_;
  std::shared_ptr<const CategoryColumns> categories_;  // Their byte columns follow columns_.
  std::vector<kernels::BlockTree> trees_;
  std::vector<kernels::BlockNode> nodes_;
  std::vector<Sum> leaves_;
  std::vector<std::uint32_t> exits_;
  std::vector<kernels::TailNode> tail_nodes_;
  std::vector<std::uint32_t> tail_leaf_;
  std::vector<Sum> tail_values_;
};

extern template class BlockLayout<float, float>;
extern template class BlockLayout<float, double>;
extern template class BlockLayout<double, double>;

}  // namespace jackdaw::ops
