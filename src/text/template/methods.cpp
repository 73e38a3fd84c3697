// The methods of Python's containers and numbers, and of jinja2's own objects.
#include <algorithm>
#include <cmath>

#include "src/text/template/arguments.h"
#include "src/text/template/library.h"

namespace jackdaw::text::jinja {

std::span<const MethodInfo> string_methods();

namespace {

Value refused(Render&, Value, const Arguments&) {
  fail("this method is not supported in templates");
}

// dict
Value dict_get(Render& render, Value self, const Arguments& arguments) {
  const auto [key, fallback] = bind("get", arguments, {"key", "default"}, 1, false);
  const Value* found = render.find(*self.dict, key);
  return found != nullptr ? *found : fallback.is_missing() ? Value::none() : fallback;
}
template <ViewKind kind>
Value dict_view(Render& render, Value self, const Arguments& arguments) {
  bind_nothing("this method", arguments);
  Value out = Value::of(Kind::view);
  out.view = render.heap().make<ViewObject>(self.dict, kind);
  return out;
}
Value dict_fromkeys(Render& render, Value, const Arguments& arguments) {
  const auto [keys, value] = bind("fromkeys", arguments, {"iterable", "value"}, 1, false);
  const std::span<const Value> items = render.collect(keys);
  DictObject* out = render.new_dict(items.size());
  for (const Value& key : items) render.put(*out, key, value.is_missing() ? Value::none() : value);
  return Value::of(static_cast<const DictObject*>(out));
}
Value copied(Render&, Value self, const Arguments& arguments) {
  bind_nothing("copy", arguments);
  return self;  // Nothing can change it.
}

constexpr MethodInfo dict_methods[] = {
    {"get", dict_get},
    {"items", dict_view<ViewKind::items>},
    {"keys", dict_view<ViewKind::keys>},
    {"values", dict_view<ViewKind::values>},
    {"copy", copied},
    {"fromkeys", dict_fromkeys},
    {"clear", refused, true},
    {"pop", refused, true},
    {"popitem", refused, true},
    {"setdefault", refused, true},
    {"update", refused, true},
};

// list, tuple and range
Value sequence_index(Render& render, Value self, const Arguments& arguments) {
  const auto [wanted, start, stop] = bind("index", arguments, {"value", "start", "stop"}, 1, false);
  const std::span<const Value> items = render.collect(self);
  const auto size = static_cast<std::int64_t>(items.size());
  const auto place = [&](Value v, std::int64_t fallback) {
    std::int64_t at = index_or(v, fallback, "a bound");
    if (at < 0) at = at < -size ? 0 : at + size;
    return std::min(at, size);
  };
  for (std::int64_t i = place(start, 0); i < place(stop, size); ++i) {
    render.step();
    if (render.equal(items[static_cast<std::size_t>(i)], wanted)) return Value::of(i);
  }
  fail("{} is not in {}", render.repr(wanted), type_name(self));
}
Value sequence_count(Render& render, Value self, const Arguments& arguments) {
  const auto [wanted] = bind("count", arguments, {"value"}, 1, false);
  std::int64_t count = 0;
  for (const Value& item : render.collect(self)) {
    render.step();
    if (render.equal(item, wanted)) ++count;
  }
  return Value::of(count);
}

constexpr MethodInfo list_methods[] = {
    {"index", sequence_index}, {"count", sequence_count},  {"copy", copied},          {"append", refused, true},
    {"clear", refused, true},  {"extend", refused, true},  {"insert", refused, true}, {"pop", refused, true},
    {"remove", refused, true}, {"reverse", refused, true}, {"sort", refused, true},
};
constexpr MethodInfo tuple_methods[] = {{"index", sequence_index}, {"count", sequence_count}};
constexpr MethodInfo view_methods[] = {{"isdisjoint", refused}, {"mapping", refused}};

// Numbers
Value int_bit_length(Render&, Value self, const Arguments& arguments) {
  bind_nothing("bit_length", arguments);
  const std::int64_t v = self.as_integer();
  const std::uint64_t magnitude = v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
  return Value::of(static_cast<std::int64_t>(magnitude == 0 ? 0 : 64 - __builtin_clzll(magnitude)));
}
Value conjugate(Render&, Value self, const Arguments& arguments) {
  bind_nothing("conjugate", arguments);
  return self.is_integral() ? Value::of(self.as_integer()) : self;
}
Value float_is_integer(Render&, Value self, const Arguments& arguments) {
  bind_nothing("is_integer", arguments);
  return Value::of(std::isfinite(self.real) && self.real == std::floor(self.real));
}

constexpr MethodInfo int_methods[] = {
    {"bit_length", int_bit_length}, {"conjugate", conjugate}, {"bit_count", refused},
    {"as_integer_ratio", refused},  {"to_bytes", refused},    {"from_bytes", refused},
};
constexpr MethodInfo float_methods[] = {
    {"is_integer", float_is_integer},
    {"conjugate", conjugate},
    {"as_integer_ratio", refused},
    {"hex", refused},
    {"fromhex", refused},
};

// jinja2's own
Value cycler_next(Render&, Value self, const Arguments& arguments) {
  bind_nothing("next", arguments);
  CyclerObject& cycler = *self.cycler;
  const Value out = cycler.items[cycler.position];
  cycler.position = (cycler.position + 1) % cycler.items.size();
  return out;
}
Value cycler_reset(Render&, Value self, const Arguments& arguments) {
  bind_nothing("reset", arguments);
  self.cycler->position = 0;
  return Value::none();
}
constexpr MethodInfo cycler_methods[] = {{"next", cycler_next}, {"reset", cycler_reset}};

Value loop_cycle(Render&, Value self, const Arguments& arguments) {
  if (!arguments.named.empty()) fail("cycle() takes no keyword arguments");
  if (arguments.positional.empty()) fail("no items for cycling given");
  return arguments.positional[static_cast<std::size_t>(self.loop->index0) % arguments.positional.size()];
}
Value loop_changed(Render& render, Value self, const Arguments& arguments) {
  if (!arguments.named.empty()) fail("changed() takes no keyword arguments");
  const Value now = render.tuple(arguments.positional);
  Value& last = self.loop->last_changed;
  if (!last.is_missing() && render.equal(last, now)) return Value::of(false);
  last = now;
  return Value::of(true);
}
constexpr MethodInfo loop_methods[] = {{"cycle", loop_cycle}, {"changed", loop_changed}};
constexpr MethodInfo dict_function_methods[] = {{"fromkeys", dict_fromkeys}};

std::span<const MethodInfo> methods_of(Value object) {
  switch (object.kind) {
    case Kind::dict:
      return dict_methods;
    case Kind::string:
      return string_methods();
    case Kind::list:
      return list_methods;
    case Kind::tuple:
    case Kind::range:
      return tuple_methods;
    case Kind::view:
      return view_methods;
    case Kind::boolean:
    case Kind::integer:
    case Kind::big_integer:
      return int_methods;
    case Kind::real:
      return float_methods;
    case Kind::cycler:
      return cycler_methods;
    case Kind::loop:
      return loop_methods;
    case Kind::function:
      if (object.function == Function::dict) return dict_function_methods;
      return {};
    default:
      return {};
  }
}

}  // namespace

const MethodInfo* find_method(Value object, std::string_view name) {
  for (const MethodInfo& method : methods_of(object))
    if (method.name == name) return &method;
  return nullptr;
}

}  // namespace jackdaw::text::jinja
