#include "src/text/template/value.h"

#include <algorithm>
#include <functional>

#include "src/text/template/render.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

std::string_view type_name(Value value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "NoneType";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
    case Kind::big_integer:
      return "int";
    case Kind::real:
      return "float";
    case Kind::string:
      return value.markup ? "Markup" : "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::view:
      return value.view->kind == ViewKind::keys     ? "dict_keys"
             : value.view->kind == ViewKind::values ? "dict_values"
                                                    : "dict_items";
    case Kind::range:
      return "range";
    case Kind::iterator:
      return value.iterator->type_name;
    case Kind::function:
      return "function";
    case Kind::method:
      return "method";
    case Kind::macro:
      return "Macro";
    case Kind::name_space:
      return "Namespace";
    case Kind::loop:
      return "LoopContext";
    case Kind::cycler:
      return "Cycler";
    case Kind::joiner:
      return "Joiner";
  }
  return "object";
}

std::int64_t string_length(Value string) {
  const StringObject& s = *string.string;
  if (s.length < 0) s.length = static_cast<std::int64_t>(count_code_points({s.data, s.size}));
  return s.length;
}

Value Render::view(std::string_view text) {
  return Value::of(heap_.make<StringObject>(text.data(), text.size(), std::int64_t{-1}));
}

const ListObject* Render::sequence(std::span<const Value> items) {
  auto* object = heap_.make<ListObject>();
  object->items = heap_.array<Value>(items.size());
  std::copy(items.begin(), items.end(), object->items);
  object->size = items.size();
  return object;
}

Value Render::undefined_name(std::string_view name) {
  auto* object = heap_.make<UndefinedObject>();
  object->name = name;
  return Value::of(static_cast<const UndefinedObject*>(object));
}

Value Render::undefined_hint(std::string_view hint, std::string_view name) {
  auto* object = heap_.make<UndefinedObject>();
  object->hint = hint;
  object->name = name;
  return Value::of(static_cast<const UndefinedObject*>(object));
}

Value Render::undefined_element(Value of, Value name) {
  auto* object = heap_.make<UndefinedObject>();
  if (name.is_string()) object->name = name.text();
  object->element = name;
  object->object = of;
  return Value::of(static_cast<const UndefinedObject*>(object));
}

void Render::fail_undefined(Value value) {
  const UndefinedObject& u = *value.undefined;
  if (!u.hint.empty()) fail("{}", u.hint);
  if (u.object.is_missing()) fail("'{}' is undefined", u.name);
  const std::string owner = u.object.is_none() ? "None" : fmt::format("{} object", type_name(u.object));
  if (!u.element.is_string()) fail("{} has no element {}", owner, repr(u.element));
  fail("'{}' has no attribute '{}'", owner, u.name);
}

Value Render::range(std::int64_t start, std::int64_t stop, std::int64_t step) {
  constexpr std::uint64_t items_max = 100'000;  // the sandbox's MAX_RANGE
  std::uint64_t size = 0;
  const auto distance = [](std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  };
  if (step > 0 && start < stop) size = (distance(start, stop) - 1) / static_cast<std::uint64_t>(step) + 1;
  if (step < 0 && start > stop) size = (distance(stop, start) - 1) / (0 - static_cast<std::uint64_t>(step)) + 1;
  if (size > items_max) fail("range too big: the sandbox blocks ranges larger than {} items", items_max);
  Value v = Value::of(Kind::range);
  v.range = heap_.make<RangeObject>(start, stop, step, static_cast<std::size_t>(size));
  return v;
}

namespace {
constexpr std::size_t indexed_from = 9;  // smaller dicts are searched in order

std::size_t index_size(std::size_t capacity) {
  std::size_t size = 16;
  while (size < capacity * 2) size *= 2;
  return size;
}
}  // namespace

DictObject* Render::new_dict(std::size_t capacity) {
  auto* dict = heap_.make<DictObject>();
  dict->entries = heap_.array<DictEntry>(capacity);
  if (capacity >= indexed_from) {
    const std::size_t size = index_size(capacity);
    dict->index = heap_.array<std::uint32_t>(size);
    std::fill_n(dict->index, size, 0U);
    dict->index_mask = size - 1;
  }
  return dict;
}

void Render::put(DictObject& dict, Value key, Value value) {
  if (const Value* found = find(dict, key)) {
    *const_cast<Value*>(found) = value;  // The entries are this builder's own.
    return;
  }
  dict.entries[dict.size] = {key, value};
  ++dict.size;
  if (dict.index == nullptr) return;
  std::size_t at = hash(key) & dict.index_mask;
  while (dict.index[at] != 0) {
    step();
    at = (at + 1) & dict.index_mask;
  }
  dict.index[at] = static_cast<std::uint32_t>(dict.size);
}

const Value* Render::find(const DictObject& dict, Value key) {
  const std::uint64_t code = hash(key);  // Also refuses keys that cannot be hashed.
  if (dict.index == nullptr) {
    for (std::size_t i = 0; i < dict.size; ++i)
      if (equal(dict.entries[i].key, key)) return &dict.entries[i].value;
    return nullptr;
  }
  for (std::size_t at = code & dict.index_mask; dict.index[at] != 0; at = (at + 1) & dict.index_mask) {
    step();
    const DictEntry& entry = dict.entries[dict.index[at] - 1];
    if (equal(entry.key, key)) return &entry.value;
  }
  return nullptr;
}

const Value* Render::find(const DictObject& dict, std::string_view key) {
  if (dict.index != nullptr) {
    const StringObject object{key.data(), key.size(), -1};
    return find(dict, Value::of(&object));
  }
  for (std::size_t i = 0; i < dict.size; ++i)
    if (dict.entries[i].key.is_string() && dict.entries[i].key.text() == key) return &dict.entries[i].value;
  return nullptr;
}

bool Render::truth(Value value) {
  switch (value.kind) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
      return value.boolean;
    case Kind::integer:
      return value.integer != 0;
    case Kind::real:
      return value.real != 0;
    default:
      return !has_length(value) || length(value) != 0;
  }
}

bool Render::has_length(Value value) const {
  switch (value.kind) {
    case Kind::undefined:
    case Kind::string:
    case Kind::list:
    case Kind::tuple:
    case Kind::dict:
    case Kind::view:
    case Kind::range:
    case Kind::loop:
      return true;
    default:
      return false;
  }
}

std::size_t Render::length(Value value) {
  switch (value.kind) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      if (value.string->length < 0) step_bytes(value.string->size);
      return static_cast<std::size_t>(string_length(value));
    case Kind::list:
    case Kind::tuple:
      return value.list->size;
    case Kind::dict:
      return value.dict->size;
    case Kind::view:
      return value.view->dict->size;
    case Kind::range:
      return value.range->size;
    case Kind::loop:
      return static_cast<std::size_t>(get_attribute(value, "length").as_integer());
    default:
      fail("object of type '{}' has no len()", type_name(value));
  }
}

namespace {

int compare_numbers(Value a, Value b, bool& ordered) {
  ordered = true;
  if (a.is_integral() && b.is_integral()) {
    const std::int64_t x = a.as_integer(), y = b.as_integer();
    return x < y ? -1 : x > y;
  }
  // x87's long double holds both int64 and double exactly.
  const auto wide = [](Value v) {
    return v.kind == Kind::real ? static_cast<long double>(v.real) : static_cast<long double>(v.as_integer());
  };
  const long double x = wide(a), y = wide(b);
  ordered = x == x && y == y;
  return x < y ? -1 : x > y;
}

bool same_object(Value a, Value b) {
  return a.kind == b.kind && a.integer == b.integer;
}

}  // namespace

bool Render::equal(Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    bool ordered = true;
    return compare_numbers(a, b, ordered) == 0 && ordered;
  }
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::string:
    case Kind::big_integer: {
      if (a.string->size != b.string->size) return false;
      if (a.string->size > 128) step_bytes(a.string->size);
      return a.text() == b.text();
    }
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::list:
    case Kind::tuple: {
      if (a.list->size != b.list->size) return false;
      DepthGuard guard(value_depth, value_depth_max, "a value is");
      for (std::size_t i = 0; i < a.list->size; ++i) {
        step();
        if (!same_object(a.list->items[i], b.list->items[i]) && !equal(a.list->items[i], b.list->items[i]))
          return false;
      }
      return true;
    }
    case Kind::dict: {
      if (a.dict->size != b.dict->size) return false;
      DepthGuard guard(value_depth, value_depth_max, "a value is");
      for (std::size_t i = 0; i < a.dict->size; ++i) {
        step();
        const Value* other = find(*b.dict, a.dict->entries[i].key);
        if (other == nullptr || !equal(a.dict->entries[i].value, *other)) return false;
      }
      return true;
    }
    case Kind::view: {
      if (a.view->dict == b.view->dict && a.view->kind == b.view->kind) return true;
      if (a.view->kind != b.view->kind || a.view->kind == ViewKind::values) return false;
      if (a.view->kind == ViewKind::items) return equal(Value::of(a.view->dict), Value::of(b.view->dict));
      if (a.view->dict->size != b.view->dict->size) return false;
      for (std::size_t i = 0; i < a.view->dict->size; ++i)
        if (find(*b.view->dict, a.view->dict->entries[i].key) == nullptr) return false;
      return true;
    }
    case Kind::range: {
      const RangeObject &x = *a.range, &y = *b.range;
      return x.size == y.size && (x.size == 0 || (x.start == y.start && (x.size == 1 || x.step == y.step)));
    }
    case Kind::function:
      return a.function == b.function;
    case Kind::method:
      return a.method->info == b.method->info && same_object(a.method->self, b.method->self);
    default:
      return same_object(a, b);
  }
}

bool Render::less(Value a, Value b, const char* symbol) {
  step();
  if (a.is_undefined()) fail_undefined(a);
  if (b.is_undefined()) fail_undefined(b);
  if (a.is_number() && b.is_number()) {
    bool ordered = true;
    return compare_numbers(a, b, ordered) < 0 && ordered;
  }
  if (a.is_string() && b.is_string()) {
    step_bytes(std::min(a.string->size, b.string->size));
    return a.text() < b.text();  // UTF-8 keeps the order of code points.
  }
  if (a.kind == b.kind && (a.is(Kind::list) || a.is(Kind::tuple))) {
    DepthGuard guard(value_depth, value_depth_max, "a value is");
    const std::size_t common = std::min(a.list->size, b.list->size);
    for (std::size_t i = 0; i < common; ++i) {
      step();
      if (!equal(a.list->items[i], b.list->items[i])) return less(a.list->items[i], b.list->items[i], symbol);
    }
    return a.list->size < b.list->size;
  }
  fail("'{}' not supported between instances of '{}' and '{}'", symbol, type_name(a), type_name(b));
}

std::uint64_t Render::hash(Value value) {
  step();  // Tuples may share their parts many times over.
  switch (value.kind) {
    case Kind::undefined:
      return 7;
    case Kind::none:
      return 11;
    case Kind::boolean:
    case Kind::integer:
      return static_cast<std::uint64_t>(value.as_integer()) * 0x9E3779B97F4A7C15ULL >> 7;
    case Kind::real: {
      const double d = value.real;
      if (d == static_cast<double>(static_cast<std::int64_t>(d >= -9.2e18 && d <= 9.2e18 ? d : 0)))
        return hash(Value::of(static_cast<std::int64_t>(d)));
      return std::hash<double>{}(d);
    }
    case Kind::string:
    case Kind::big_integer:
      if (value.string->size > 128) step_bytes(value.string->size);
      return std::hash<std::string_view>{}(value.text());
    case Kind::tuple: {
      DepthGuard guard(value_depth, value_depth_max, "a value is");
      std::uint64_t code = 3;
      for (const Value& item : value.items()) code = (code ^ hash(item)) * 0x100000001B3ULL + 1;
      return code;
    }
    case Kind::list:
    case Kind::dict:
    case Kind::view:
      fail("unhashable type: '{}'", type_name(value));
    default:
      return static_cast<std::uint64_t>(value.integer) * 0x9E3779B97F4A7C15ULL >> 7;
  }
}

bool Render::contains(Value container, Value item) {
  switch (container.kind) {
    case Kind::string:
      if (!item.is_string()) fail("'in <string>' requires string as left operand, not {}", type_name(item));
      step_bytes(container.string->size);
      return container.text().find(item.text()) != std::string_view::npos;
    case Kind::dict:
      return find(*container.dict, item) != nullptr;
    case Kind::view:
      if (container.view->kind == ViewKind::keys) return find(*container.view->dict, item) != nullptr;
      break;
    case Kind::range: {
      if (!item.is_number()) return false;
      if (item.kind == Kind::real && item.real != static_cast<double>(static_cast<std::int64_t>(
                                                      item.real >= -9e18 && item.real <= 9e18 ? item.real : 0.5)))
        return false;
      const RangeObject& r = *container.range;
      const std::int64_t x = item.kind == Kind::real ? static_cast<std::int64_t>(item.real) : item.as_integer();
      const std::int64_t low = std::min(r.start, r.stop), high = std::max(r.start, r.stop);
      if (r.size == 0 || x < low || x > high || x == r.stop) return false;
      const bool up = r.step > 0;  // Unsigned: the bounds may be farther apart than int64 can say.
      const auto from = static_cast<std::uint64_t>(up ? r.start : x), to = static_cast<std::uint64_t>(up ? x : r.start);
      const auto step_size = up ? static_cast<std::uint64_t>(r.step) : 0 - static_cast<std::uint64_t>(r.step);
      return (to - from) % step_size == 0;
    }
    default:
      break;
  }
  Iterator* items = iterate(container);
  Value candidate;
  while (items->next(*this, candidate)) {
    step();
    if (same_object(candidate, item) || equal(candidate, item)) return true;
  }
  return false;
}

}  // namespace jackdaw::text::jinja
