// Statements and variables; expressions are in expressions.cpp, macros in macro.cpp.
#include "src/text/template/evaluator.h"

#include <algorithm>

#include "src/text/template/library.h"
#include "src/text/template/loop.h"

namespace jackdaw::text::jinja {

namespace {

// How deep evaluation may go: every nested node and call takes a little of the machine's stack.
constexpr std::uint32_t evaluation_depth_max = 1200;

}  // namespace

// The items of a loop that pass its `if`, tested when they are asked for, as jinja2's generator does.
class LoopTest final : public Iterator {
 public:
  LoopTest(Evaluator& evaluator, const Statement& statement, Iterator* items, Activation* where)
      : evaluator_(evaluator), statement_(statement), items_(items), where_(where) {}

  bool next(Render&, Value& out) override {
    Activation* const saved = std::exchange(evaluator_.here_, where_);
    const bool found = search(out);
    evaluator_.here_ = saved;  // After a throw nothing runs any more.
    return found;
  }

 private:
  bool search(Value& out) {
    if (!entered_) evaluator_.load(statement_.test_loads);
    entered_ = true;
    while (items_->next(evaluator_, out)) {
      evaluator_.step();
      if (statement_.test_target->kind == ExprKind::tuple) out = evaluator_.tuple(evaluator_.collect(out));
      evaluator_.assign(*statement_.test_target, out);
      if (evaluator_.truth(evaluator_.evaluate(*statement_.test))) return true;
    }
    return false;
  }

  Evaluator& evaluator_;
  const Statement& statement_;
  Iterator* items_;
  Activation* where_;
  bool entered_ = false;
};

std::string Evaluator::run(Value context) {
  externals_.resize(program_.externals.size());
  for (std::size_t i = 0; i < externals_.size(); ++i) {
    const std::string& name = program_.externals[i];
    if (const Value* given = find(*context.dict, name))
      externals_[i] = *given;
    else if (const auto function = find_function(name))
      externals_[i] = Value::of(*function);
  }
  std::string out;
  out_ = &out;
  here_ = activate(program_.function, nullptr);
  load(program_.loads);
  execute(program_.body);
  return out;
}

Activation* Evaluator::activate(const FunctionInfo& function, Activation* parent) {
  auto* activation = heap().make<Activation>();
  activation->parent = parent;
  activation->slots = heap().array<Value>(function.slots);
  std::fill_n(activation->slots, function.slots, Value{});
  return activation;
}

Value& Evaluator::slot(const VariableRef& ref) {
  Activation* at = here_;
  for (std::uint16_t hops = ref.hops; hops > 0; --hops) at = at->parent;
  return at->slots[ref.index];
}

Value Evaluator::read(const VariableRef& ref) {
  return ref.place == VariableRef::Place::external ? externals_[ref.index] : slot(ref);
}

void Evaluator::load(const SlotLoads& loads) {
  for (const SlotLoad& l : loads) here_->slots[l.slot] = l.kind == SlotLoad::Kind::clear ? Value{} : read(l.from);
}

void Evaluator::assign(const Expr& target, Value value) {
  switch (target.kind) {
    case ExprKind::name:
      slot(target.ref) = value;
      return;
    case ExprKind::tuple:
      unpack(target, value);
      return;
    default:
      break;
  }
  position_ = target.position;
  const Value object = read(target.ref);
  if (!object.is(Kind::name_space)) fail("cannot assign attribute on non-namespace object");
  set_namespace_attribute(*this, *object.name_space, target.attribute, value);
}

void Evaluator::unpack(const Expr& target, Value value) {
  position_ = target.position;
  Iterator* items = iterate(value);
  std::vector<Value> values;
  Value item;
  while (values.size() <= target.items.size() && items->next(*this, item)) values.push_back(item);
  if (values.size() > target.items.size()) fail("too many values to unpack (expected {})", target.items.size());
  if (values.size() < target.items.size())
    fail("not enough values to unpack (expected {}, got {})", target.items.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) assign(*target.items[i], values[i]);
}

void Evaluator::print(std::string_view text) {
  if (out_->size() + text.size() > limits().output_bytes_max)
    fail_limit("the template renders more than {} bytes", limits().output_bytes_max);
  if (capturing_) heap().charge(text.size());
  out_->append(text);
}

template <typename Body>
Value Evaluator::capture(Body body) {
  std::string text;
  std::string* const saved_out = std::exchange(out_, &text);
  const bool saved_capturing = std::exchange(capturing_, true);
  body();
  out_ = saved_out;
  capturing_ = saved_capturing;
  return string(text);
}

Evaluator::Flow Evaluator::execute(const std::vector<Statement*>& body) {
  for (const Statement* statement : body) {
    const Flow flow = execute(*statement);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Evaluator::Flow Evaluator::execute(const Statement& s) {
  step();
  switch (s.kind) {
    case StatementKind::text:
      print(s.text);
      return Flow::normal;
    case StatementKind::output:
      for (const Expr* e : s.exprs) output(*e);
      return Flow::normal;
    case StatementKind::assign:
      assign(*s.target, evaluate(*s.value));
      return Flow::normal;
    case StatementKind::break_loop:
      return Flow::stop;
    case StatementKind::continue_loop:
      return Flow::skip;
    default:
      break;
  }
  DepthGuard guard(depth_, evaluation_depth_max, "the template's blocks and calls are");
  switch (s.kind) {
    case StatementKind::set_block:
      return set_block(s);
    case StatementKind::if_block:
      return if_block(s);
    case StatementKind::for_loop: {
      const Value iterable = evaluate(*s.value);
      position_ = s.position;
      if (!s.recursive) return for_loop(s, iterable, 0);
      print(str(capture([&] {
        Activation* const saved = here_;
        here_ = activate(s.function, saved);
        for_loop(s, iterable, 0);
        here_ = saved;
      })));
      return Flow::normal;
    }
    case StatementKind::macro:
      define_macro(s);
      return Flow::normal;
    case StatementKind::call_block:
      call_block(s);
      return Flow::normal;
    case StatementKind::filter_block:
      return filter_block(s);
    case StatementKind::with_block:
      return with_block(s);
    case StatementKind::generation:
      generation(s);
      return Flow::normal;
    case StatementKind::scope:
      load(s.loads);
      return execute(s.body);
    default:
      return Flow::normal;
  }
}

void Evaluator::output(const Expr& e) {
  const Value value = evaluate(e);
  if (value.is_string()) return print(value.text());
  position_ = e.position;
  std::string text;
  append_str(text, value);
  print(text);
}

Evaluator::Flow Evaluator::if_block(const Statement& s) {
  for (const Branch& branch : s.branches)
    if (branch.test == nullptr || truth(evaluate(*branch.test))) return execute(branch.body);
  return Flow::normal;
}

Evaluator::Flow Evaluator::for_loop(const Statement& s, Value iterable, std::int64_t depth0) {
  LoopObject* loop = nullptr;
  Iterator* items = iterate(iterable);
  if (s.test != nullptr) {
    items = heap().make<LoopTest>(*this, s, items, here_);
    iterable = Value{};  // How many pass is not known.
  }
  if (s.uses_loop) {
    loop = heap().make<LoopObject>();
    loop->iterable = iterable;
    loop->items = items;
    loop->depth0 = depth0;
    if (s.recursive) {
      loop->recursion = &s;
      loop->closure = here_->parent;
    }
  }
  bool any = false;
  const Flow flow = rounds(s, loop, items, any);
  if (flow != Flow::normal || any || s.otherwise.empty()) return flow;
  load(s.otherwise_loads);
  return execute(s.otherwise);
}

// A round that ended with {% break %} or {% continue %} does not count for the else branch: jinja2 notes a round only
// at its end.
Evaluator::Flow Evaluator::rounds(const Statement& s, LoopObject* loop, Iterator* items, bool& any) {
  Value item;
  while (loop != nullptr ? advance(*this, *loop, item) : items->next(*this, item)) {
    step();
    assign(*s.target, item);
    if (loop != nullptr) {
      Value& variable = here_->slots[s.loop_slot];
      variable = Value::of(Kind::loop);
      variable.loop = loop;
    }
    load(s.loads);
    const Flow flow = execute(s.body);
    if (flow == Flow::stop) break;
    if (flow == Flow::normal) any = true;
  }
  return Flow::normal;
}

Value Evaluator::render_loop(LoopObject& loop, Value iterable) {
  if (loop.recursion == nullptr) fail("the loop must have the 'recursive' marker to be called recursively");
  DepthGuard guard(calls_, limits().depth_max, "recursive loops are");
  DepthGuard stack_guard(depth_, evaluation_depth_max, "the template's blocks and calls are");
  return capture([&] {
    Activation* const saved = here_;
    here_ = activate(loop.recursion->function, loop.closure);
    for_loop(*loop.recursion, iterable, loop.depth0 + 1);
    here_ = saved;
  });
}

Evaluator::Flow Evaluator::set_block(const Statement& s) {
  Flow flow = Flow::normal;
  load(s.loads);
  Value text = capture([&] { flow = execute(s.body); });
  if (flow != Flow::normal) return flow;
  if (s.value != nullptr) {
    const Value* const saved = std::exchange(block_input_, &text);
    const Value filtered = evaluate(*s.value);
    block_input_ = saved;
    text = filtered;
  }
  assign(*s.target, text);
  return Flow::normal;
}

Evaluator::Flow Evaluator::filter_block(const Statement& s) {
  Flow flow = Flow::normal;
  load(s.loads);
  const Value text = capture([&] { flow = execute(s.body); });
  if (flow != Flow::normal) return flow;
  const Value* const saved = std::exchange(block_input_, &text);
  print_block(evaluate(*s.value), s.position);
  block_input_ = saved;
  return Flow::normal;
}

// jinja2 takes what these blocks give as it is, and can print only text.
void Evaluator::print_block(Value value, std::uint32_t position) {
  position_ = position;
  if (!value.is_string()) fail("a filter or call block must give a string, not '{}'", type_name(value));
  print(value.text());
}

Evaluator::Flow Evaluator::with_block(const Statement& s) {
  load(s.loads);
  for (std::size_t i = 0; i < s.exprs.size(); i += 2) assign(*s.exprs[i], evaluate(*s.exprs[i + 1]));
  return execute(s.body);
}

void Evaluator::define_macro(const Statement& s) {
  Value value = Value::of(Kind::macro);
  value.macro = heap().make<MacroObject>(s.macro.get(), here_);
  assign(*s.target, value);
}

void Evaluator::call_block(const Statement& s) {
  const MacroObject* caller = heap().make<MacroObject>(s.macro.get(), here_);
  print_block(call_expr(*s.value, caller), s.position);
}

void Evaluator::generation(const Statement& s) {
  const MacroObject body{s.macro.get(), here_};
  print(str(call_macro(body, {})));
}

}  // namespace jackdaw::text::jinja
