// The built-in tests: what may follow `is`, and be named to select() and its kin.
#include <algorithm>

#include "src/text/template/arguments.h"
#include "src/text/template/library.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

template <bool (*fits)(Value)>
bool plain(Render&, Value value, const Arguments& arguments) {
  bind_nothing("this test", arguments);
  return fits(value);
}

bool is_defined(Value v) {
  return !v.is_undefined();
}
bool is_undefined(Value v) {
  return v.is_undefined();
}
bool is_none(Value v) {
  return v.is_none();
}
bool is_boolean(Value v) {
  return v.is(Kind::boolean);
}
bool is_true(Value v) {
  return v.is(Kind::boolean) && v.boolean;
}
bool is_false(Value v) {
  return v.is(Kind::boolean) && !v.boolean;
}
bool is_integer(Value v) {
  return v.is(Kind::integer) || v.is(Kind::big_integer);
}
bool is_float(Value v) {
  return v.is(Kind::real);
}
bool is_number(Value v) {
  return v.is_number() || v.is(Kind::big_integer);
}
bool is_string(Value v) {
  return v.is_string();
}
bool is_mapping(Value v) {
  return v.is(Kind::dict);
}
bool is_escaped(Value v) {
  return v.is_string() && v.markup;
}
bool is_sequence(Value v) {
  return v.is_string() || v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::dict) || v.is(Kind::range) ||
         v.is_undefined();
}
bool is_iterable(Value v) {
  return is_sequence(v) || v.is(Kind::view) || v.is(Kind::iterator) || v.is(Kind::loop);
}
bool is_callable(Value v) {
  return v.is(Kind::function) || v.is(Kind::method) || v.is(Kind::macro) || v.is(Kind::joiner) || v.is(Kind::loop) ||
         v.is_undefined();
}

Value other_of(const Arguments& arguments) {
  const auto [other] = bind("this test", arguments, {"other"}, 1);
  return other;
}

Value remainder(Render& render, Value value, Value divisor) {
  return apply(render, Arithmetic::modulo, value, divisor);
}
bool odd(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("odd", arguments);
  return render.equal(remainder(render, value, Value::of(std::int64_t{2})), Value::of(std::int64_t{1}));
}
bool even(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("even", arguments);
  return render.equal(remainder(render, value, Value::of(std::int64_t{2})), Value::of(std::int64_t{0}));
}
bool divisible_by(Render& render, Value value, const Arguments& arguments) {
  const auto [num] = bind("divisibleby", arguments, {"num"}, 1);
  return render.equal(remainder(render, value, num), Value::of(std::int64_t{0}));
}

bool equals(Render& render, Value value, const Arguments& arguments) {
  return render.equal(value, other_of(arguments));
}
bool differs(Render& render, Value value, const Arguments& arguments) {
  return !render.equal(value, other_of(arguments));
}
bool below(Render& render, Value value, const Arguments& arguments) {
  return render.less(value, other_of(arguments), "<");
}
bool above(Render& render, Value value, const Arguments& arguments) {
  return render.less(other_of(arguments), value, ">");
}
bool at_most(Render& render, Value value, const Arguments& arguments) {
  return render.less(value, other_of(arguments), "<=") || render.equal(value, other_of(arguments));
}
bool at_least(Render& render, Value value, const Arguments& arguments) {
  return render.less(other_of(arguments), value, ">=") || render.equal(value, other_of(arguments));
}
bool within(Render& render, Value value, const Arguments& arguments) {
  const auto [seq] = bind("in", arguments, {"seq"}, 1);
  return render.contains(seq, value);
}

// Numbers and texts are one object when they are equal, as Python's small ones are.
bool same_as(Render& render, Value value, const Arguments& arguments) {
  const Value other = other_of(arguments);
  if (value.kind != other.kind) return false;
  const bool scalar = value.is_string() || value.is_number() || value.is_none();
  return scalar ? render.equal(value, other) : value.integer == other.integer;
}

bool case_of(Render& render, Value value, const Arguments& arguments, bool upper) {
  bind_nothing("this test", arguments);
  const std::string_view text = render.str(value);
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (is_title(c) || (upper ? jinja::is_lower(c) : jinja::is_upper(c))) return false;
    any = any || (upper ? jinja::is_upper(c) : jinja::is_lower(c));
  }
  return any;
}
bool lower(Render& render, Value value, const Arguments& arguments) {
  return case_of(render, value, arguments, false);
}
bool upper(Render& render, Value value, const Arguments& arguments) {
  return case_of(render, value, arguments, true);
}

bool is_filter(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("filter", arguments);
  render.hash(value);
  return value.is_string() && find_filter(value.text()) != nullptr;
}
bool is_test(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("test", arguments);
  render.hash(value);
  return value.is_string() && find_test(value.text()) != nullptr;
}

constexpr TestInfo tests[] = {
    {"defined", plain<is_defined>},
    {"string", plain<is_string>},
    {"none", plain<is_none>},
    {"mapping", plain<is_mapping>},
    {"iterable", plain<is_iterable>},
    {"sequence", plain<is_sequence>},
    {"true", plain<is_true>},
    {"false", plain<is_false>},
    {"boolean", plain<is_boolean>},
    {"undefined", plain<is_undefined>},
    {"integer", plain<is_integer>},
    {"float", plain<is_float>},
    {"number", plain<is_number>},
    {"callable", plain<is_callable>},
    {"escaped", plain<is_escaped>},
    {"odd", odd},
    {"even", even},
    {"divisibleby", divisible_by},
    {"lower", lower},
    {"upper", upper},
    {"sameas", same_as},
    {"filter", is_filter},
    {"test", is_test},
    {"in", within},
    {"==", equals},
    {"eq", equals},
    {"equalto", equals},
    {"!=", differs},
    {"ne", differs},
    {">", above},
    {"gt", above},
    {"greaterthan", above},
    {">=", at_least},
    {"ge", at_least},
    {"<", below},
    {"lt", below},
    {"lessthan", below},
    {"<=", at_most},
    {"le", at_most},
};

}  // namespace

const TestInfo* find_test(std::string_view name) {
  const TestInfo* found =
      std::find_if(std::begin(tests), std::end(tests), [&](const TestInfo& test) { return test.name == name; });
  return found == std::end(tests) ? nullptr : found;
}

bool Render::test(std::string_view name, Value value, const Arguments& arguments) {
  const TestInfo* found = find_test(name);
  if (found == nullptr) fail("no test named '{}'", name);
  return found->apply(*this, value, arguments);
}

}  // namespace jackdaw::text::jinja
