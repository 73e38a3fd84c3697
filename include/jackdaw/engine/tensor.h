// Tensor: an owned, named, row-major tensor as requests carry it in and engines hand it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/dtype.h"

namespace jackdaw::engine {

struct Tensor {
  std::string name;
  DType dtype = DType::fp32;
  std::vector<std::int64_t> shape;    // row-major; the element count equals data.size()/element_size or strings.size()
  std::vector<std::byte> data;        // little-endian elements; empty for DType::bytes
  std::vector<std::string> strings;   // the elements of a DType::bytes tensor
  std::vector<std::uint8_t> missing;  // 1 = null; empty, or one per element (a column of a data frame may have holes)
  std::string content_type;           // "", "np", "pd", "str": the codec its sender or receiver asked for

  std::size_t element_count() const {
    return dtype == DType::bytes ? strings.size() : data.size() / element_size(dtype);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data.data());
  }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data.data());
  }
};

}  // namespace jackdaw::engine
