// a.b, a['b'] and a[1:2] under the rules of jinja2's immutable sandbox.
#include <algorithm>

#include "src/text/template/arguments.h"
#include "src/text/template/ast.h"
#include "src/text/template/library.h"
#include "src/text/template/loop.h"
#include "src/text/template/render.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

// Python has these on every object; the sandbox keeps templates away from them.
bool is_internal(std::string_view name) {
  if (!name.starts_with("__") || !name.ends_with("__")) return false;
  constexpr std::string_view known[] = {"__class__",      "__delattr__",   "__dir__",          "__doc__",
                                        "__eq__",         "__format__",    "__ge__",           "__getattribute__",
                                        "__gt__",         "__hash__",      "__init__",         "__init_subclass__",
                                        "__le__",         "__lt__",        "__ne__",           "__new__",
                                        "__reduce__",     "__reduce_ex__", "__repr__",         "__setattr__",
                                        "__sizeof__",     "__str__",       "__subclasshook__", "__len__",
                                        "__getitem__",    "__contains__",  "__iter__",         "__add__",
                                        "__mul__",        "__setitem__",   "__delitem__",      "__class_getitem__",
                                        "__or__",         "__ior__",       "__reversed__",     "__iadd__",
                                        "__imul__",       "__mod__",       "__rmod__",         "__rmul__",
                                        "__getnewargs__", "__bool__",      "__call__",         "__dict__",
                                        "__module__"};
  return std::find(std::begin(known), std::end(known), name) != std::end(known);
}

Value unsafe(Render& render, Value object, std::string_view name) {
  return render.undefined_hint(
      render.heap().copy(fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, type_name(object))),
      name);
}

Value number_attribute(Value object, std::string_view name) {
  if (object.is_integral()) {
    if (name == "real" || name == "numerator") return Value::of(object.as_integer());
    if (name == "imag") return Value::of(std::int64_t{0});
    if (name == "denominator") return Value::of(std::int64_t{1});
  } else if (object.is(Kind::real)) {
    if (name == "real") return object;
    if (name == "imag") return Value::of(0.0);
  }
  return {};
}

Value macro_attribute(Render& render, Value object, std::string_view name) {
  const MacroInfo& info = *object.macro->info;
  if (name == "name") return info.anonymous ? Value::none() : render.view(info.name);
  if (name == "arguments") {
    std::vector<Value> names;
    for (const std::string& parameter : info.parameters) names.push_back(render.view(parameter));
    return render.tuple(names);
  }
  if (name == "caller") return Value::of(info.takes_caller);
  if (name == "catch_kwargs") return Value::of(info.takes_kwargs);
  if (name == "catch_varargs") return Value::of(info.takes_varargs);
  if (name == "explicit_caller") return Value::of(info.explicit_caller);
  return {};
}

Value plain_attribute(Render& render, Value object, std::string_view name) {
  switch (object.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
      return number_attribute(object, name);
    case Kind::tuple:
      if (object.list->group && name == "grouper") return object.list->items[0];
      if (object.list->group && name == "list") return object.list->items[1];
      return {};
    case Kind::range:
      if (name == "start") return Value::of(object.range->start);
      if (name == "stop") return Value::of(object.range->stop);
      if (name == "step") return Value::of(object.range->step);
      return {};
    case Kind::name_space: {
      const Value* found = render.find(*object.name_space->attributes, name);
      return found == nullptr ? Value{} : *found;
    }
    case Kind::loop:
      return loop_attribute(render, object, name);
    case Kind::macro:
      return macro_attribute(render, object, name);
    case Kind::cycler:
      if (name == "current") return object.cycler->items[object.cycler->position];
      if (name == "pos") return Value::of(static_cast<std::int64_t>(object.cycler->position));
      if (name == "items") return render.tuple(object.cycler->items);
      return {};
    case Kind::joiner:
      if (name == "sep") return object.joiner->separator;
      if (name == "used") return Value::of(object.joiner->used);
      return {};
    default:
      return {};
  }
}

// getattr(object, name); missing where Python would raise AttributeError.
Value python_attribute(Render& render, Value object, std::string_view name) {
  if (const Value plain = plain_attribute(render, object, name); !plain.is_missing()) return plain;
  if (const MethodInfo* method = find_method(object, name)) {
    if (method->changes_self) return unsafe(render, object, name);
    Value out = Value::of(Kind::method);
    out.method = render.heap().make<MethodObject>(object, method);
    return out;
  }
  if (is_internal(name)) return unsafe(render, object, name);
  return {};
}

bool normalize_index(Value key, std::size_t size, std::size_t& index) {
  std::int64_t at = key.as_integer();
  if (at < 0) at += static_cast<std::int64_t>(size);
  if (at < 0 || at >= static_cast<std::int64_t>(size)) return false;
  index = static_cast<std::size_t>(at);
  return true;
}

Value character(Render& render, Value string, std::size_t index) {
  const std::string_view text = string.text();
  if (string_length(string) == static_cast<std::int64_t>(text.size()))
    return render.view(text.substr(index, 1), string.markup);
  std::size_t at = 0;
  for (; index > 0; --index) next_code_point(text, at);
  const std::size_t start = at;
  next_code_point(text, at);
  render.step_bytes(at);
  return render.view(text.substr(start, at - start), string.markup);
}

// object[key]; missing where Python would raise TypeError or LookupError.
Value python_item(Render& render, Value object, Value key) {
  std::size_t index = 0;
  switch (object.kind) {
    case Kind::dict: {
      if (key.is(Kind::list) || key.is(Kind::dict) || key.is(Kind::view)) return {};
      const Value* found = render.find(*object.dict, key);
      return found == nullptr ? Value{} : *found;
    }
    case Kind::list:
    case Kind::tuple:
      if (key.is_integral() && normalize_index(key, object.list->size, index)) return object.list->items[index];
      return {};
    case Kind::string:
      if (key.is_integral() && normalize_index(key, render.length(object), index))
        return character(render, object, index);
      return {};
    case Kind::range:
      if (key.is_integral() && normalize_index(key, object.range->size, index))
        return Value::of(object.range->start + static_cast<std::int64_t>(index) * object.range->step);
      return {};
    default:
      return {};
  }
}

}  // namespace

Value Render::get_attribute(Value object, std::string_view name) {
  if (object.is_undefined()) fail_undefined(object);
  if (const Value found = python_attribute(*this, object, name); !found.is_missing()) return found;
  if (object.is(Kind::dict))
    if (const Value* found = find(*object.dict, name)) return *found;
  return undefined_element(object, view(name));
}

Value Render::get_item(Value object, Value key) {
  if (object.is_undefined()) fail_undefined(object);
  if (const Value found = python_item(*this, object, key); !found.is_missing()) return found;
  if (key.is_string())
    if (const Value found = python_attribute(*this, object, key.text()); !found.is_missing()) return found;
  return undefined_element(object, key);
}

Value Render::get_path(Value object, Value path, Value fallback) {
  const auto part_of = [&](Value key) {
    object = get_item(object, key);
    if (object.is_undefined() && !fallback.is_missing() && !fallback.is_none()) object = fallback;
  };
  if (path.is_none() || path.is_missing()) return object;
  if (!path.is_string()) {
    part_of(path);
    return object;
  }
  const std::string_view text = path.text();
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    const std::string_view part = text.substr(start, end - start);
    const bool is_number =
        !part.empty() && part.size() < 18 && part.find_first_not_of("0123456789") == std::string_view::npos;
    part_of(is_number ? Value::of(static_cast<std::int64_t>(std::stoll(std::string(part)))) : view(part));
    start = end + 1;
  }
  return object;
}

namespace {

struct Bounds {
  std::int64_t start, stop, step;
  std::size_t size;
};

// slice.indices() and how many items it takes.
Bounds bounds_of(std::int64_t length, Value start, Value stop, Value step) {
  Bounds b{};
  b.step = step.is_none() ? 1 : to_index(step, "a slice's step");
  if (b.step == 0) fail("slice step cannot be zero");
  b.step = std::max<std::int64_t>(b.step, -INT64_MAX);
  const bool back = b.step < 0;
  const std::int64_t low = back ? -1 : 0, high = back ? length - 1 : length;
  const auto place = [&](Value v, std::int64_t fallback) {
    if (v.is_none()) return fallback;
    std::int64_t at = to_index(v, "a slice's bound");
    if (at < 0) at = at < -length ? low : std::max(at + length, low);
    return std::min(at, high);
  };
  b.start = place(start, back ? high : low);
  b.stop = place(stop, back ? low : high);
  if (!back && b.start < b.stop) b.size = static_cast<std::size_t>((b.stop - b.start - 1) / b.step + 1);
  if (back && b.stop < b.start) b.size = static_cast<std::size_t>((b.start - b.stop - 1) / -b.step + 1);
  return b;
}

std::size_t byte_offset(std::string_view text, std::int64_t code_points) {
  std::size_t at = 0;
  while (code_points-- > 0 && at < text.size()) next_code_point(text, at);
  return at;
}

Value slice_string(Render& render, Value object, Bounds b) {
  const std::string_view text = object.text();
  render.step_bytes(text.size());
  if (b.size == 0) return render.view("", object.markup);
  const bool ascii = string_length(object) == static_cast<std::int64_t>(text.size());
  if (b.step == 1) {
    const std::size_t start = ascii ? static_cast<std::size_t>(b.start) : byte_offset(text, b.start);
    const std::size_t size = ascii ? b.size : byte_offset(text.substr(start), static_cast<std::int64_t>(b.size));
    return render.view(text.substr(start, size), object.markup);
  }
  std::vector<std::size_t> starts;  // of the code points
  for (std::size_t at = 0; at < text.size(); next_code_point(text, at)) starts.push_back(at);
  starts.push_back(text.size());
  std::string out;
  for (std::size_t i = 0; i < b.size; ++i) {
    const auto at = static_cast<std::size_t>(b.start + static_cast<std::int64_t>(i) * b.step);
    out += text.substr(starts[at], starts[at + 1] - starts[at]);
  }
  Value result = render.string(out);
  result.markup = object.markup;
  return result;
}

}  // namespace

Value Render::slice(Value object, Value start, Value stop, Value step_value) {
  switch (object.kind) {
    case Kind::undefined:
      fail_undefined(object);
    case Kind::string:
      return slice_string(*this, object, bounds_of(static_cast<std::int64_t>(length(object)), start, stop, step_value));
    case Kind::list:
    case Kind::tuple: {
      const Bounds b = bounds_of(static_cast<std::int64_t>(object.list->size), start, stop, step_value);
      step(b.size / 8);
      auto* out = heap_.make<ListObject>();
      out->items = heap_.array<Value>(b.size);
      out->size = b.size;
      for (std::size_t i = 0; i < b.size; ++i)
        out->items[i] = object.list->items[b.start + static_cast<std::int64_t>(i) * b.step];
      return object.is(Kind::list) ? Value::of_list(out) : Value::of_tuple(out);
    }
    case Kind::range: {
      const RangeObject& r = *object.range;
      const Bounds b = bounds_of(static_cast<std::int64_t>(r.size), start, stop, step_value);
      if (r.size == 0) return object;
      return range(r.start + b.start * r.step, r.start + b.stop * r.step, r.step * b.step);
    }
    default:
      fail("'{}' object is not subscriptable", type_name(object));
  }
}

}  // namespace jackdaw::text::jinja
