// The one list of cases for linear layers, and what to fill them with: every implementation runs all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "jackdaw/base/float16.h"
#include "jackdaw/kernels/linear.h"
#include "jackdaw/kernels/quant.h"

namespace linear_cases {

using jackdaw::Encoding;

struct Case {
  Encoding encoding;
  std::int64_t rows;
  std::int64_t columns;
};

// All encodings x odd shapes; columns that are no whole number of blocks are left out.
inline std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (std::size_t e = 0; e < jackdaw::encoding_table.size(); ++e) {
    const auto encoding = static_cast<Encoding>(e);
    for (const std::int64_t rows : {1, 15, 16, 17, 48}) {
      for (const std::int64_t columns : {32, 64, 96, 256, 512, 576, 1536}) {
        if (jackdaw::kernels::can_pack(encoding, rows, columns)) out.push_back({encoding, rows, columns});
      }
    }
    if (jackdaw::kernels::activation_form(encoding) == jackdaw::kernels::ActivationForm::floats) {
      for (const std::int64_t columns : {1, 2, 7, 33}) out.push_back({encoding, 17, columns});
    }
  }
  return out;
}

inline constexpr std::int64_t token_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 33};

// Bytes at a multiple of 64, zeroed.
class Bytes {
 public:
  explicit Bytes(std::size_t size) : size_((size + 63) / 64 * 64 + 64), data_(std::aligned_alloc(64, size_)) {
    std::memset(data_.get(), 0, size_);
  }
  std::byte* data() { return static_cast<std::byte*>(data_.get()); }
  const std::byte* data() const { return static_cast<const std::byte*>(data_.get()); }

 private:
  struct Free {
    void operator()(void* at) const { std::free(at); }
  };
  std::size_t size_;
  std::unique_ptr<void, Free> data_;
};

// Where a block has f16 scales.
inline std::vector<std::size_t> half_places(Encoding encoding) {
  switch (encoding) {
    case Encoding::q4_1:
    case Encoding::q5_1:
    case Encoding::q4_k:
    case Encoding::q5_k:
      return {0, 2};
    case Encoding::q2_k:
      return {80, 82};
    case Encoding::q3_k:
      return {108};
    case Encoding::q6_k:
      return {208};
    case Encoding::mxfp4:
      return {};
    default:
      return {0};
  }
}

// Rows of valid random blocks: any codes, scales of either sign around 0.01.
inline std::vector<std::byte> random_rows(Encoding encoding, std::int64_t rows, std::int64_t columns,
                                          std::mt19937& random) {
  const jackdaw::EncodingInfo& info = jackdaw::encoding_info(encoding);
  const std::size_t elements = static_cast<std::size_t>(rows * columns);
  std::normal_distribution<float> normal;
  std::vector<std::byte> out(elements / info.block_elements * info.block_bytes);
  if (encoding <= Encoding::bf16) {
    std::vector<float> values(elements);
    for (float& x : values) x = normal(random);
    jackdaw::kernels::quantize_row(encoding, values.data(), static_cast<std::int64_t>(elements), out.data());
    return out;
  }
  for (std::byte& b : out) b = static_cast<std::byte>(random());
  for (std::size_t block = 0; block < out.size(); block += info.block_bytes) {
    for (const std::size_t at : half_places(encoding)) {
      const std::uint16_t half = jackdaw::half_from_float(0.01f * normal(random));
      std::memcpy(out.data() + block + at, &half, sizeof(half));
    }
    if (encoding == Encoding::mxfp4) out[block] = static_cast<std::byte>(110 + random() % 20);
  }
  return out;
}

inline std::vector<float> random_floats(std::int64_t count, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& x : out) x = normal(random);
  return out;
}

}  // namespace linear_cases
