// Evaluator: walks a resolved tree and writes what it renders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/text/template/ast.h"
#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

// The variables of one running function, and of the one it was defined in.
struct Activation {
  Activation* parent = nullptr;
  Value* slots = nullptr;
};

class Evaluator final : public Render {
 public:
  Evaluator(const Program& program, const TemplateLimits& limits, std::int64_t now)
      : Render(limits, now), program_(program) {}

  // `context` is a dict. Throws Failure.
  std::string run(Value context);
  // The place in the template that was being evaluated last.
  std::uint32_t position() const { return position_; }

  Value call(Value callee, const Arguments& arguments) override;
  Value render_loop(LoopObject& loop, Value iterable) override;

 private:
  friend class LoopTest;
  enum class Flow : std::uint8_t { normal, stop, skip };

  // Statements.
  Flow execute(const std::vector<Statement*>& body);
  Flow execute(const Statement& statement);
  void output(const Expr& expr);
  Flow if_block(const Statement& statement);
  Flow for_loop(const Statement& statement, Value iterable, std::int64_t depth0);
  Flow rounds(const Statement& statement, LoopObject* loop, Iterator* items, bool& any);
  Flow set_block(const Statement& statement);
  Flow filter_block(const Statement& statement);
  Flow with_block(const Statement& statement);
  void call_block(const Statement& statement);
  void generation(const Statement& statement);
  void define_macro(const Statement& statement);

  // What a body renders instead of printing it.
  template <typename Body>
  Value capture(Body body);
  void print(std::string_view text);
  void print_block(Value value, std::uint32_t position);

  // Variables.
  void load(const SlotLoads& loads);
  Value& slot(const VariableRef& ref);
  Value read(const VariableRef& ref);
  void assign(const Expr& target, Value value);
  void unpack(const Expr& target, Value value);
  Activation* activate(const FunctionInfo& function, Activation* parent);

  // Expressions.
  Value evaluate(const Expr& expr);
  Value evaluate_node(const Expr& expr);
  Value name(const Expr& expr);
  Value sequence(const Expr& expr);
  Value dict(const Expr& expr);
  Value call_expr(const Expr& expr, const MacroObject* caller);
  Value filter_expr(const Expr& expr, Value input);
  Value test_expr(const Expr& expr);
  Value slice_expr(const Expr& expr);
  Value concat(const Expr& expr);
  Value compare(const Expr& expr);
  bool compare(Comparison op, Value a, Value b);
  Value logical(const Expr& expr, bool is_and);
  Value arithmetic(const Expr& expr);
  Value conditional(const Expr& expr);
  Arguments arguments(const Expr& expr, std::size_t skip, const MacroObject* caller);
  void add_star_args(const Expr& expr, std::vector<Value>& positional);
  void add_star_kwargs(const Expr& expr, std::vector<Keyword>& named);

  // Macros (macro.cpp).
  Value call_macro(const MacroObject& macro, const Arguments& arguments);
  void bind_macro(const MacroInfo& info, const Arguments& arguments, Value* slots);
  void bind_special(const MacroInfo& info, const Arguments& arguments, bool found_caller, std::vector<bool>& used,
                    Value* slots);
  void fill_defaults(const MacroInfo& info);

  const Program& program_;
  std::vector<Value> externals_;
  Activation* here_ = nullptr;
  std::string* out_ = nullptr;
  const Value* block_input_ = nullptr;  // what the innermost filter or set block rendered
  bool capturing_ = false;
  std::uint32_t depth_ = 0;
  std::uint32_t calls_ = 0;
  std::uint32_t position_ = 0;
};

}  // namespace jackdaw::text::jinja
