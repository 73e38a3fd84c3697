// Elements of numpy arrays as C++ vectors, in C order.
#include <cmath>
#include <limits>
#include <string>

#include "jackdaw/base/text.h"
#include "src/formats/numpy_dtype.h"
#include "src/formats/numpy_element.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

namespace {

Error wrong_kind(const NumpyDType& dtype, std::string_view wanted) {
  return make_error(Code::unsupported, "a numpy array of {} cannot be read as {}", dtype_text(dtype), wanted);
}

bool float_to_int64(double value, std::int64_t& out) {
  // 2^63 is the first double that does not fit.
  if (!(value >= -0x1p63 && value < 0x1p63) || value != std::floor(value)) return false;
  out = static_cast<std::int64_t>(value);
  return true;
}

template <typename T>
bool to_int64(T value, bool is_half, std::int64_t& out) {
  if constexpr (std::is_floating_point_v<T>) return float_to_int64(static_cast<double>(value), out);
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    if (is_half) return float_to_int64(float_from_half(value), out);
  }
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  }
  out = static_cast<std::int64_t>(value);
  return true;
}

template <typename T>
double to_double(T value, bool is_half) {
  if constexpr (std::is_same_v<T, std::uint16_t>) {
    if (is_half) return float_from_half(value);
  }
  return static_cast<double>(value);
}

// `step` bytes apart from `first`: the elements of an array, or one field of its structures.
template <typename Out>
bool numbers_to_doubles(const NdArray& array, const NumpyDType& dtype, std::size_t step, std::size_t first,
                        std::vector<Out>& out) {
  return with_number_type(dtype, [&](auto zero, bool is_half) {
    using T = decltype(zero);
    out.reserve(static_cast<std::size_t>(array.count()));
    const std::byte* base = array.data.data() + first;
    for_each_in_c_order(array, [&](std::size_t i) {
      out.push_back(static_cast<Out>(to_double(load_element<T>(base + i * step, dtype.big_endian), is_half)));
    });
  });
}

Result<std::vector<std::int64_t>> numbers_to_int64s(const NdArray& array, const NumpyDType& dtype, std::size_t step,
                                                    std::size_t first) {
  std::vector<std::int64_t> out;
  bool whole = true;
  const bool numeric = with_number_type(dtype, [&](auto zero, bool is_half) {
    using T = decltype(zero);
    out.reserve(static_cast<std::size_t>(array.count()));
    const std::byte* base = array.data.data() + first;
    for_each_in_c_order(array, [&](std::size_t i) {
      std::int64_t value = 0;
      whole = to_int64(load_element<T>(base + i * step, dtype.big_endian), is_half, value) && whole;
      out.push_back(value);
    });
  });
  if (!numeric) return wrong_kind(dtype, "integers");
  if (!whole)
    return make_error(Code::parse_error, "a numpy array of {} holds numbers that are no 64-bit integers",
                      dtype_text(dtype));
  return out;
}

Error wrong_element(const ObjectGraph& graph, NodeId node, std::string_view wanted) {
  return error_at(graph.offset(node), Code::unsupported, "an object array holds a {} where {} is needed",
                  kind_name(graph.kind(node)), wanted);
}

Result<std::vector<double>> objects_to_doubles(const ObjectGraph& graph, const NdArray& array) {
  std::vector<double> out;
  out.reserve(array.objects.size());
  for (const NodeId node : array.objects) {
    if (graph.kind(node) == NodeKind::none) {
      out.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const auto value = to_number(graph, node);
    if (!value) return wrong_element(graph, node, "a number");
    out.push_back(*value);
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3f))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// One element of kind U: UCS-4 with trailing zeros taken off.
bool ucs4_to_utf8(Bytes element, bool big_endian, std::string& out) {
  std::size_t length = element.size() / 4;
  const auto code_at = [&](std::size_t i) { return load_element<std::uint32_t>(element.data() + 4 * i, big_endian); };
  while (length > 0 && code_at(length - 1) == 0) --length;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint32_t code = code_at(i);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    append_utf8(out, code);
  }
  return true;
}

bool bytes_to_text(Bytes element, std::string& out) {
  std::string_view text = as_text(element);
  while (text.ends_with('\0')) text.remove_suffix(1);
  out = text;
  return is_valid_utf8(text);
}

bool element_to_text(const NumpyDType& dtype, Bytes element, std::string& out) {
  return dtype.kind == 'U' ? ucs4_to_utf8(element, dtype.big_endian, out) : bytes_to_text(element, out);
}

// Text, bytes, or a numpy.str_ scalar.
bool object_to_text(const ObjectGraph& graph, NodeId node, std::string& out) {
  if (graph.kind(node) == NodeKind::text) {
    out = graph.text(node);
    return true;
  }
  if (graph.kind(node) == NodeKind::bytes) return bytes_to_text(graph.bytes(node), out);
  if (!is_ndarray(graph, node)) return false;
  const auto scalar = to_ndarray(graph, node);
  if (!scalar || !scalar->shape.empty() || !scalar->objects.empty()) return false;
  if (scalar->dtype.kind != 'U' && scalar->dtype.kind != 'S') return false;
  return element_to_text(scalar->dtype, scalar->data, out);
}

Result<std::vector<std::string>> objects_to_strings(const ObjectGraph& graph, const NdArray& array) {
  std::vector<std::string> out;
  out.reserve(array.objects.size());
  for (const NodeId node : array.objects) {
    std::string text;
    if (!object_to_text(graph, node, text)) return wrong_element(graph, node, "text");
    out.push_back(std::move(text));
  }
  return out;
}

const NumpyDType::Field* find_field(const NdArray& array, std::string_view name) {
  for (const auto& field : array.dtype.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

Error no_field(const NdArray& array, std::string_view name) {
  return make_error(Code::not_found, "a numpy array of {} has no field '{}'", dtype_text(array.dtype), name);
}

}  // namespace

Result<std::vector<double>> to_doubles(const ObjectGraph& graph, const NdArray& array) {
  if (array.dtype.kind == 'O') return objects_to_doubles(graph, array);
  std::vector<double> out;
  if (!numbers_to_doubles(array, array.dtype, array.dtype.item_size, 0, out)) return wrong_kind(array.dtype, "numbers");
  return out;
}

Result<std::vector<float>> to_floats(const ObjectGraph& graph, const NdArray& array) {
  std::vector<float> out;
  if (array.dtype.kind == 'O') {
    JACKDAW_ASSIGN(const std::vector<double> values, objects_to_doubles(graph, array));
    out.reserve(values.size());
    for (const double value : values) out.push_back(static_cast<float>(value));
    return out;
  }
  if (!numbers_to_doubles(array, array.dtype, array.dtype.item_size, 0, out)) return wrong_kind(array.dtype, "numbers");
  return out;
}

Result<std::vector<std::int64_t>> to_int64s(const ObjectGraph& graph, const NdArray& array) {
  if (array.dtype.kind != 'O') return numbers_to_int64s(array, array.dtype, array.dtype.item_size, 0);
  std::vector<std::int64_t> out;
  out.reserve(array.objects.size());
  for (const NodeId node : array.objects) {
    std::int64_t value = 0;
    if (graph.kind(node) == NodeKind::integer) {
      value = graph.integer(node);
    } else if (const auto number = to_number(graph, node); !number || !float_to_int64(*number, value)) {
      return wrong_element(graph, node, "a whole number");
    }
    out.push_back(value);
  }
  return out;
}

Result<std::vector<std::string>> to_strings(const ObjectGraph& graph, const NdArray& array) {
  if (array.dtype.kind == 'O') return objects_to_strings(graph, array);
  if (array.dtype.kind != 'U' && array.dtype.kind != 'S') return wrong_kind(array.dtype, "texts");
  std::vector<std::string> out;
  out.reserve(static_cast<std::size_t>(array.count()));
  const std::size_t size = array.dtype.item_size;
  bool valid = true;
  for_each_in_c_order(array, [&](std::size_t i) {
    out.emplace_back();
    valid = element_to_text(array.dtype, array.data.subspan(i * size, size), out.back()) && valid;
  });
  if (!valid)
    return make_error(Code::parse_error, "a numpy array of {} holds text that is not Unicode", dtype_text(array.dtype));
  return out;
}

bool has_field(const NdArray& array, std::string_view field) {
  return find_field(array, field) != nullptr;
}

Result<std::vector<double>> field_doubles(const NdArray& array, std::string_view name) {
  const auto* field = find_field(array, name);
  if (field == nullptr) return no_field(array, name);
  if (!array.objects.empty()) return wrong_kind(array.dtype, "numbers");
  std::vector<double> out;
  if (!numbers_to_doubles(array, field->dtype, array.dtype.item_size, field->offset, out))
    return wrong_kind(field->dtype, "numbers");
  return out;
}

Result<std::vector<std::int64_t>> field_int64s(const NdArray& array, std::string_view name) {
  const auto* field = find_field(array, name);
  if (field == nullptr) return no_field(array, name);
  if (!array.objects.empty()) return wrong_kind(array.dtype, "integers");
  return numbers_to_int64s(array, field->dtype, array.dtype.item_size, field->offset);
}

}  // namespace jackdaw::formats
