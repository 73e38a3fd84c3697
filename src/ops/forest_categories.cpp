#include "forest_categories.h"

#include <algorithm>
#include <limits>

#include "forest_decision.h"

namespace jackdaw::ops {
namespace {

constexpr std::uint32_t block_rows = kernels::forest_block_rows;
constexpr std::size_t table_bytes_max = std::size_t{16} << 20;

// Table rows of values that are no category come first.
enum : std::uint32_t { class_nan, class_negative, class_minus_fraction, class_absent, class_first_category };

std::uint32_t class_of(double x, std::uint32_t categories) {
  if (!(x >= 0)) return x <= -1.0 ? class_negative : x < 0 ? class_minus_fraction : class_nan;
  if (x >= categories) return class_absent;
  return class_first_category + static_cast<std::uint32_t>(x);
}

double value_of(std::uint32_t row_class) {
  switch (row_class) {
    case class_nan:
      return std::numeric_limits<double>::quiet_NaN();
    case class_negative:
      return -1.0;
    case class_minus_fraction:
      return -0.5;
    case class_absent:
      return 2147483648.0;
    default:
      return row_class - class_first_category;
  }
}

}  // namespace

CategoryColumns::CategoryColumns(const ForestSpec& spec, const Splits& splits) : splits_(splits.categories) {
  if (splits_.empty()) return;
  bits_ = spec.category_bits;
  for (std::size_t begin = 0, end = 0; begin < splits_.size(); begin = end) {
    while (end < splits_.size() && splits_[end].feature == splits_[begin].feature) ++end;
    if (add_feature(begin, end)) continue;
    features_ = {};
    tables_ = {};
    return;
  }
}

bool CategoryColumns::add_feature(std::size_t begin, std::size_t end) {
  std::size_t categories = 0;
  for (std::size_t i = begin; i < end; ++i)
    categories = std::max<std::size_t>(categories, std::size_t{splits_[i].category_words} * 32);
  const std::size_t row_bytes = (end - begin + 7) / 8;
  const std::size_t classes = class_first_category + categories;
  if (classes > (table_bytes_max - tables_.size()) / row_bytes) return false;
  const Feature feature{static_cast<std::uint32_t>(splits_[begin].feature),
                        static_cast<std::uint32_t>(categories),
                        begin,
                        end - begin,
                        row_bytes,
                        tables_.size()};
  tables_.resize(tables_.size() + classes * row_bytes);
  for (std::uint32_t c = 0; c < classes; ++c) {
    std::uint8_t* row = &tables_[feature.table_begin + c * row_bytes];
    for (std::size_t i = 0; i < feature.split_count; ++i) {
      if (goes_right(begin + i, value_of(c))) row[i / 8] |= static_cast<std::uint8_t>(1u << (i % 8));
    }
  }
  features_.push_back(feature);
  return true;
}

bool CategoryColumns::goes_right(std::size_t split, double x) const {
  return !category_goes_left(splits_[split], bits_.data(), x);
}

template <typename X, typename Key>
void CategoryColumns::fill_keys(const X* row, Key lowest, Key highest, Key* keys) const {
  if (features_.empty()) {
    for (std::size_t i = 0; i < splits_.size(); ++i)
      keys[i] = goes_right(i, static_cast<double>(row[splits_[i].feature])) ? highest : lowest;
  }
  for (const Feature& feature : features_) {
    const std::uint32_t row_class = class_of(static_cast<double>(row[feature.feature]), feature.categories);
    const std::uint8_t* bits = &tables_[feature.table_begin + row_class * feature.row_bytes];
    Key* out = keys + feature.split_begin;
    for (std::size_t i = 0; i < feature.split_count; ++i) out[i] = (bits[i / 8] >> (i % 8)) & 1 ? highest : lowest;
  }
}

template <typename X>
void CategoryColumns::fill_bytes(const X* rows, std::size_t n_rows, std::size_t stride, std::uint8_t* columns) const {
  const auto value = [&](std::size_t row, std::size_t feature) {
    return static_cast<double>(rows[std::min(row, n_rows - 1) * stride + feature]);
  };
  if (features_.empty()) {
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      for (std::size_t row = 0; row < block_rows; ++row)
        columns[i * block_rows + row] =
            goes_right(i, value(row, static_cast<std::size_t>(splits_[i].feature))) ? 255 : 0;
    }
  }
  for (const Feature& feature : features_) {
    const std::uint8_t* table_rows[block_rows];
    for (std::size_t row = 0; row < block_rows; ++row) {
      const std::uint32_t row_class = class_of(value(row, feature.feature), feature.categories);
      table_rows[row] = &tables_[feature.table_begin + row_class * feature.row_bytes];
    }
    kernels::forest_bit_columns(table_rows, feature.split_count, columns + feature.split_begin * block_rows);
  }
}

std::size_t CategoryColumns::resident_bytes() const {
  return splits_.capacity() * sizeof(ForestNode) + bits_.capacity() * sizeof(std::uint32_t) +
         features_.capacity() * sizeof(Feature) + tables_.capacity();
}

template void CategoryColumns::fill_keys(const float*, std::int32_t, std::int32_t, std::int32_t*) const;
template void CategoryColumns::fill_keys(const double*, std::int64_t, std::int64_t, std::int64_t*) const;
template void CategoryColumns::fill_bytes(const float*, std::size_t, std::size_t, std::uint8_t*) const;
template void CategoryColumns::fill_bytes(const double*, std::size_t, std::size_t, std::uint8_t*) const;

}  // namespace jackdaw::ops
