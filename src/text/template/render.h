// Render: one rendering of a template: its heap, its limits, and the making and reading of values under them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/text/chat_template.h"
#include "src/text/template/value.h"

namespace jackdaw::text::jinja {

// Keeps recursion over values and calls within bounds: one per level.
class DepthGuard {
 public:
  DepthGuard(std::uint32_t& depth, std::uint32_t depth_max, const char* what) : depth_(depth) {
    if (++depth_ > depth_max) {
      --depth_;
      fail_limit("{} nested deeper than {} levels", what, depth_max);
    }
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  std::uint32_t& depth_;
};

class Render {
 public:
  Render(const TemplateLimits& limits, std::int64_t now) : limits_(limits), now_(now), heap_(limits.memory_bytes_max) {}
  virtual ~Render() = default;
  Render(const Render&) = delete;
  Render& operator=(const Render&) = delete;

  Heap& heap() { return heap_; }
  const TemplateLimits& limits() const { return limits_; }
  std::int64_t now() const { return now_; }

  // Every evaluated node is a step, and so is every unit of work of a built-in.
  void step(std::uint64_t count = 1) {
    steps_ += count;
    if (steps_ > limits_.steps_max) fail_limit("the template takes more than {} steps", limits_.steps_max);
  }
  // Work over text: 128 bytes are worth one step.
  void step_bytes(std::size_t bytes) { step(bytes / 128 + 1); }

  // Values. string() copies, view() keeps pointing to text that must outlive the rendering.
  Value string(std::string_view text) { return view(heap_.copy(text)); }
  Value view(std::string_view text);
  Value view(std::string_view text, bool markup) {
    Value v = view(text);
    v.markup = markup;
    return v;
  }
  Value list(std::span<const Value> items) { return Value::of_list(sequence(items)); }
  Value tuple(std::span<const Value> items) { return Value::of_tuple(sequence(items)); }
  Value tuple(std::initializer_list<Value> items) { return tuple(std::span<const Value>(items.begin(), items.size())); }
  Value undefined_name(std::string_view name);
  Value undefined_hint(std::string_view hint, std::string_view name = {});
  Value undefined_element(Value object, Value name);
  Value range(std::int64_t start, std::int64_t stop, std::int64_t step);

  // Dicts. A builder's `capacity` is fixed when it is made; later keys replace earlier equal ones, in their place.
  DictObject* new_dict(std::size_t capacity);
  void put(DictObject& dict, Value key, Value value);
  const Value* find(const DictObject& dict, Value key);
  const Value* find(const DictObject& dict, std::string_view key);

  // Iteration as Python's iter(); what cannot be gone through is refused.
  Iterator* iterate(Value value);
  std::span<const Value> collect(Value value);  // list(value)
  std::span<const Value> collect_rest(Iterator& items);
  bool truth(Value value);          // bool(value)
  std::size_t length(Value value);  // len(value)
  bool has_length(Value value) const;
  std::string_view str(Value value);  // str(value), in the heap or shared with the value
  void append_str(std::string& out, Value value);
  void append_repr(std::string& out, Value value);
  std::string_view repr(Value value);

  bool equal(Value a, Value b);
  // a < b; `symbol` is the operator for the message.
  bool less(Value a, Value b, const char* symbol = "<");
  std::uint64_t hash(Value value);
  bool contains(Value container, Value item);

  // Attribute and item access under the sandbox's rules (attributes.cpp).
  Value get_attribute(Value object, std::string_view name);
  Value get_item(Value object, Value key);
  // "a.b.0" as filters take it for `attribute`.
  Value get_path(Value object, Value path, Value fallback = {});
  Value slice(Value object, Value start, Value stop, Value step);
  // What refuses an operation on an undefined value.
  [[noreturn]] void fail_undefined(Value value);

  // Calls (implemented by the evaluator).
  virtual Value call(Value callee, const Arguments& arguments) = 0;
  virtual Value render_loop(LoopObject& loop, Value iterable) = 0;
  Value filter(std::string_view name, Value value, const Arguments& arguments);
  bool test(std::string_view name, Value value, const Arguments& arguments);

  std::uint32_t value_depth = 0;  // of recursion over nested values

 private:
  const ListObject* sequence(std::span<const Value> items);

  TemplateLimits limits_;
  std::int64_t now_;
  std::uint64_t steps_ = 0;
  Heap heap_;
};

// How deep lists in lists may be before printing or comparing them is refused.
constexpr std::uint32_t value_depth_max = 400;

// String helpers that need the code point length.
std::int64_t string_length(Value string);

}  // namespace jackdaw::text::jinja
