#include "src/ops/cpu_weights.h"

#include <algorithm>
#include <optional>

namespace jackdaw::ops {
namespace {

Result<void> check_parts(std::span<const LinearPart> parts) {
  if (parts.empty()) return make_error(Code::invalid_argument, "A linear weight has no parts.");
  for (const LinearPart& part : parts) {
    const std::string_view name = encoding_info(part.encoding).name;
    if (part.columns != parts[0].columns) {
      return make_error(Code::invalid_argument, "Parts of one linear weight have {} and {} columns.", part.columns,
                        parts[0].columns);
    }
    if (part.rows < 1 || part.columns < 1 || part.columns > (std::int64_t{1} << 30) ||
        part.rows > (std::int64_t{1} << 40) / part.columns) {
      return make_error(Code::invalid_argument, "A linear weight of {} x {} cannot be.", part.rows, part.columns);
    }
    if (!kernels::can_pack(part.encoding, part.rows, part.columns)) {
      return make_error(Code::unsupported, "There is no CPU kernel for {} rows of {} elements.", name, part.columns);
    }
    const std::optional<std::size_t> bytes = row_bytes(part.encoding, static_cast<std::size_t>(part.columns));
    if (!bytes || part.data.size() < *bytes * static_cast<std::size_t>(part.rows)) {
      return make_error(Code::invalid_argument, "{} bytes are too few for {} x {} elements of {}.", part.data.size(),
                        part.rows, part.columns, name);
    }
  }
  return {};
}

}  // namespace

Result<Weight> CpuWeights::add_linear(std::span<const LinearPart> parts) {
  JACKDAW_TRY(check_parts(parts));
  CpuWeight weight;
  weight.columns = parts[0].columns;
  for (std::size_t begin = 0; begin < parts.size();) {
    std::size_t end = begin + 1;
    while (end < parts.size() && parts[end].encoding == parts[begin].encoding) ++end;
    JACKDAW_TRY(append(weight, parts.subspan(begin, end - begin)));
    begin = end;
  }
  weights_.push_back(std::move(weight));
  return Weight{static_cast<std::int32_t>(weights_.size()) - 1};
}

Result<void> CpuWeights::append(CpuWeight& weight, std::span<const LinearPart> same_encoding) {
  const Encoding encoding = same_encoding[0].encoding;
  std::int64_t rows = 0;
  for (const LinearPart& part : same_encoding) rows += part.rows;
  JACKDAW_ASSIGN(std::byte * packed, arena_.allocate(kernels::packed_bytes(encoding, rows, weight.columns)));
  std::int64_t row = 0;
  for (const LinearPart& part : same_encoding) {
    kernels::pack_rows(encoding, weight.columns, part.data.data(), part.rows, row, packed);
    row += part.rows;
  }
  weight.segments.push_back({{encoding, rows, weight.columns, packed}, weight.rows});
  weight.rows += rows;
  const bool blocks = kernels::activation_form(encoding) == kernels::ActivationForm::blocks;
  (blocks ? weight.wants_blocks : weight.wants_floats) = true;
  return {};
}

Result<Weight> CpuWeights::add_vector(std::span<const float> values) {
  JACKDAW_ASSIGN(std::byte * memory, arena_.allocate(values.size_bytes()));
  float* const copy = reinterpret_cast<float*>(memory);
  std::ranges::copy(values, copy);
  CpuWeight weight;
  weight.rows = 1;
  weight.columns = static_cast<std::int64_t>(values.size());
  weight.is_vector = true;
  weight.values = {copy, values.size()};
  weights_.push_back(std::move(weight));
  return Weight{static_cast<std::int32_t>(weights_.size()) - 1};
}

const CpuWeight* CpuWeights::find(Weight weight) const {
  if (weight.index < 0 || static_cast<std::size_t>(weight.index) >= weights_.size()) return nullptr;
  return &weights_[static_cast<std::size_t>(weight.index)];
}

const CpuWeight& CpuWeights::at(Weight weight) const {
  const CpuWeight* found = find(weight);
  CHECK(found != nullptr);
  return *found;
}

void unpack_row(const CpuWeight& weight, std::int64_t row, float* out) {
  for (const CpuSegment& segment : weight.segments) {
    if (row < segment.first_row + segment.packed.rows) {
      kernels::unpack_row(segment.packed, row - segment.first_row, out);
      return;
    }
  }
}

}  // namespace jackdaw::ops
