#include "src/ops/reference_backend_weights.h"

#include <algorithm>
#include <limits>

#include "jackdaw/kernels/quant.h"

namespace jackdaw::ops::reference {
namespace {

Result<std::size_t> bytes_per_row(const LinearPart& part) {
  if (part.rows <= 0 || part.columns <= 0) {
    return make_error(Code::invalid_argument, "A linear weight needs rows and columns, not {} x {}.", part.rows,
                      part.columns);
  }
  const auto bytes = row_bytes(part.encoding, static_cast<std::size_t>(part.columns));
  if (!bytes) {
    const EncodingInfo& info = encoding_info(part.encoding);
    return make_error(Code::unsupported, "Rows of {} elements are not whole blocks of {} ({} elements).", part.columns,
                      info.name, info.block_elements);
  }
  if (part.data.size() / *bytes < static_cast<std::size_t>(part.rows)) {
    return make_error(Code::invalid_argument, "A linear weight of {} x {} in {} has only {} bytes.", part.rows,
                      part.columns, encoding_info(part.encoding).name, part.data.size());
  }
  return *bytes;
}

}  // namespace

Result<StoredWeight> StoredWeight::linear(std::span<const LinearPart> parts) {
  if (parts.empty()) return make_error(Code::invalid_argument, "A linear weight needs at least one part.");
  StoredWeight weight;
  weight.shape_.columns = parts.front().columns;
  for (const LinearPart& part : parts) {
    if (part.columns != weight.shape_.columns) {
      return make_error(Code::invalid_argument, "Parts of {} and {} columns cannot be stacked.", weight.shape_.columns,
                        part.columns);
    }
    JACKDAW_ASSIGN(const std::size_t bytes, bytes_per_row(part));
    const auto used = part.data.first(bytes * static_cast<std::size_t>(part.rows));
    weight.parts_.push_back({part.encoding, weight.shape_.rows, bytes, {used.begin(), used.end()}});
    weight.shape_.rows += part.rows;
  }
  return weight;
}

StoredWeight StoredWeight::vector(std::span<const float> values) {
  StoredWeight weight;
  weight.shape_ = {1, static_cast<std::int64_t>(values.size()), true};
  weight.values_.assign(values.begin(), values.end());
  return weight;
}

void StoredWeight::row(std::int64_t index, std::span<float> out) const {
  const auto after = std::upper_bound(parts_.begin(), parts_.end(), index,
                                      [](std::int64_t row, const Part& part) { return row < part.first_row; });
  const Part& part = *std::prev(after);
  const std::byte* data = part.data.data() + static_cast<std::size_t>(index - part.first_row) * part.row_bytes;
  kernels::dequantize_row(part.encoding, data, static_cast<std::int64_t>(out.size()), out.data());
}

std::uint64_t StoredWeight::bytes() const {
  std::uint64_t sum = values_.size() * sizeof(float);
  for (const Part& part : parts_) sum += part.data.size();
  return sum;
}

}  // namespace jackdaw::ops::reference
