#include "src/text/template/operators.h"

#include <cmath>
#include <limits>

namespace jackdaw::text::jinja {
namespace {

const char* symbol_of(Arithmetic op) {
  switch (op) {
    case Arithmetic::add:
      return "+";
    case Arithmetic::subtract:
      return "-";
    case Arithmetic::multiply:
      return "*";
    case Arithmetic::divide:
      return "/";
    case Arithmetic::floor_divide:
      return "//";
    case Arithmetic::modulo:
      return "%";
    case Arithmetic::power:
      return "**";
  }
  return "?";
}

[[noreturn]] void fail_operands(Arithmetic op, Value a, Value b) {
  fail("unsupported operand types for {}: '{}' and '{}'", symbol_of(op), type_name(a), type_name(b));
}

// Python's integers have no end; ours are refused where they would leave 64 bits.
[[noreturn]] void fail_overflow() {
  fail("integers beyond 64 bits are not supported in templates");
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  if (b == 0) fail("integer division or modulo by zero");
  if (b == -1) {
    if (a == std::numeric_limits<std::int64_t>::min()) fail_overflow();
    return -a;
  }
  const std::int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

std::int64_t floor_remainder(std::int64_t a, std::int64_t b) {
  if (b == 0) fail("integer division or modulo by zero");
  if (b == -1) return 0;
  const std::int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

Value integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) fail("0.0 cannot be raised to a negative power");
    return Value::of(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_overflow();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) fail_overflow();
  }
  return Value::of(result);
}

Value integers(Arithmetic op, std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  bool overflow = false;
  switch (op) {
    case Arithmetic::add:
      overflow = __builtin_add_overflow(a, b, &out);
      break;
    case Arithmetic::subtract:
      overflow = __builtin_sub_overflow(a, b, &out);
      break;
    case Arithmetic::multiply:
      overflow = __builtin_mul_overflow(a, b, &out);
      break;
    case Arithmetic::divide:
      if (b == 0) fail("division by zero");
      return Value::of(static_cast<double>(static_cast<long double>(a) / static_cast<long double>(b)));
    case Arithmetic::floor_divide:
      return Value::of(floor_quotient(a, b));
    case Arithmetic::modulo:
      return Value::of(floor_remainder(a, b));
    case Arithmetic::power:
      return integer_power(a, b);
  }
  if (overflow) fail_overflow();
  return Value::of(out);
}

double real_remainder(double a, double b) {
  double r = std::fmod(a, b);
  if (r != 0 && (b < 0) != (r < 0)) r += b;
  return r == 0 ? std::copysign(0.0, b) : r;
}

double real_floor_quotient(double a, double b) {
  double r = std::fmod(a, b);
  double q = (a - r) / b;
  if (r != 0 && (b < 0) != (r < 0)) q -= 1;
  if (q == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(q);
  return q - floored > 0.5 ? floored + 1 : floored;
}

double real_power(double a, double b) {
  if (a == 0 && b < 0) fail("0.0 cannot be raised to a negative power");
  if (a < 0 && std::isfinite(a) && std::isfinite(b) && b != std::floor(b)) fail("complex numbers are not supported");
  const double out = std::pow(a, b);
  if (std::isinf(out) && std::isfinite(a) && std::isfinite(b)) fail("the result of ** is too large for a float");
  return out;
}

Value reals(Arithmetic op, double a, double b) {
  switch (op) {
    case Arithmetic::add:
      return Value::of(a + b);
    case Arithmetic::subtract:
      return Value::of(a - b);
    case Arithmetic::multiply:
      return Value::of(a * b);
    case Arithmetic::power:
      return Value::of(real_power(a, b));
    default:
      break;
  }
  if (b == 0) fail("float division by zero");
  if (op == Arithmetic::divide) return Value::of(a / b);
  if (op == Arithmetic::modulo) return Value::of(real_remainder(a, b));
  return Value::of(real_floor_quotient(a, b));
}

Value concatenate_text(Render& render, Value a, Value b) {
  if (a.markup != b.markup) {  // Markup escapes what joins it.
    const Value plain = a.markup ? b : a;
    const Value escaped = render.string(escape_html(plain.text()));
    Value out = a.markup ? concatenate_text(render, Value::of(a.string), escaped)
                         : concatenate_text(render, escaped, Value::of(b.string));
    out.markup = true;
    return out;
  }
  const std::size_t size = a.string->size + b.string->size;
  render.step_bytes(size);
  char* text = render.heap().array<char>(size);
  if (a.string->size > 0) std::memcpy(text, a.string->data, a.string->size);
  if (b.string->size > 0) std::memcpy(text + a.string->size, b.string->data, b.string->size);
  return render.view({text, size}, a.markup);
}

const ListObject* concatenate_items(Render& render, Value a, Value b) {
  const std::size_t size = a.list->size + b.list->size;
  render.step(size / 8);
  auto* out = render.heap().make<ListObject>();
  out->items = render.heap().array<Value>(size);
  out->size = size;
  std::copy(a.items().begin(), a.items().end(), out->items);
  std::copy(b.items().begin(), b.items().end(), out->items + a.list->size);
  return out;
}

std::size_t repeated_size(Render& render, std::size_t size, std::int64_t times) {
  if (times <= 0 || size == 0) return 0;
  const std::size_t most = render.limits().memory_bytes_max;
  if (static_cast<std::uint64_t>(times) > most / size)
    fail_limit("the template needs more than {} bytes of memory", most);
  return size * static_cast<std::size_t>(times);
}

Value repeat(Render& render, Value value, std::int64_t times) {
  if (value.is_string()) {
    const std::size_t size = repeated_size(render, value.string->size, times);
    render.step_bytes(size);
    char* text = render.heap().array<char>(size);
    for (std::size_t at = 0; at < size; at += value.string->size)
      std::memcpy(text + at, value.string->data, value.string->size);
    return render.view({text, size}, value.markup);
  }
  const std::size_t size = repeated_size(render, value.list->size, times);
  render.step(size / 8);
  auto* out = render.heap().make<ListObject>();
  out->items = render.heap().array<Value>(size);
  out->size = size;
  for (std::size_t at = 0; at < size; at += value.list->size)
    std::copy(value.items().begin(), value.items().end(), out->items + at);
  return value.is(Kind::list) ? Value::of_list(out) : Value::of_tuple(out);
}

bool is_repeatable(Value v) {
  return v.is_string() || v.is(Kind::list) || v.is(Kind::tuple);
}

}  // namespace

Value apply(Render& render, Arithmetic op, Value a, Value b) {
  if (a.is_integral() && b.is_integral()) return integers(op, a.as_integer(), b.as_integer());
  if (a.is_number() && b.is_number()) return reals(op, a.as_real(), b.as_real());
  if (op == Arithmetic::modulo && a.is_string()) return percent_format(render, a, b);
  if (a.is_undefined()) render.fail_undefined(a);
  if (b.is_undefined()) render.fail_undefined(b);
  if (op == Arithmetic::add) {
    if (a.is_string() && b.is_string()) return concatenate_text(render, a, b);
    if (a.is(Kind::list) && b.is(Kind::list)) return Value::of_list(concatenate_items(render, a, b));
    if (a.is(Kind::tuple) && b.is(Kind::tuple)) return Value::of_tuple(concatenate_items(render, a, b));
  }
  if (op == Arithmetic::multiply) {
    if (is_repeatable(a) && b.is_integral()) return repeat(render, a, b.as_integer());
    if (is_repeatable(b) && a.is_integral()) return repeat(render, b, a.as_integer());
  }
  fail_operands(op, a, b);
}

Value negate(Render& render, Value a) {
  if (a.is_undefined()) render.fail_undefined(a);
  if (a.is_integral()) {
    if (a.as_integer() == std::numeric_limits<std::int64_t>::min()) fail_overflow();
    return Value::of(-a.as_integer());
  }
  if (a.is(Kind::real)) return Value::of(-a.real);
  fail("bad operand type for unary -: '{}'", type_name(a));
}

Value plus(Render& render, Value a) {
  if (a.is_undefined()) render.fail_undefined(a);
  if (a.is_integral()) return Value::of(a.as_integer());
  if (a.is(Kind::real) || a.is(Kind::big_integer)) return a;
  fail("bad operand type for unary +: '{}'", type_name(a));
}

}  // namespace jackdaw::text::jinja
