#include "src/api/oip/numpy.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "jackdaw/base/bytes.h"
#include "src/api/oip/json_fault.h"

namespace jackdaw::api::oip {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;

Error ragged(const std::vector<std::int64_t>& shape, std::size_t dimensions) {
  const std::vector<std::int64_t> known(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(dimensions));
  return make_error(Code::invalid_argument,
                    "setting an array element with a sequence. The requested array has an inhomogeneous shape after {} "
                    "dimensions. The detected shape was {} + inhomogeneous part.",
                    dimensions, shape_text(known, true));
}

// The shape by the first element at each level.
std::vector<std::int64_t> leading_shape(array value) {
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(value.size())};
  array level = value;
  while (level.size() > 0 && shape.size() < static_cast<std::size_t>(json_depth_max)) {
    array inner;
    if (level.at(0).get(inner) != simdjson::SUCCESS) break;
    // dom::array::size() saturates at 2^24-1; count what may be longer.
    shape.push_back(static_cast<std::int64_t>(inner.size()));
    level = inner;
  }
  return shape;
}

// Visits the leaves in order and holds every level against `shape`. `leaf` returns false to stop with its own error.
template <typename Leaf>
Result<void> visit_leaves(array value, std::vector<std::int64_t>& shape, std::size_t level, Leaf&& leaf) {
  std::int64_t count = 0;
  const bool innermost = level + 1 == shape.size();
  for (const element child : value) {
    ++count;
    const bool is_array = child.type() == element_type::ARRAY;
    if (is_array == innermost) return ragged(shape, level + 1);
    if (innermost) {
      JACKDAW_TRY(leaf(child));
    } else {
      array inner;
      if (child.get(inner) != simdjson::SUCCESS) return ragged(shape, level + 1);
      JACKDAW_TRY(visit_leaves(inner, shape, level + 1, leaf));
    }
  }
  constexpr std::int64_t saturated = 0xffffff;
  if (shape[level] == saturated && count > saturated && level == 0) shape[level] = count;
  if (count != shape[level]) return ragged(shape, level);
  return {};
}

template <typename T>
void append_value(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(T));
  std::memcpy(out.data() + at, &value, sizeof(T));
}

const char* python_type(element value) {
  switch (value.type()) {
    case element_type::OBJECT:
      return "dict";
    case element_type::NULL_VALUE:
      return "NoneType";
    case element_type::STRING:
      return "str";
    default:
      return "object";
  }
}

// A refusal does not repeat a megabyte of text. Cuts only where a UTF-8 character begins.
std::string shortened(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  if (text.size() <= shown_max) return std::string(text);
  std::size_t end = shown_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

// What a declared floating-point dtype takes.
Result<double> as_double(element value) {
  switch (value.type()) {
    case element_type::DOUBLE:
      return value.get_double().value_unsafe();
    case element_type::INT64:
      return static_cast<double>(value.get_int64().value_unsafe());
    case element_type::UINT64:
      return static_cast<double>(value.get_uint64().value_unsafe());
    case element_type::BOOL:
      return value.get_bool().value_unsafe() ? 1.0 : 0.0;
    case element_type::NULL_VALUE:
      return std::numeric_limits<double>::quiet_NaN();
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      if (const auto number = python_float(text)) return *number;
      return make_error(Code::invalid_argument, "could not convert string to float: '{}'", shortened(text));
    }
    default:
      return make_error(Code::invalid_argument, "float() argument must be a string or a real number, not '{}'",
                        python_type(value));
  }
}

Error out_of_bounds(std::string_view number, DType dtype) {
  std::string name(oip_name(dtype));
  for (char& c : name) c = static_cast<char>(c | 0x20);
  return make_error(Code::invalid_argument, "Python integer {} out of bounds for {}", number, name);
}

template <typename T>
Result<T> as_integer(element value, DType dtype) {
  using Limits = std::numeric_limits<T>;
  switch (value.type()) {
    case element_type::INT64: {
      const std::int64_t v = value.get_int64().value_unsafe();
      if (!std::in_range<T>(v)) return out_of_bounds(std::to_string(v), dtype);
      return static_cast<T>(v);
    }
    case element_type::UINT64: {
      const std::uint64_t v = value.get_uint64().value_unsafe();
      if (!std::in_range<T>(v)) return out_of_bounds(std::to_string(v), dtype);
      return static_cast<T>(v);
    }
    case element_type::DOUBLE: {
      const double v = std::trunc(value.get_double().value_unsafe());
      // The upper limit as double may round up to one past it.
      const double above = std::ldexp(1.0, Limits::digits);
      if (!(v >= static_cast<double>(Limits::min()) && v < above)) return out_of_bounds(python_repr(v), dtype);
      return static_cast<T>(v);
    }
    case element_type::BOOL:
      return static_cast<T>(value.get_bool().value_unsafe() ? 1 : 0);
    case element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      T parsed{};
      const auto end = std::from_chars(text.data(), text.data() + text.size(), parsed);
      if (end.ec == std::errc() && end.ptr == text.data() + text.size()) return parsed;
      return make_error(Code::invalid_argument, "invalid literal for int() with base 10: '{}'", shortened(text));
    }
    default:
      return make_error(Code::invalid_argument,
                        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                        python_type(value));
  }
}

bool truth(element value) {
  switch (value.type()) {
    case element_type::BOOL:
      return value.get_bool().value_unsafe();
    case element_type::INT64:
      return value.get_int64().value_unsafe() != 0;
    case element_type::UINT64:
      return value.get_uint64().value_unsafe() != 0;
    case element_type::DOUBLE:
      return value.get_double().value_unsafe() != 0.0;
    case element_type::STRING:
      return value.get_string_length().value_unsafe() != 0;
    default:
      return false;
  }
}

std::string as_text(element value) {
  switch (value.type()) {
    case element_type::STRING:
      return std::string(value.get_string().value_unsafe());
    case element_type::INT64:
      return std::to_string(value.get_int64().value_unsafe());
    case element_type::UINT64:
      return std::to_string(value.get_uint64().value_unsafe());
    case element_type::DOUBLE:
      return python_repr(value.get_double().value_unsafe());
    case element_type::BOOL:
      return value.get_bool().value_unsafe() ? "True" : "False";
    default:
      return "None";
  }
}

Result<void> append_text(engine::Tensor& out, element value) {
  if (value.type() == element_type::OBJECT) {
    return make_error(Code::invalid_argument, "an element of a BYTES input must be a string, not an object");
  }
  if (value.is_null()) {
    out.missing.resize(out.strings.size(), 0);
    out.missing.push_back(1);
    out.strings.emplace_back();
    return {};
  }
  if (!out.missing.empty()) out.missing.push_back(0);
  out.strings.push_back(as_text(value));
  return {};
}

// IEEE half, rounded to nearest even straight from double, as numpy's float16 does.
std::uint16_t half_from(double value) {
  const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return 0x7e00;
  if (value == 0.0) return static_cast<std::uint16_t>(sign);
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520.0) return static_cast<std::uint16_t>(sign | 0x7c00);
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // A normal half has 11 significant bits; below 2^-14 the step stays 2^-24. The leading one of a normal number's
  // units adds one to the exponent field, so the field counts from step -24 upwards.
  const int step = std::max(exponent - 11, -24);
  const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, -step)));
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(step + 24) * 1024 + units));
}

template <typename T>
Result<void> append_integer(engine::Tensor& out, element value) {
  JACKDAW_ASSIGN(const T number, as_integer<T>(value, out.dtype));
  append_value(out.data, number);
  return {};
}

Result<void> append_element(engine::Tensor& out, element value) {
  switch (out.dtype) {
    case DType::boolean:
      append_value<std::uint8_t>(out.data, truth(value) ? 1 : 0);
      return {};
    case DType::uint8:
      return append_integer<std::uint8_t>(out, value);
    case DType::uint16:
      return append_integer<std::uint16_t>(out, value);
    case DType::uint32:
      return append_integer<std::uint32_t>(out, value);
    case DType::uint64:
      return append_integer<std::uint64_t>(out, value);
    case DType::int8:
      return append_integer<std::int8_t>(out, value);
    case DType::int16:
      return append_integer<std::int16_t>(out, value);
    case DType::int32:
      return append_integer<std::int32_t>(out, value);
    case DType::int64:
      return append_integer<std::int64_t>(out, value);
    case DType::fp32: {
      JACKDAW_ASSIGN(const double number, as_double(value));
      append_value(out.data, static_cast<float>(number));
      return {};
    }
    case DType::fp64: {
      JACKDAW_ASSIGN(const double number, as_double(value));
      append_value(out.data, number);
      return {};
    }
    case DType::fp16: {
      JACKDAW_ASSIGN(const double number, as_double(value));
      append_value(out.data, half_from(number));
      return {};
    }
    case DType::bytes:
      return append_text(out, value);
    case DType::bf16:
      break;
  }
  return make_error(Code::invalid_argument, "{} data cannot be sent as JSON; use the binary tensor extension",
                    oip_name(out.dtype));
}

// The type np.array gives to a mixture of leaves.
struct LeafKinds {
  bool text = false, real = false, null = false, integer = false, big = false, negative = false, boolean = false;

  Result<void> add(element value) {
    switch (value.type()) {
      case element_type::STRING:
        text = true;
        break;
      case element_type::DOUBLE:
        real = true;
        break;
      case element_type::NULL_VALUE:
        null = true;
        break;
      case element_type::UINT64:
        big = true;
        break;
      case element_type::INT64:
        integer = true;
        negative |= value.get_int64().value_unsafe() < 0;
        break;
      case element_type::BOOL:
        boolean = true;
        break;
      default:
        return make_error(Code::invalid_argument, "an instance holds an object where a number or a text is expected");
    }
    return {};
  }

  DType dtype() const {
    if (text) return DType::bytes;
    if (real || null || (big && negative)) return DType::fp64;
    if (big) return DType::uint64;
    if (integer) return DType::int64;
    return boolean ? DType::boolean : DType::fp64;  // np.array([]) is float64
  }
};

}  // namespace

std::optional<double> python_float(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('+') || text.empty()) return std::nullopt;
  double value = 0.0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ptr != text.data() + text.size() || text.find('(') != std::string_view::npos) return std::nullopt;
  if (end.ec == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  return end.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::string python_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const double magnitude = std::fabs(value);
  const bool plain = value == 0.0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& shape, bool spaces) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) out += spaces ? ", " : ",";
    out += std::to_string(shape[i]);
  }
  if (shape.size() == 1) out += ',';
  return out + ")";
}

Result<std::vector<std::int64_t>> reshaped(std::size_t count, const std::vector<std::int64_t>& shape) {
  const auto refuse = [&] {
    return make_error(Code::invalid_argument, "cannot reshape array of size {} into shape {}", count,
                      shape_text(shape, false));
  };
  std::vector<std::int64_t> out = shape;
  std::int64_t known = 1;
  std::int64_t* free_dimension = nullptr;
  for (std::int64_t& dimension : out) {
    if (dimension < 0) {
      if (free_dimension != nullptr)
        return make_error(Code::invalid_argument, "can only specify one unknown dimension");
      free_dimension = &dimension;
    } else if (!checked_mul(known, dimension, known)) {
      return refuse();
    }
  }
  const auto total = static_cast<std::int64_t>(count);
  if (free_dimension != nullptr) {
    if (known == 0 || total % known != 0) return refuse();
    *free_dimension = total / known;
  } else if (known != total) {
    return refuse();
  }
  return out;
}

Result<engine::Tensor> array_of(array value) {
  engine::Tensor out;
  out.shape = leading_shape(value);
  LeafKinds kinds;
  JACKDAW_TRY(visit_leaves(value, out.shape, 0, [&](element leaf) { return kinds.add(leaf); }));
  out.dtype = kinds.dtype();
  std::int64_t count = 0;
  if (element_count(out.shape, count)) out.data.reserve(static_cast<std::size_t>(count) * element_size(out.dtype));
  JACKDAW_TRY(visit_leaves(value, out.shape, 0, [&](element leaf) { return append_element(out, leaf); }));
  return out;
}

Result<engine::Tensor> array_of(array value, DType dtype, const std::vector<std::int64_t>& shape) {
  engine::Tensor out;
  out.dtype = dtype;
  std::vector<std::int64_t> nested = leading_shape(value);
  std::int64_t count = 0;
  // Reserve by what is there, never by what is claimed.
  if (element_count(nested, count)) {
    out.data.reserve(static_cast<std::size_t>(std::min<std::int64_t>(count, 1 << 20)) * element_size(dtype));
  }
  JACKDAW_TRY(visit_leaves(value, nested, 0, [&](element leaf) { return append_element(out, leaf); }));
  JACKDAW_ASSIGN(out.shape, reshaped(out.element_count(), shape));
  return out;
}

}  // namespace jackdaw::api::oip
