// Gives every variable its place, following jinja2's rules to the letter (its idtracking and compiler).
//
// jinja2 compiles a template to Python functions: the template itself, and one more for each macro, call block and
// recursive loop. Within a function, every block with a scope (for, with, set block, filter block) has its own names:
// a name that is set in a scope is its own there, beginning with the outer value; a name that is only read is the
// outer one, or the context's. So what a scope starts with is known before anything runs, as a list of loads.
#include <map>
#include <set>

#include "src/text/template/ast.h"
#include "src/text/template/heap.h"
#include "src/text/template/library.h"

namespace jackdaw::text::jinja {
namespace {

struct Place {
  std::uint32_t function = 0;  // how many functions deep
  std::uint32_t slot = 0;
};

struct Symbols;
struct Load {
  enum class Kind { parameter, context, outer, nothing } kind;
  const Symbols* owner = nullptr;  // of outer
  Place outer;
};

struct Symbols {
  Symbols* parent = nullptr;
  FunctionInfo* function = nullptr;
  std::uint32_t function_depth = 0;
  std::shared_ptr<std::map<std::string, std::uint32_t>> slots;  // shared with the copies made for branches
  std::map<std::string, Place> refs;
  std::map<std::string, Load> loads;
  std::set<std::string> stores;
  std::size_t* work = nullptr;  // names copied so far, in the whole template

  const Symbols* find_owner(const std::string& name) const {
    for (const Symbols* s = this; s != nullptr; s = s->parent)
      if (s->refs.contains(name)) return s;
    return nullptr;
  }
  void define(const std::string& name, Load load) {
    auto [at, added] = slots->try_emplace(name, function->slots);
    if (added) ++function->slots;
    refs[name] = {function_depth, at->second};
    loads[name] = load;
  }
  Load inherited(const std::string& name, Load::Kind otherwise) const {
    const Symbols* owner = parent == nullptr ? nullptr : parent->find_owner(name);
    if (owner == nullptr) return {otherwise, nullptr, {}};
    return {Load::Kind::outer, owner, owner->refs.at(name)};
  }
  void store(const std::string& name) {
    stores.insert(name);
    if (!refs.contains(name)) define(name, inherited(name, Load::Kind::nothing));
  }
  void load(const std::string& name) {
    if (find_owner(name) == nullptr) define(name, {Load::Kind::context, nullptr, {}});
  }
  void declare(const std::string& name) {
    stores.insert(name);
    define(name, {Load::Kind::parameter, nullptr, {}});
  }
  // After the branches of an if: what any of them set may still be the outer value.
  void join(const std::vector<Symbols>& branches) {
    std::set<std::string> set_there;
    for (const Symbols& branch : branches) set_there.insert(branch.stores.begin(), branch.stores.end());
    for (const std::string& name : stores) set_there.erase(name);
    for (const Symbols& branch : branches) {
      for (const auto& [name, place] : branch.refs) refs[name] = place;
      for (const auto& [name, load] : branch.loads) loads[name] = load;
      stores.insert(branch.stores.begin(), branch.stores.end());
    }
    for (const std::string& name : set_there) loads[name] = inherited(name, Load::Kind::context);
  }
};

// Collects the names a scope reads and sets, without entering the scopes inside it.
class Collector {
 public:
  explicit Collector(Symbols& symbols) : symbols_(&symbols) {}

  void statements(const std::vector<Statement*>& body) {
    for (const Statement* s : body) statement(*s);
  }

  void expression(const Expr* e, bool as_parameter = false) {
    if (e == nullptr) return;
    if (e->kind == ExprKind::name) return name(*e, as_parameter);
    if (e->kind == ExprKind::namespace_ref) return symbols_->load(e->text);
    for (const Expr* item : e->items) expression(item, as_parameter);
    for (const NamedArgument& argument : e->named) expression(argument.value);
    expression(e->star_args);
    expression(e->star_kwargs);
  }

 private:
  void name(const Expr& e, bool as_parameter) {
    if (as_parameter || e.use == NameUse::param)
      symbols_->declare(e.text);
    else if (e.use == NameUse::store)
      symbols_->store(e.text);
    else
      symbols_->load(e.text);
  }

  void statement(const Statement& s) {
    switch (s.kind) {
      case StatementKind::output:
        for (const Expr* e : s.exprs) expression(e);
        return;
      case StatementKind::assign:
        expression(s.value);
        expression(s.target);
        return;
      case StatementKind::set_block:
        expression(s.target);
        return;
      case StatementKind::if_block:
        if_block(s);
        return;
      case StatementKind::macro:
        symbols_->store(s.target->text);
        return;
      case StatementKind::for_loop:
      case StatementKind::call_block:
      case StatementKind::filter_block:
        expression(s.value);
        return;
      case StatementKind::with_block:
        for (std::size_t i = 1; i < s.exprs.size(); i += 2) expression(s.exprs[i]);
        return;
      default:
        return;
    }
  }

  template <typename Visit>
  Symbols apart(const Symbols& original, Visit visit) {
    constexpr std::size_t work_max = 2'000'000;
    if ((*original.work += original.refs.size() + original.stores.size()) > work_max)
      fail_limit("the template has too many variables in too many branches");
    Symbols copy = original;
    Symbols* saved = symbols_;
    symbols_ = &copy;
    visit();
    symbols_ = saved;
    return copy;
  }

  void if_block(const Statement& s) {
    expression(s.branches[0].test);
    Symbols* original = symbols_;
    std::vector<Symbols> branches;
    branches.push_back(apart(*original, [&] { statements(s.branches[0].body); }));
    branches.push_back(apart(*original, [&] {
      for (std::size_t i = 1; i < s.branches.size(); ++i)
        if (s.branches[i].test != nullptr) elif (s.branches[i]);
    }));
    branches.push_back(apart(*original, [&] {
      if (s.branches.back().test == nullptr) statements(s.branches.back().body);
    }));
    original->join(branches);
  }

  void elif (const Branch& branch) {
    expression(branch.test);
    Symbols* original = symbols_;
    std::vector<Symbols> branches;
    branches.push_back(apart(*original, [&] { statements(branch.body); }));
    original->join(branches);
  }

  Symbols* symbols_;
};

// Which of a few special names does a body read before it sets them itself?
class Undeclared {
 public:
  explicit Undeclared(std::set<std::string> names) : names_(std::move(names)) {}

  void statements(const std::vector<Statement*>& body) {
    for (const Statement* s : body) statement(*s);
  }
  bool found(const std::string& name) const { return found_.contains(name); }

 private:
  void expression(const Expr* e) {
    if (e == nullptr) return;
    if (e->kind == ExprKind::name) {
      if (e->use == NameUse::load && names_.contains(e->text))
        found_.insert(e->text);
      else
        names_.erase(e->text);
      return;
    }
    for (const Expr* item : e->items) expression(item);
    for (const NamedArgument& argument : e->named) expression(argument.value);
    expression(e->star_args);
    expression(e->star_kwargs);
  }
  void macro(const MacroInfo& m) {
    for (const std::string& parameter : m.parameters) names_.erase(parameter);
    for (const Expr* e : m.defaults) expression(e);
    statements(m.body);
  }
  void statement(const Statement& s) {
    expression(s.target);
    expression(s.value);
    expression(s.test);
    for (std::size_t i = 0; i < s.exprs.size(); ++i) expression(s.exprs[i]);
    for (const Branch& branch : s.branches) {
      expression(branch.test);
      statements(branch.body);
    }
    if (s.macro != nullptr) macro(*s.macro);
    statements(s.body);
    statements(s.otherwise);
  }

  std::set<std::string> names_;
  std::set<std::string> found_;
};

class Resolver {
 public:
  explicit Resolver(Program& program) : program_(program) {}

  void run() {
    Symbols root;
    root.function = &program_.function;
    root.work = &work_;
    root.slots = std::make_shared<std::map<std::string, std::uint32_t>>();
    Collector(root).statements(program_.body);
    program_.loads = loads_of(root);
    statements(program_.body, root, {});
  }

 private:
  // Around a statement: is a loop there to break out of, is an unknown filter excused until it is reached?
  struct Around {
    bool in_loop = false;
    bool soft = false;
    bool below_for = false;
  };

  static Symbols inner(Symbols& outer) {
    Symbols s;
    s.parent = &outer;
    s.function = outer.function;
    s.function_depth = outer.function_depth;
    s.work = outer.work;
    s.slots = std::make_shared<std::map<std::string, std::uint32_t>>();
    return s;
  }
  static Symbols inner_function(Symbols& outer, FunctionInfo& function) {
    Symbols s = inner(outer);
    s.function = &function;
    ++s.function_depth;
    return s;
  }

  VariableRef external(const std::string& name) {
    const auto [at, added] = externals_.try_emplace(name, static_cast<std::uint32_t>(externals_.size()));
    if (added) program_.externals.push_back(name);
    return {VariableRef::Place::external, 0, at->second};
  }
  // What is only ever read from the context needs no slot.
  VariableRef ref_to(const std::string& name, const Symbols* owner, std::uint32_t from_depth) {
    if (owner == nullptr) return external(name);
    const Load& load = owner->loads.at(name);
    if (load.kind == Load::Kind::context && !owner->stores.contains(name)) return external(name);
    const Place& place = owner->refs.at(name);
    return {VariableRef::Place::slot, static_cast<std::uint16_t>(from_depth - place.function), place.slot};
  }

  SlotLoads loads_of(const Symbols& s) {
    SlotLoads out;
    for (const auto& [name, load] : s.loads) {
      const std::uint32_t slot = s.refs.at(name).slot;
      switch (load.kind) {
        case Load::Kind::parameter:
          break;
        case Load::Kind::nothing:
          out.push_back({SlotLoad::Kind::clear, slot, {}});
          break;
        case Load::Kind::context:
          if (s.stores.contains(name)) out.push_back({SlotLoad::Kind::copy, slot, external(name)});
          break;
        case Load::Kind::outer:
          out.push_back({SlotLoad::Kind::copy, slot, ref_to(name, load.owner, s.function_depth)});
          break;
      }
    }
    return out;
  }

  void expression(Expr* e, Symbols& s, const Around& around) {
    if (e == nullptr) return;
    switch (e->kind) {
      case ExprKind::name:
        if (e->use == NameUse::store && around.below_for && e->text == "loop")
          throw Failure{Code::invalid_argument, "can't assign to special loop variable in a for loop", e->position};
        [[fallthrough]];
      case ExprKind::namespace_ref:
        e->ref = ref_to(e->text, s.find_owner(e->text), s.function_depth);
        return;
      case ExprKind::filter:
        e->filter = find_filter(e->text);
        if (e->filter == nullptr && !around.soft)
          throw Failure{Code::invalid_argument, fmt::format("no filter named '{}'", e->text), e->position};
        break;
      case ExprKind::test:
        e->test = find_test(e->text);
        if (e->test == nullptr && !around.soft)
          throw Failure{Code::invalid_argument, fmt::format("no test named '{}'", e->text), e->position};
        break;
      default:
        break;
    }
    Around inside = around;
    inside.soft = around.soft || e->kind == ExprKind::conditional;
    for (Expr* item : e->items) expression(item, s, inside);
    for (NamedArgument& argument : e->named) expression(const_cast<Expr*>(argument.value), s, inside);
    expression(e->star_args, s, inside);
    expression(e->star_kwargs, s, inside);
  }

  void statements(const std::vector<Statement*>& body, Symbols& s, const Around& around) {
    for (Statement* statement_node : body) statement(*statement_node, s, around);
  }

  void statement(Statement& st, Symbols& s, const Around& around) {
    switch (st.kind) {
      case StatementKind::text:
        return;
      case StatementKind::output:
        for (Expr* e : st.exprs) expression(e, s, around);
        return;
      case StatementKind::assign:
        expression(st.target, s, around);
        expression(st.value, s, around);
        return;
      case StatementKind::set_block:
        return set_block(st, s, around);
      case StatementKind::if_block:
        return if_block(st, s, around);
      case StatementKind::for_loop:
        return for_loop(st, s, around);
      case StatementKind::macro:
        macro(*st.macro, s, around);
        expression(st.target, s, {around.in_loop, around.soft, false});
        return;
      case StatementKind::call_block:
        macro(*st.macro, s, around);
        expression(st.value, s, around);
        return;
      case StatementKind::generation:
        return macro(*st.macro, s, around);
      case StatementKind::filter_block:
        return filter_block(st, s, around);
      case StatementKind::with_block:
        return with_block(st, s, around);
      case StatementKind::scope: {
        Symbols scope = inner(s);
        Collector(scope).statements(st.body);
        st.loads = loads_of(scope);
        return statements(st.body, scope, {around.in_loop, false, around.below_for});
      }
      case StatementKind::break_loop:
      case StatementKind::continue_loop:
        if (around.in_loop) return;
        throw Failure{
            Code::invalid_argument,
            st.kind == StatementKind::break_loop ? "{% break %} outside of a loop" : "{% continue %} outside of a loop",
            st.position};
    }
  }

  void if_block(Statement& st, Symbols& s, Around around) {
    around.soft = true;
    for (Branch& branch : st.branches) {
      expression(branch.test, s, around);
      statements(branch.body, s, around);
    }
  }

  void set_block(Statement& st, Symbols& s, Around around) {
    Symbols scope = inner(s);
    Collector collector(scope);
    collector.statements(st.body);
    collector.expression(st.value);
    st.loads = loads_of(scope);
    expression(st.target, s, around);
    around.soft = false;
    expression(st.value, scope, around);
    statements(st.body, scope, around);
  }

  void filter_block(Statement& st, Symbols& s, Around around) {
    around.soft = false;
    Symbols scope = inner(s);
    Collector collector(scope);
    collector.statements(st.body);
    collector.expression(st.value);
    st.loads = loads_of(scope);
    expression(st.value, scope, around);
    statements(st.body, scope, around);
  }

  void with_block(Statement& st, Symbols& s, Around around) {
    Symbols scope = inner(s);
    Collector collector(scope);
    for (std::size_t i = 0; i < st.exprs.size(); i += 2) collector.expression(st.exprs[i]);
    collector.statements(st.body);
    st.loads = loads_of(scope);
    for (std::size_t i = 0; i < st.exprs.size(); i += 2) {
      expression(st.exprs[i], scope, around);
      expression(st.exprs[i + 1], s, around);
    }
    around.soft = false;
    statements(st.body, scope, around);
  }

  void for_loop(Statement& st, Symbols& s, const Around& around) {
    const auto scope_of_part = [&] { return st.recursive ? inner_function(s, st.function) : inner(s); };
    Undeclared undeclared({"loop"});
    undeclared.statements(st.body);
    st.uses_loop = st.recursive || undeclared.found("loop");

    Symbols body = scope_of_part();
    if (st.uses_loop) body.declare("loop");
    Collector body_collector(body);
    body_collector.expression(st.target, true);
    body_collector.statements(st.body);
    st.loads = loads_of(body);
    if (st.uses_loop) st.loop_slot = body.refs.at("loop").slot;

    const Around inside{true, false, true};
    expression(st.target, body, inside);
    if (st.test != nullptr) {
      Symbols test = scope_of_part();
      Collector test_collector(test);
      test_collector.expression(st.test_target, true);
      test_collector.expression(st.test);
      st.test_loads = loads_of(test);
      expression(st.test_target, test, inside);
      expression(st.test, test, inside);
    }
    expression(st.value, s, {around.in_loop, around.soft, around.below_for});
    statements(st.body, body, inside);
    if (!st.otherwise.empty()) {
      Symbols otherwise = scope_of_part();
      Collector(otherwise).statements(st.otherwise);
      st.otherwise_loads = loads_of(otherwise);
      statements(st.otherwise, otherwise, {around.in_loop && !st.recursive, false, true});
    }
  }

  void macro(MacroInfo& m, Symbols& s, const Around& around) {
    Symbols scope = inner_function(s, m.function);
    Collector collector(scope);
    for (const std::string& parameter : m.parameters) scope.declare(parameter);
    for (const Expr* e : m.defaults) collector.expression(e);
    collector.statements(m.body);
    Undeclared undeclared({"caller", "kwargs", "varargs"});
    undeclared.statements(m.body);
    special_parameters(m, scope, undeclared);
    for (const std::string& parameter : m.parameters) m.parameter_slots.push_back(scope.refs.at(parameter).slot);
    m.loads = loads_of(scope);
    const Around inside{false, false, around.below_for};
    for (Expr* e : m.defaults) expression(e, scope, inside);
    statements(m.body, scope, inside);
  }

  static void special_parameters(MacroInfo& m, Symbols& scope, const Undeclared& undeclared) {
    const auto declared = [&](std::string_view name) {
      for (std::size_t i = 0; i < m.parameters.size(); ++i)
        if (m.parameters[i] == name) return static_cast<int>(i);
      return -1;
    };
    const auto declare = [&](const std::string& name) {
      scope.declare(name);
      return scope.refs.at(name).slot;
    };
    const int caller = declared("caller");
    m.explicit_caller = caller >= 0;
    if (undeclared.found("caller")) {
      m.takes_caller = true;
      if (caller < 0)
        m.caller_slot = declare("caller");
      else if (static_cast<std::size_t>(caller) + m.defaults.size() < m.parameters.size())
        throw Failure{
            Code::invalid_argument,
            "when defining macros or call blocks the special \"caller\" argument must be omitted or be given a default",
            Failure::nowhere};
    }
    if (undeclared.found("kwargs") && declared("kwargs") < 0) {
      m.takes_kwargs = true;
      m.kwargs_slot = declare("kwargs");
    }
    if (undeclared.found("varargs") && declared("varargs") < 0) {
      m.takes_varargs = true;
      m.varargs_slot = declare("varargs");
    }
  }

  Program& program_;
  std::map<std::string, std::uint32_t> externals_;
  std::size_t work_ = 0;
};

}  // namespace

void resolve(Program& program) {
  Resolver(program).run();
}

bool mentions(const Program& program, std::string_view name) {
  for (const auto& e : program.exprs) {
    const bool reads = e->kind == ExprKind::name && e->use == NameUse::load;
    if ((reads || e->kind == ExprKind::namespace_ref) && e->text == name) return true;
  }
  return false;
}

}  // namespace jackdaw::text::jinja
