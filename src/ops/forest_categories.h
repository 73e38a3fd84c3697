// CategoryColumns: answers all categorical splits of a forest for a row or a block at once.
//
// Per feature a table holds, for each category, one bit per split (set: goes right). A row's answers are then one table
// row, and a block's byte columns are that table's bits turned from rows into columns. Values that are no category
// (NaN, negative, absent) have table rows of their own, so that the splits' rules are asked at build time only. Where
// tables would be too large, splits are asked one by one.
#pragma once

#include <vector>

#include "forest_splits.h"

namespace jackdaw::ops {

class CategoryColumns {
 public:
  CategoryColumns(const ForestSpec& spec, const Splits& splits);

  std::size_t count() const { return splits_.size(); }
  // Answering every split of a row costs little compared with a walk; otherwise ask goes_right where a row gets.
  bool cheap() const { return !features_.empty() || splits_.size() <= direct_max; }
  bool goes_right(std::size_t split, double x) const;
  const ForestNode& split(std::size_t index) const { return splits_[index]; }

  // keys[i] = lowest (left) or highest (right) key for split i.
  template <typename X, typename Key>
  void fill_keys(const X* row, Key lowest, Key highest, Key* keys) const;
  // columns[i][row] = 0 (left) or 255 (right), 64 rows each; rows past n_rows repeat the last one.
  template <typename X>
  void fill_bytes(const X* rows, std::size_t n_rows, std::size_t stride, std::uint8_t* columns) const;

  std::size_t resident_bytes() const;

 private:
  static constexpr std::size_t direct_max = 64;

  struct Feature {
    std::uint32_t feature;
    std::uint32_t categories;  // Those from here on are absent from all sets.
    std::size_t split_begin;
    std::size_t split_count;
    std::size_t row_bytes;
    std::size_t table_begin;
  };

  bool add_feature(std::size_t begin, std::size_t end);

  std::vector<ForestNode> splits_;  // Those of one feature are neighbours.
  std::vector<std::uint32_t> bits_;
  std::vector<Feature> features_;  // Empty: no tables.
  std::vector<std::uint8_t> tables_;
};

}  // namespace jackdaw::ops
