// The syntax tree of a template, with every variable resolved to a place (scope.cpp).
//
// Nodes are owned by the Program and never change after parsing, so renderings on any thread may share them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/text/template/operators.h"
#include "src/text/template/value.h"

namespace jackdaw::text::jinja {

struct FilterInfo;
struct TestInfo;

// Where a variable is: in the context handed to the rendering (by number of its name), or in a slot of the activation
// that is `hops` functions out.
struct VariableRef {
  enum class Place : std::uint8_t { unresolved, external, slot } place = Place::unresolved;
  std::uint16_t hops = 0;
  std::uint32_t index = 0;
};

enum class ExprKind : std::uint8_t {
  constant,
  name,           // text
  list,           // items
  tuple,          // items
  dict,           // items: key, value, key, value...
  call,           // items[0](items[1:], named, star_args, star_kwargs)
  filter,         // items[0] | text(items[1:], ...); items[0] null: the block's text
  test,           // items[0] is text(items[1:], ...)
  attribute,      // items[0].text
  item,           // items[0][items[1]]
  slice,          // items[0][items[1]:items[2]:items[3]], each bound may be null
  concat,         // items joined by ~
  compare,        // items[0] ops[0] items[1] ops[1] items[2]...
  logical_and,    // items
  logical_or,     // items
  logical_not,    // items[0]
  negative,       // items[0]
  positive,       // items[0]
  arithmetic,     // items[0] ops[0] items[1] ops[1] items[2]..., from the left
  conditional,    // items[0] if items[1] else items[2] (may be null)
  namespace_ref,  // text.attribute, as a target of set
};

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };

struct Expr;
struct NamedArgument {
  std::string name;
  const Expr* value;
};
enum class NameUse : std::uint8_t { load, store, param };

struct Expr {
  ExprKind kind{};
  NameUse use = NameUse::load;
  std::uint16_t depth = 1;
  std::uint32_t position = 0;
  std::string text;
  std::string attribute;  // of namespace_ref
  Value constant;
  StringObject string;  // what a string constant points to
  VariableRef ref;
  std::vector<Expr*> items;
  std::vector<std::uint8_t> ops;  // Arithmetic or Comparison
  std::vector<NamedArgument> named;
  Expr* star_args = nullptr;
  Expr* star_kwargs = nullptr;
  const FilterInfo* filter = nullptr;  // null: unknown, an error when it is reached
  const TestInfo* test = nullptr;
};

// What happens to a scope's variables when it is entered.
struct SlotLoad {
  enum class Kind : std::uint8_t { clear, copy } kind;
  std::uint32_t slot;
  VariableRef from;  // of copy
};
using SlotLoads = std::vector<SlotLoad>;

// A stretch of code with variables of its own: the template, a macro, a call block, a recursive loop.
struct FunctionInfo {
  std::uint32_t slots = 0;
};

struct MacroInfo {
  std::string name;
  bool anonymous = false;  // a call block's caller
  std::vector<std::string> parameters;
  std::vector<std::uint32_t> parameter_slots;
  std::vector<Expr*> defaults;  // of the last parameters
  bool takes_caller = false, takes_kwargs = false, takes_varargs = false, explicit_caller = false;
  std::uint32_t caller_slot = 0, kwargs_slot = 0, varargs_slot = 0;
  SlotLoads loads;
  FunctionInfo function;
  std::vector<Statement*> body;
};

enum class StatementKind : std::uint8_t {
  text,        // text
  output,      // exprs, printed in order
  assign,      // target = value
  set_block,   // target = body | value (a filter chain, may be null)
  if_block,    // branches
  for_loop,    // for target in value if test: body else otherwise
  macro,       // macro, stored in target
  call_block,  // value is the call; macro the caller
  filter_block,
  with_block,  // exprs: target, value, target, value...
  generation,  // HF's {% generation %}: macro's body, printed
  scope,       // {% autoescape false %}
  break_loop,
  continue_loop,
};

struct Branch {
  Expr* test = nullptr;  // null: else
  std::vector<Statement*> body;
};

struct Statement {
  StatementKind kind{};
  bool recursive = false;
  bool uses_loop = false;
  std::uint32_t position = 0;
  std::string text;
  Expr* target = nullptr;
  Expr* value = nullptr;
  Expr* test = nullptr;
  Expr* test_target = nullptr;  // for: the target again, in the scope of the test
  std::vector<Expr*> exprs;
  std::vector<Statement*> body;
  std::vector<Statement*> otherwise;
  std::vector<Branch> branches;
  std::unique_ptr<MacroInfo> macro;
  SlotLoads loads;            // on entering the body (each round of a loop)
  SlotLoads test_loads;       // on entering a loop's test
  SlotLoads otherwise_loads;  // on entering a loop's else
  std::uint32_t loop_slot = 0;
  FunctionInfo function;  // of a recursive loop
};

struct Program {
  std::string source;  // with normalized line ends; positions point into it
  std::vector<std::unique_ptr<Expr>> exprs;
  std::vector<std::unique_ptr<Statement>> statements;
  std::vector<Statement*> body;
  SlotLoads loads;
  FunctionInfo function;
  std::vector<std::string> externals;  // names looked up in the context

  Expr* make(ExprKind kind, std::uint32_t position) {
    exprs.push_back(std::make_unique<Expr>());
    exprs.back()->kind = kind;
    exprs.back()->position = position;
    return exprs.back().get();
  }
  Statement* make(StatementKind kind, std::uint32_t position) {
    statements.push_back(std::make_unique<Statement>());
    statements.back()->kind = kind;
    statements.back()->position = position;
    return statements.back().get();
  }
};

// Builds the tree; throws Failure. Then resolve() gives every variable its place and checks filters, tests and loops.
void parse(Program& program, std::uint32_t depth_max);
void resolve(Program& program);

// Does any expression read the variable?
bool mentions(const Program& program, std::string_view name);

}  // namespace jackdaw::text::jinja
