// Value: what a template expression evaluates to, with Python's types and their rules.
//
// A Value is 16 bytes and trivially copyable; what it points to lives in the rendering's Heap (heap.h), in the parsed
// template, or in the JSON document being rendered. Lists and dicts never change once made (the sandbox refuses the
// methods that would change them); namespaces, loops, cyclers, joiners and iterators do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "src/text/template/heap.h"

namespace jackdaw::text::jinja {

class Render;

enum class Kind : std::uint8_t {
  missing,    // Not a value: a variable that was never set, an argument that was not given.
  undefined,  // jinja2.Undefined: empty and false, but refuses most operations with a message.
  none,
  boolean,
  integer,
  real,
  big_integer,  // An integer of the JSON input beyond 64 bits: its digits, printed as they came.
  string,
  list,
  tuple,
  dict,
  view,  // dict.keys(), .values(), .items()
  range,
  iterator,  // A generator: what map(), select() and the like give; can be gone through once.
  function,  // A global function.
  method,    // A method bound to its value.
  macro,
  name_space,
  loop,
  cycler,
  joiner,
};

struct Value;

struct StringObject {
  const char* data = nullptr;
  std::size_t size = 0;
  mutable std::int64_t length = -1;  // code points; -1: not counted yet (never so in a parsed template)
};
struct ListObject {  // of lists and tuples
  Value* items = nullptr;
  std::size_t size = 0;
  bool group = false;  // groupby's (grouper, list) with names
};
struct UndefinedObject;
struct DictObject;
struct ViewObject;
struct RangeObject {
  std::int64_t start, stop, step;
  std::size_t size;
};
class Iterator;
struct MethodObject;
struct MacroObject;
struct NamespaceObject;
struct LoopObject;
struct CyclerObject;
struct JoinerObject;
enum class Function : std::uint8_t;

struct Value {
  Kind kind = Kind::missing;
  bool markup = false;  // strings: jinja2's Markup, which escapes what is added to it
  union {
    bool boolean;
    std::int64_t integer = 0;
    double real;
    const StringObject* string;
    const ListObject* list;
    const UndefinedObject* undefined;
    const DictObject* dict;
    const ViewObject* view;
    const RangeObject* range;
    Iterator* iterator;
    Function function;
    const MethodObject* method;
    const MacroObject* macro;
    NamespaceObject* name_space;
    LoopObject* loop;
    CyclerObject* cycler;
    JoinerObject* joiner;
  };

  static Value none() { return of(Kind::none); }
  static Value of(bool value) {
    Value v = of(Kind::boolean);
    v.boolean = value;
    return v;
  }
  static Value of(std::int64_t value) {
    Value v = of(Kind::integer);
    v.integer = value;
    return v;
  }
  static Value of(double value) {
    Value v = of(Kind::real);
    v.real = value;
    return v;
  }
  static Value of(const StringObject* value, bool is_markup = false) {
    Value v = of(Kind::string);
    v.string = value;
    v.markup = is_markup;
    return v;
  }
  static Value of_list(const ListObject* value) {
    Value v = of(Kind::list);
    v.list = value;
    return v;
  }
  static Value of_tuple(const ListObject* value) {
    Value v = of(Kind::tuple);
    v.list = value;
    return v;
  }
  static Value of(const DictObject* value) {
    Value v = of(Kind::dict);
    v.dict = value;
    return v;
  }
  static Value of(const UndefinedObject* value) {
    Value v = of(Kind::undefined);
    v.undefined = value;
    return v;
  }
  static Value of(Iterator* value) {
    Value v = of(Kind::iterator);
    v.iterator = value;
    return v;
  }
  static Value of(Function value) {
    Value v = of(Kind::function);
    v.function = value;
    return v;
  }
  static Value of(Kind kind) {
    Value v;
    v.kind = kind;
    return v;
  }

  bool is(Kind k) const { return kind == k; }
  bool is_missing() const { return kind == Kind::missing; }
  bool is_undefined() const { return kind == Kind::undefined; }
  bool is_none() const { return kind == Kind::none; }
  bool is_string() const { return kind == Kind::string; }
  // bool is an int in Python.
  bool is_integral() const { return kind == Kind::integer || kind == Kind::boolean; }
  bool is_number() const { return is_integral() || kind == Kind::real; }
  std::int64_t as_integer() const { return kind == Kind::boolean ? std::int64_t{boolean} : integer; }
  double as_real() const { return kind == Kind::real ? real : static_cast<double>(as_integer()); }
  std::string_view text() const { return {string->data, string->size}; }      // strings and big integers
  std::span<const Value> items() const { return {list->items, list->size}; }  // lists and tuples
};
static_assert(sizeof(Value) == 16);

// An undefined value remembers what was looked for, so that the refusal can say it.
struct UndefinedObject {
  std::string_view name;
  std::string_view hint;  // the whole message, if there is one
  Value element;          // `name` when it is no string
  Value object;           // what was looked into; missing for plain variables
};

struct DictEntry {
  Value key;
  Value value;
};
struct DictObject {
  DictEntry* entries = nullptr;
  std::size_t size = 0;
  std::uint32_t* index = nullptr;  // open addressing over `entries`, 0 = empty, else position + 1; null when small
  std::size_t index_mask = 0;
};
enum class ViewKind : std::uint8_t { keys, values, items };
struct ViewObject {
  const DictObject* dict;
  ViewKind kind;
};

// One pass over the items of something. Lives in the Heap: never destroyed, so members must be trivial.
class Iterator {
 public:
  virtual bool next(Render& render, Value& out) = 0;
  const char* type_name = "generator";

 protected:
  ~Iterator() = default;
};

struct Activation;
struct MacroInfo;
struct Statement;
struct MethodInfo;

struct MethodObject {
  Value self;
  const MethodInfo* info;
};
struct MacroObject {
  const MacroInfo* info;
  Activation* closure;
};
struct NamespaceObject {
  DictObject* attributes;
  std::size_t capacity;
};
struct LoopObject {
  Value iterable;
  Iterator* items;
  Value after, current, before;  // missing: not known yet
  Value last_changed;
  std::int64_t index0 = -1;
  std::int64_t length = -1;
  std::int64_t depth0 = 0;
  const Statement* recursion = nullptr;  // the for statement, if it is recursive
  Activation* closure = nullptr;
  bool exhausted = false;
};
struct CyclerObject {
  std::span<const Value> items;
  std::size_t position = 0;
};
struct JoinerObject {
  Value separator;
  bool used = false;
};

struct Keyword {
  std::string_view name;
  Value value;
};
// The arguments of one call.
struct Arguments {
  std::span<const Value> positional;
  std::span<const Keyword> named;
};

// Python's name of the type: "int", "str", "NoneType".
std::string_view type_name(Value value);

}  // namespace jackdaw::text::jinja
