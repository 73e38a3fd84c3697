// Evaluating expressions.
#include <algorithm>

#include "src/text/template/evaluator.h"
#include "src/text/template/library.h"

namespace jackdaw::text::jinja {

namespace {
constexpr std::uint32_t expression_depth_max = 1200;
}

Value Evaluator::evaluate(const Expr& e) {
  step();
  if (e.kind == ExprKind::constant) return e.constant;
  if (e.kind == ExprKind::name) return name(e);
  DepthGuard guard(depth_, expression_depth_max, "the template's expressions and calls are");
  return evaluate_node(e);
}

Value Evaluator::name(const Expr& e) {
  const Value value = read(e.ref);
  return value.is_missing() ? undefined_name(e.text) : value;
}

Value Evaluator::evaluate_node(const Expr& e) {
  switch (e.kind) {
    case ExprKind::list:
    case ExprKind::tuple:
      return sequence(e);
    case ExprKind::dict:
      return dict(e);
    case ExprKind::call:
      return call_expr(e, nullptr);
    case ExprKind::filter:
      return filter_expr(e, e.items[0] == nullptr ? *block_input_ : evaluate(*e.items[0]));
    case ExprKind::test:
      return test_expr(e);
    case ExprKind::attribute: {
      const Value object = evaluate(*e.items[0]);
      position_ = e.position;
      return get_attribute(object, e.text);
    }
    case ExprKind::item: {
      const Value object = evaluate(*e.items[0]);
      const Value key = evaluate(*e.items[1]);
      position_ = e.position;
      return get_item(object, key);
    }
    case ExprKind::slice:
      return slice_expr(e);
    case ExprKind::concat:
      return concat(e);
    case ExprKind::compare:
      return compare(e);
    case ExprKind::logical_and:
      return logical(e, true);
    case ExprKind::logical_or:
      return logical(e, false);
    case ExprKind::logical_not:
      return Value::of(!truth(evaluate(*e.items[0])));
    case ExprKind::negative: {
      const Value value = evaluate(*e.items[0]);
      position_ = e.position;
      return negate(*this, value);
    }
    case ExprKind::positive: {
      const Value value = evaluate(*e.items[0]);
      position_ = e.position;
      return plus(*this, value);
    }
    case ExprKind::arithmetic:
      return arithmetic(e);
    case ExprKind::conditional:
      return conditional(e);
    default:
      fail("an assignment target is no expression");
  }
}

Value Evaluator::sequence(const Expr& e) {
  auto* list = heap().make<ListObject>();
  list->items = heap().array<Value>(e.items.size());
  for (const Expr* item : e.items) list->items[list->size++] = evaluate(*item);
  return e.kind == ExprKind::list ? Value::of_list(list) : Value::of_tuple(list);
}

Value Evaluator::dict(const Expr& e) {
  DictObject* out = new_dict(e.items.size() / 2);
  for (std::size_t i = 0; i < e.items.size(); i += 2) {
    const Value key = evaluate(*e.items[i]);
    const Value value = evaluate(*e.items[i + 1]);
    position_ = e.position;
    put(*out, key, value);
  }
  return Value::of(static_cast<const DictObject*>(out));
}

Arguments Evaluator::arguments(const Expr& e, std::size_t skip, const MacroObject* caller) {
  const std::size_t count = e.items.size() - skip;
  if (e.star_args == nullptr && e.star_kwargs == nullptr && e.named.empty() && caller == nullptr) {
    Value* values = heap().array<Value>(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = evaluate(*e.items[skip + i]);
    return {{values, count}, {}};
  }
  std::vector<Value> positional;
  for (std::size_t i = 0; i < count; ++i) positional.push_back(evaluate(*e.items[skip + i]));
  std::vector<Keyword> named;
  for (const NamedArgument& argument : e.named) named.push_back({argument.name, evaluate(*argument.value)});
  if (caller != nullptr) {
    Value value = Value::of(Kind::macro);
    value.macro = caller;
    named.push_back({"caller", value});
  }
  add_star_args(e, positional);
  add_star_kwargs(e, named);
  Value* values = heap().array<Value>(positional.size());
  std::copy(positional.begin(), positional.end(), values);
  Keyword* keywords = heap().array<Keyword>(named.size());
  std::copy(named.begin(), named.end(), keywords);
  return {{values, positional.size()}, {keywords, named.size()}};
}

void Evaluator::add_star_args(const Expr& e, std::vector<Value>& positional) {
  if (e.star_args == nullptr) return;
  const Value value = evaluate(*e.star_args);
  position_ = e.position;
  for (const Value& item : collect(value)) positional.push_back(item);
}

void Evaluator::add_star_kwargs(const Expr& e, std::vector<Keyword>& named) {
  if (e.star_kwargs == nullptr) return;
  const Value value = evaluate(*e.star_kwargs);
  position_ = e.position;
  if (!value.is(Kind::dict)) fail("argument after ** must be a mapping, not {}", type_name(value));
  for (std::size_t i = 0; i < value.dict->size; ++i) {
    step();
    const DictEntry& entry = value.dict->entries[i];
    if (!entry.key.is_string()) fail("keywords must be strings");
    step(named.size() / 4);
    for (const Keyword& other : named)
      if (other.name == entry.key.text()) fail("got multiple values for keyword argument '{}'", other.name);
    named.push_back({entry.key.text(), entry.value});
  }
}

Value Evaluator::call_expr(const Expr& e, const MacroObject* caller) {
  const Value callee = evaluate(*e.items[0]);
  const Arguments args = arguments(e, 1, caller);
  position_ = e.position;
  return call(callee, args);
}

Value Evaluator::call(Value callee, const Arguments& args) {
  switch (callee.kind) {
    case Kind::function:
      return call_function(*this, callee.function, args);
    case Kind::method:
      return callee.method->info->apply(*this, callee.method->self, args);
    case Kind::macro:
      return call_macro(*callee.macro, args);
    case Kind::undefined:
      fail_undefined(callee);
    case Kind::joiner: {
      if (!args.positional.empty() || !args.named.empty()) fail("a joiner takes no arguments");
      return std::exchange(callee.joiner->used, true) ? callee.joiner->separator : view("");
    }
    case Kind::loop:
      if (args.positional.size() != 1 || !args.named.empty()) fail("loop() takes one argument");
      return render_loop(*callee.loop, args.positional[0]);
    default:
      fail("'{}' object is not callable", type_name(callee));
  }
}

Value Evaluator::filter_expr(const Expr& e, Value input) {
  if (e.filter == nullptr) {
    position_ = e.position;
    fail("no filter named '{}'", e.text);
  }
  const Arguments args = arguments(e, 1, nullptr);
  position_ = e.position;
  return e.filter->apply(*this, input, args);
}

Value Evaluator::test_expr(const Expr& e) {
  const Value input = evaluate(*e.items[0]);
  if (e.test == nullptr) {
    position_ = e.position;
    fail("no test named '{}'", e.text);
  }
  const Arguments args = arguments(e, 1, nullptr);
  position_ = e.position;
  return Value::of(e.test->apply(*this, input, args));
}

Value Evaluator::slice_expr(const Expr& e) {
  const Value object = evaluate(*e.items[0]);
  Value bounds[3];
  for (std::size_t i = 0; i < 3; ++i) bounds[i] = e.items[i + 1] == nullptr ? Value::none() : evaluate(*e.items[i + 1]);
  position_ = e.position;
  // jinja2 works out constants while parsing, where what cannot be sliced is undefined.
  const auto is_constant = [](const Expr* part) { return part == nullptr || part->kind == ExprKind::constant; };
  if (std::all_of(e.items.begin(), e.items.end(), is_constant) && !object.is_string())
    return undefined_hint("a constant that cannot be sliced");
  return slice(object, bounds[0], bounds[1], bounds[2]);
}

Value Evaluator::concat(const Expr& e) {
  std::string text;
  for (const Expr* item : e.items) {
    const Value value = evaluate(*item);
    position_ = e.position;
    if (value.is_string()) step_bytes(value.string->size);
    append_str(text, value);
  }
  return string(text);
}

Value Evaluator::compare(const Expr& e) {
  Value left = evaluate(*e.items[0]);
  for (std::size_t i = 0; i < e.ops.size(); ++i) {
    const Value right = evaluate(*e.items[i + 1]);
    position_ = e.position;
    if (!compare(static_cast<Comparison>(e.ops[i]), left, right)) return Value::of(false);
    left = right;
  }
  return Value::of(true);
}

bool Evaluator::compare(Comparison op, Value a, Value b) {
  switch (op) {
    case Comparison::equal:
      return equal(a, b);
    case Comparison::not_equal:
      return !equal(a, b);
    case Comparison::less:
      return less(a, b, "<");
    case Comparison::greater:
      return less(b, a, ">");
    case Comparison::less_equal:
      return less(a, b, "<=") || equal(a, b);
    case Comparison::greater_equal:
      return less(b, a, ">=") || equal(a, b);
    case Comparison::in:
      return contains(b, a);
    case Comparison::not_in:
      return !contains(b, a);
  }
  return false;
}

Value Evaluator::logical(const Expr& e, bool is_and) {
  Value value;
  for (const Expr* item : e.items) {
    value = evaluate(*item);
    if (truth(value) != is_and) return value;
  }
  return value;
}

Value Evaluator::arithmetic(const Expr& e) {
  Value left = evaluate(*e.items[0]);
  for (std::size_t i = 0; i < e.ops.size(); ++i) {
    const Value right = evaluate(*e.items[i + 1]);
    position_ = e.position;
    left = apply(*this, static_cast<Arithmetic>(e.ops[i]), left, right);
  }
  return left;
}

Value Evaluator::conditional(const Expr& e) {
  if (truth(evaluate(*e.items[1]))) return evaluate(*e.items[0]);
  if (e.items[2] != nullptr) return evaluate(*e.items[2]);
  return undefined_hint("the inline if-expression evaluated to false and no else section was defined.");
}

}  // namespace jackdaw::text::jinja
