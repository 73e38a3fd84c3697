// One element of a numpy array as a number, and the order in which stored elements stand in C order.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/float16.h"
#include "jackdaw/formats/object_graph.h"

namespace jackdaw::formats {

// The element at `at`, which may be unaligned; the caller checked that sizeof(T) bytes are there.
template <typename T>
T load_element(const std::byte* at, bool big_endian) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return big_endian == (std::endian::native == std::endian::big) ? value : byte_swapped(value);
}

// Calls fn(T{}) with the C++ type of a numeric dtype (half floats as std::uint16_t with is_half true); false for kinds
// that hold no plain numbers (complex, text, dates, long double, structures).
template <typename Fn>
bool with_number_type(const NumpyDType& dtype, Fn&& fn) {
  const auto is = [&](char kind, std::uint32_t size) { return dtype.kind == kind && dtype.item_size == size; };
  if (is('f', 8)) return fn(double{}, false), true;
  if (is('f', 4)) return fn(float{}, false), true;
  if (is('f', 2)) return fn(std::uint16_t{}, true), true;
  if (is('i', 8)) return fn(std::int64_t{}, false), true;
  if (is('i', 4)) return fn(std::int32_t{}, false), true;
  if (is('i', 2)) return fn(std::int16_t{}, false), true;
  if (is('i', 1)) return fn(std::int8_t{}, false), true;
  if (is('u', 8)) return fn(std::uint64_t{}, false), true;
  if (is('u', 4)) return fn(std::uint32_t{}, false), true;
  if (is('u', 2)) return fn(std::uint16_t{}, false), true;
  if (is('u', 1) || is('b', 1)) return fn(std::uint8_t{}, false), true;
  return false;
}

inline std::optional<double> read_number(const std::byte* at, const NumpyDType& dtype) {
  std::optional<double> out;
  with_number_type(dtype, [&](auto zero, bool is_half) {
    using T = decltype(zero);
    const T value = load_element<T>(at, dtype.big_endian);
    if constexpr (std::is_same_v<T, std::uint16_t>) {
      out = is_half ? float_from_half(value) : value;
    } else {
      out = static_cast<double>(value);
    }
  });
  return out;
}

// Calls fn(position) for the stored position of each element in C order.
template <typename Fn>
void for_each_in_c_order(const NdArray& array, Fn&& fn) {
  const std::int64_t count = array.count();
  const std::size_t dims = array.shape.size();
  if (!array.fortran_order || dims < 2) {
    for (std::int64_t i = 0; i < count; ++i) fn(static_cast<std::size_t>(i));
    return;
  }
  std::vector<std::int64_t> strides(dims, 1);
  for (std::size_t d = 1; d < dims; ++d) strides[d] = strides[d - 1] * array.shape[d - 1];
  std::vector<std::int64_t> index(dims, 0);
  std::int64_t position = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    fn(static_cast<std::size_t>(position));
    for (std::size_t d = dims; d-- > 0;) {
      position += strides[d];
      if (++index[d] < array.shape[d]) break;
      position -= strides[d] * array.shape[d];
      index[d] = 0;
    }
  }
}

}  // namespace jackdaw::formats
