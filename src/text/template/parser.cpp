// Recursive descent over the tokens, one function per rule of jinja2's grammar.
#include <algorithm>

#include "src/text/template/ast.h"
#include "src/text/template/heap.h"
#include "src/text/template/lexer.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

using Ends = std::vector<std::string_view>;

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::data:
      return "template text";
    case TokenKind::variable_begin:
      return "begin of print statement";
    case TokenKind::variable_end:
      return "end of print statement";
    case TokenKind::block_begin:
      return "begin of statement block";
    case TokenKind::block_end:
      return "end of statement block";
    case TokenKind::string:
      return "string";
    case TokenKind::integer:
      return "integer";
    case TokenKind::real:
      return "float";
    case TokenKind::end:
      return "end of template";
    default:
      return "'" + token.text + "'";
  }
}

class Parser {
 public:
  Parser(Program& program, std::uint32_t depth_max)
      : program_(program), depth_max_(depth_max), tokens_(tokenize(program.source)) {}

  std::vector<Statement*> run() { return body({}); }

 private:
  // Tokens.
  const Token& current() const { return tokens_[at_]; }
  const Token& look() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  const Token& next() {
    const Token& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool skip_symbol(std::string_view s) {
    if (!current().is_symbol(s)) return false;
    next();
    return true;
  }
  bool skip_name(std::string_view s) {
    if (!current().is_name(s)) return false;
    next();
    return true;
  }
  [[noreturn]] void fail_at(std::uint32_t position, std::string message) {
    throw Failure{Code::invalid_argument, std::move(message), position};
  }
  [[noreturn]] void fail_here(std::string message) { fail_at(current().position, std::move(message)); }
  void expect_symbol(std::string_view s) {
    if (!skip_symbol(s)) fail_here(fmt::format("expected '{}', got {}", s, describe(current())));
  }
  void expect_name(std::string_view s) {
    if (!skip_name(s)) fail_here(fmt::format("expected '{}', got {}", s, describe(current())));
  }
  void expect(TokenKind kind, std::string_view what) {
    if (current().kind != kind) fail_here(fmt::format("expected {}, got {}", what, describe(current())));
    next();
  }
  std::string identifier() {
    if (current().kind != TokenKind::name) fail_here(fmt::format("expected a name, got {}", describe(current())));
    return next().text;
  }

  // Depth: of recursion while parsing, and of the tree that the evaluator will recurse over.
  struct Nest {
    explicit Nest(Parser& p) : parser(p) {
      if (++parser.depth_ > parser.depth_max_)
        throw Failure{Code::too_large, fmt::format("nested deeper than {} levels", parser.depth_max_),
                      parser.current().position};
    }
    ~Nest() { --parser.depth_; }
    Parser& parser;
  };
  Expr* seal(Expr* e) {
    std::uint32_t deepest = 0;
    const auto look_at = [&](const Expr* child) {
      if (child != nullptr) deepest = std::max<std::uint32_t>(deepest, child->depth);
    };
    for (const Expr* child : e->items) look_at(child);
    for (const NamedArgument& argument : e->named) look_at(argument.value);
    look_at(e->star_args);
    look_at(e->star_kwargs);
    if (deepest >= 2 * depth_max_)
      throw Failure{Code::too_large, fmt::format("an expression is nested deeper than {} levels", 2 * depth_max_),
                    e->position};
    e->depth = static_cast<std::uint16_t>(deepest + 1);
    return e;
  }
  Expr* node(ExprKind kind, std::uint32_t position, std::vector<Expr*> items) {
    Expr* e = program_.make(kind, position);
    e->items = std::move(items);
    return seal(e);
  }

  // Statements.
  std::vector<Statement*> body(const Ends& ends) {
    Nest nest(*this);
    std::vector<Statement*> out;
    while (current().kind != TokenKind::end) {
      const Token& token = current();
      switch (token.kind) {
        case TokenKind::data:
          out.push_back(program_.make(StatementKind::text, token.position));
          out.back()->text = token.text;
          next();
          break;
        case TokenKind::variable_begin: {
          out.push_back(program_.make(StatementKind::output, token.position));
          next();
          out.back()->exprs.push_back(tuple_or_expression());
          expect(TokenKind::variable_end, "end of print statement");
          break;
        }
        case TokenKind::block_begin:
          next();
          if (current().kind == TokenKind::name && std::find(ends.begin(), ends.end(), current().text) != ends.end())
            return out;
          if (Statement* s = statement(ends)) out.push_back(s);
          expect(TokenKind::block_end, "end of statement block");
          break;
        default:
          fail_here("unexpected " + describe(token));
      }
    }
    if (!ends.empty())
      fail_here(fmt::format("unexpected end of template; looking for {{% {} %}}", fmt::join(ends, " or ")));
    return out;
  }

  // The rest of a tag and what follows up to one of `ends`, which stays current.
  std::vector<Statement*> block(const Ends& ends) {
    skip_symbol(":");
    expect(TokenKind::block_end, "end of statement block");
    return body(ends);
  }
  std::vector<Statement*> block_to(std::string_view end) {
    std::vector<Statement*> out = block({end});
    next();
    return out;
  }

  Statement* statement(const Ends& ends) {
    const Token& token = current();
    if (token.kind != TokenKind::name) fail_here("tag name expected");
    const std::string& name = token.text;
    if (name == "set") return set();
    if (name == "if") return if_block();
    if (name == "for") return for_loop();
    if (name == "macro") return macro();
    if (name == "call") return call_block();
    if (name == "filter") return filter_block();
    if (name == "with") return with_block();
    if (name == "print") return print();
    if (name == "generation") return generation();
    if (name == "autoescape") return autoescape();
    if (name == "break" || name == "continue")
      return program_.make(name == "break" ? StatementKind::break_loop : StatementKind::continue_loop, next().position);
    for (const std::string_view refused : {"include", "import", "from", "extends", "block"})
      if (name == refused) fail_here(fmt::format("{{% {} %}} is not supported: a chat template stands alone", refused));
    if (ends.empty()) fail_here(fmt::format("encountered unknown tag '{}'", name));
    fail_here(fmt::format("encountered unknown tag '{}'; looking for {{% {} %}}", name, fmt::join(ends, " or ")));
  }

  Statement* set() {
    const std::uint32_t position = next().position;
    Expr* target = assign_target(true, {});
    if (skip_symbol("=")) {
      Statement* s = program_.make(StatementKind::assign, position);
      s->target = target;
      s->value = tuple_or_expression();
      return s;
    }
    Statement* s = program_.make(StatementKind::set_block, position);
    s->target = target;
    s->value = filters(nullptr, false);
    s->body = block_to("endset");
    return s;
  }

  Statement* if_block() {
    Statement* s = program_.make(StatementKind::if_block, next().position);
    while (true) {
      s->branches.emplace_back();
      s->branches.back().test = tuple_or_expression(false);
      std::vector<Statement*> inner = block({"elif", "else", "endif"});
      s->branches.back().body = std::move(inner);
      const std::string end = next().text;
      if (end == "elif") continue;
      if (end == "else") {
        inner = block_to("endif");
        s->branches.emplace_back();
        s->branches.back().body = std::move(inner);
      }
      return s;
    }
  }

  Statement* for_loop() {
    Statement* s = program_.make(StatementKind::for_loop, next().position);
    const std::size_t target_at = at_;
    s->target = assign_target(false, {"in"});
    expect_name("in");
    s->value = tuple_or_expression(false, {"recursive"});
    if (skip_name("if")) {
      s->test = expression();
      const std::size_t here = at_;
      at_ = target_at;
      s->test_target = assign_target(false, {"in"});
      at_ = here;
    }
    s->recursive = skip_name("recursive");
    s->body = block({"endfor", "else"});
    if (next().text == "else") s->otherwise = block_to("endfor");
    return s;
  }

  Statement* with_block() {
    Statement* s = program_.make(StatementKind::with_block, next().position);
    while (current().kind != TokenKind::block_end && !current().is_symbol(":")) {
      if (!s->exprs.empty()) expect_symbol(",");
      Expr* target = assign_target(false, {});
      set_use(target, NameUse::param);
      expect_symbol("=");
      s->exprs.push_back(target);
      s->exprs.push_back(expression());
    }
    s->body = block_to("endwith");
    return s;
  }

  Statement* autoescape() {
    Statement* s = program_.make(StatementKind::scope, next().position);
    const Expr* on = expression();
    if (on->kind != ExprKind::constant || on->constant.kind != Kind::boolean || on->constant.boolean)
      fail_at(s->position, "{% autoescape %} is only supported with false: chat templates are not HTML");
    s->body = block_to("endautoescape");
    return s;
  }

  Statement* print() {
    Statement* s = program_.make(StatementKind::output, next().position);
    while (current().kind != TokenKind::block_end) {
      if (!s->exprs.empty()) expect_symbol(",");
      s->exprs.push_back(expression());
    }
    return s;
  }

  Statement* generation() {
    Statement* s = program_.make(StatementKind::generation, next().position);
    s->macro = std::make_unique<MacroInfo>();
    s->macro->body = block_to("endgeneration");
    return s;
  }

  void signature(MacroInfo& macro) {
    expect_symbol("(");
    while (!current().is_symbol(")")) {
      if (!macro.parameters.empty()) expect_symbol(",");
      const std::uint32_t position = current().position;
      macro.parameters.push_back(target_name());
      if (std::count(macro.parameters.begin(), macro.parameters.end(), macro.parameters.back()) > 1)
        fail_at(position, fmt::format("duplicate argument '{}' in a macro's signature", macro.parameters.back()));
      if (skip_symbol("="))
        macro.defaults.push_back(expression());
      else if (!macro.defaults.empty())
        fail_here("non-default argument follows default argument");
    }
    expect_symbol(")");
  }

  Statement* macro() {
    Statement* s = program_.make(StatementKind::macro, next().position);
    s->macro = std::make_unique<MacroInfo>();
    s->target = name_node(current().position, target_name(), NameUse::store);
    s->macro->name = s->target->text;
    signature(*s->macro);
    std::vector<Statement*> inner = block_to("endmacro");
    s->macro->body = std::move(inner);
    return s;
  }

  Statement* call_block() {
    Statement* s = program_.make(StatementKind::call_block, next().position);
    s->macro = std::make_unique<MacroInfo>();
    s->macro->anonymous = true;
    s->macro->name = "caller";
    if (current().is_symbol("(")) signature(*s->macro);
    s->value = expression();
    if (s->value->kind != ExprKind::call) fail_at(s->position, "expected call");
    std::vector<Statement*> inner = block_to("endcall");
    s->macro->body = std::move(inner);
    return s;
  }

  Statement* filter_block() {
    Statement* s = program_.make(StatementKind::filter_block, next().position);
    s->value = filters(nullptr, true);
    s->body = block_to("endfilter");
    return s;
  }

  // Targets.
  static bool is_reserved(std::string_view name) {
    for (const std::string_view word : {"true", "false", "none", "True", "False", "None"})
      if (name == word) return true;
    return false;
  }
  std::string target_name() {
    const std::uint32_t position = current().position;
    std::string name = identifier();
    if (is_reserved(name)) fail_at(position, fmt::format("can't assign to '{}'", name));
    return name;
  }
  Expr* name_node(std::uint32_t position, std::string name, NameUse use) {
    Expr* e = program_.make(ExprKind::name, position);
    e->text = std::move(name);
    e->use = use;
    return e;
  }
  void set_use(Expr* target, NameUse use) {
    target->use = use;
    for (Expr* item : target->items) set_use(item, use);
  }
  void check_target(const Expr* target) {
    if (target->kind == ExprKind::name && !is_reserved(target->text)) return;
    if (target->kind == ExprKind::namespace_ref) return;
    if (target->kind != ExprKind::tuple) fail_at(target->position, "can't assign to this expression");
    for (const Expr* item : target->items) check_target(item);
  }
  Expr* assign_target(bool with_namespace, const Ends& ends) {
    Expr* target = tuple_of([&] { return primary(with_namespace); }, ends, false);
    check_target(target);
    set_use(target, NameUse::store);
    return target;
  }

  // Expressions.
  bool tuple_ends(const Ends& ends) const {
    if (current().kind == TokenKind::variable_end || current().kind == TokenKind::block_end) return true;
    if (current().is_symbol(")")) return true;
    return current().kind == TokenKind::name && std::find(ends.begin(), ends.end(), current().text) != ends.end();
  }
  template <typename Item>
  Expr* tuple_of(Item item, const Ends& ends, bool parenthesized) {
    const std::uint32_t position = current().position;
    std::vector<Expr*> items;
    bool is_tuple = false;
    while (true) {
      if (!items.empty()) expect_symbol(",");
      if (tuple_ends(ends)) break;
      items.push_back(item());
      if (!current().is_symbol(",")) break;
      is_tuple = true;
    }
    if (!is_tuple && !items.empty()) return items[0];
    if (!is_tuple && !parenthesized) fail_here(fmt::format("expected an expression, got {}", describe(current())));
    return node(ExprKind::tuple, position, std::move(items));
  }
  Expr* tuple_or_expression(bool with_conditional = true, const Ends& ends = {}, bool parenthesized = false) {
    return tuple_of([&] { return with_conditional ? expression() : logical_or(); }, ends, parenthesized);
  }

  Expr* expression() {
    Nest nest(*this);
    const std::uint32_t position = current().position;
    Expr* value = logical_or();
    while (skip_name("if")) {
      Expr* test = logical_or();
      Expr* otherwise = skip_name("else") ? expression() : nullptr;
      value = node(ExprKind::conditional, position, {value, test, otherwise});
    }
    return value;
  }

  Expr* logical_or() {
    return chain(ExprKind::logical_or, "or", [&] { return logical_and(); });
  }
  Expr* logical_and() {
    return chain(ExprKind::logical_and, "and", [&] { return logical_not(); });
  }
  template <typename Operand>
  Expr* chain(ExprKind kind, std::string_view word, Operand operand) {
    const std::uint32_t position = current().position;
    Expr* first = operand();
    if (!current().is_name(word)) return first;
    std::vector<Expr*> items{first};
    while (skip_name(word)) items.push_back(operand());
    return node(kind, position, std::move(items));
  }

  Expr* logical_not() {
    if (!current().is_name("not")) return compare();
    Nest nest(*this);
    const std::uint32_t position = next().position;
    return node(ExprKind::logical_not, position, {logical_not()});
  }

  bool comparison(Comparison& op) {
    constexpr std::pair<std::string_view, Comparison> symbols[] = {
        {"==", Comparison::equal},      {"!=", Comparison::not_equal}, {"<", Comparison::less},
        {"<=", Comparison::less_equal}, {">", Comparison::greater},    {">=", Comparison::greater_equal}};
    for (const auto& [symbol, meaning] : symbols)
      if (skip_symbol(symbol)) {
        op = meaning;
        return true;
      }
    op = Comparison::in;
    if (skip_name("in")) return true;
    if (!current().is_name("not") || !look().is_name("in")) return false;
    next();
    next();
    op = Comparison::not_in;
    return true;
  }
  Expr* compare() {
    const std::uint32_t position = current().position;
    Expr* first = sum();
    Comparison op{};
    if (!comparison(op)) return first;
    Expr* e = program_.make(ExprKind::compare, position);
    e->items.push_back(first);
    do {
      e->ops.push_back(static_cast<std::uint8_t>(op));
      e->items.push_back(sum());
    } while (comparison(op));
    return seal(e);
  }

  template <typename Operand>
  Expr* arithmetic(std::initializer_list<std::pair<std::string_view, Arithmetic>> symbols, Operand operand) {
    const auto find = [&](Arithmetic& op) {
      if (current().kind != TokenKind::symbol) return false;
      for (const auto& [symbol, meaning] : symbols)
        if (skip_symbol(symbol)) {
          op = meaning;
          return true;
        }
      return false;
    };
    const std::uint32_t position = current().position;
    Expr* first = operand();
    Arithmetic op{};
    if (!find(op)) return first;
    Expr* e = program_.make(ExprKind::arithmetic, position);
    e->items.push_back(first);
    do {
      e->ops.push_back(static_cast<std::uint8_t>(op));
      e->items.push_back(operand());
    } while (find(op));
    return seal(e);
  }
  Expr* sum() {
    return arithmetic({{"+", Arithmetic::add}, {"-", Arithmetic::subtract}}, [&] { return concat(); });
  }
  Expr* concat() {
    const std::uint32_t position = current().position;
    Expr* first = product();
    if (!current().is_symbol("~")) return first;
    std::vector<Expr*> items{first};
    while (skip_symbol("~")) items.push_back(product());
    return node(ExprKind::concat, position, std::move(items));
  }
  Expr* product() {
    return arithmetic({{"*", Arithmetic::multiply},
                       {"/", Arithmetic::divide},
                       {"//", Arithmetic::floor_divide},
                       {"%", Arithmetic::modulo}},
                      [&] { return power(); });
  }
  Expr* power() {
    return arithmetic({{"**", Arithmetic::power}}, [&] { return unary(true); });
  }

  Expr* unary(bool with_filter) {
    const std::uint32_t position = current().position;
    Expr* e = nullptr;
    if (current().is_symbol("-") || current().is_symbol("+")) {
      Nest nest(*this);
      const bool negative = next().text == "-";
      e = node(negative ? ExprKind::negative : ExprKind::positive, position, {unary(false)});
    } else {
      e = primary(false);
    }
    e = postfix(e);
    return with_filter ? filters_and_tests(e) : e;
  }

  Expr* primary(bool with_namespace) {
    const Token& token = current();
    switch (token.kind) {
      case TokenKind::name:
        return name(with_namespace);
      case TokenKind::string: {
        Expr* e = program_.make(ExprKind::constant, token.position);
        while (current().kind == TokenKind::string) e->text += next().text;
        e->string = {e->text.data(), e->text.size(), static_cast<std::int64_t>(count_code_points(e->text))};
        e->constant = Value::of(&e->string);
        return e;
      }
      case TokenKind::integer:
        return constant(Value::of(next().integer), token.position);
      case TokenKind::real:
        return constant(Value::of(next().real), token.position);
      default:
        break;
    }
    if (token.is_symbol("[")) return list();
    if (token.is_symbol("{")) return dict();
    if (!skip_symbol("(")) fail_here(fmt::format("unexpected {}", describe(token)));
    Expr* e = tuple_or_expression(true, {}, true);
    expect_symbol(")");
    return e;
  }
  Expr* constant(Value value, std::uint32_t position) {
    Expr* e = program_.make(ExprKind::constant, position);
    e->constant = value;
    return e;
  }

  Expr* name(bool with_namespace) {
    const Token& token = next();
    if (token.text == "true" || token.text == "True") return constant(Value::of(true), token.position);
    if (token.text == "false" || token.text == "False") return constant(Value::of(false), token.position);
    if (token.text == "none" || token.text == "None") return constant(Value::none(), token.position);
    if (with_namespace && skip_symbol(".")) {
      Expr* e = program_.make(ExprKind::namespace_ref, token.position);
      e->text = token.text;
      e->attribute = identifier();
      return e;
    }
    return name_node(token.position, token.text, NameUse::load);
  }

  Expr* list() {
    const std::uint32_t position = next().position;
    std::vector<Expr*> items;
    while (!current().is_symbol("]")) {
      if (!items.empty()) expect_symbol(",");
      if (current().is_symbol("]")) break;
      items.push_back(expression());
    }
    expect_symbol("]");
    return node(ExprKind::list, position, std::move(items));
  }
  Expr* dict() {
    const std::uint32_t position = next().position;
    std::vector<Expr*> items;
    while (!current().is_symbol("}")) {
      if (!items.empty()) expect_symbol(",");
      if (current().is_symbol("}")) break;
      items.push_back(expression());
      expect_symbol(":");
      items.push_back(expression());
    }
    expect_symbol("}");
    return node(ExprKind::dict, position, std::move(items));
  }

  Expr* postfix(Expr* e) {
    while (true) {
      if (current().is_symbol("."))
        e = attribute(e);
      else if (current().is_symbol("["))
        e = subscript(e);
      else if (current().is_symbol("("))
        e = call(e);
      else
        return e;
    }
  }
  Expr* filters_and_tests(Expr* e) {
    while (true) {
      if (current().is_symbol("|"))
        e = filters(e, false);
      else if (current().is_name("is"))
        e = test(e);
      else if (current().is_symbol("("))
        e = call(e);
      else
        return e;
    }
  }

  Expr* attribute(Expr* object) {
    const std::uint32_t position = next().position;
    if (current().kind == TokenKind::integer) {
      const std::uint32_t at = current().position;
      return node(ExprKind::item, position, {object, constant(Value::of(next().integer), at)});
    }
    if (current().kind != TokenKind::name) fail_here("expected name or number");
    Expr* e = program_.make(ExprKind::attribute, position);
    e->text = next().text;
    e->items = {object};
    return seal(e);
  }

  Expr* subscript(Expr* object) {
    const std::uint32_t position = next().position;
    std::vector<Expr*> keys;
    std::vector<Expr*> bounds;
    bool sliced = false;
    while (!current().is_symbol("]")) {
      if (!keys.empty()) expect_symbol(",");
      bool is_slice = false;
      keys.push_back(subscribed(is_slice, bounds));
      if (sliced || (is_slice && keys.size() > 1)) fail_at(position, "a slice must stand alone in [...]");
      sliced = is_slice;
    }
    expect_symbol("]");
    if (sliced) {
      bounds.insert(bounds.begin(), object);
      return node(ExprKind::slice, position, std::move(bounds));
    }
    Expr* key = keys.size() == 1 ? keys[0] : node(ExprKind::tuple, position, std::move(keys));
    return node(ExprKind::item, position, {object, key});
  }
  // One key, or the bounds of a slice.
  Expr* subscribed(bool& is_slice, std::vector<Expr*>& bounds) {
    Expr* start = nullptr;
    if (!current().is_symbol(":")) {
      start = expression();
      if (!current().is_symbol(":")) return start;
    }
    next();
    is_slice = true;
    const auto ends = [&] { return current().is_symbol("]") || current().is_symbol(","); };
    Expr* stop = current().is_symbol(":") || ends() ? nullptr : expression();
    Expr* step = nullptr;
    if (skip_symbol(":") && !ends()) step = expression();
    bounds = {start, stop, step};
    return nullptr;
  }

  void call_arguments(Expr* e) {
    const std::uint32_t position = current().position;
    const auto ensure = [&](bool fine) {
      if (!fine) fail_at(position, "invalid syntax for function call expression");
    };
    expect_symbol("(");
    bool more = false;
    while (!current().is_symbol(")")) {
      if (more) {
        expect_symbol(",");
        if (current().is_symbol(")")) break;
      }
      more = true;
      if (skip_symbol("*")) {
        ensure(e->star_args == nullptr && e->star_kwargs == nullptr);
        e->star_args = expression();
      } else if (skip_symbol("**")) {
        ensure(e->star_kwargs == nullptr);
        e->star_kwargs = expression();
      } else if (current().kind == TokenKind::name && look().is_symbol("=")) {
        ensure(e->star_kwargs == nullptr);
        const std::uint32_t at = current().position;
        std::string name = next().text;
        next();
        for (const NamedArgument& argument : e->named)
          if (argument.name == name) fail_at(at, fmt::format("keyword argument repeated: {}", name));
        e->named.push_back({std::move(name), expression()});
      } else {
        ensure(e->star_args == nullptr && e->star_kwargs == nullptr && e->named.empty());
        e->items.push_back(expression());
      }
    }
    expect_symbol(")");
  }

  Expr* call(Expr* callee) {
    Expr* e = program_.make(ExprKind::call, current().position);
    e->items = {callee};
    call_arguments(e);
    return seal(e);
  }

  std::string dotted_name() {
    std::string name = identifier();
    while (skip_symbol(".")) name += "." + identifier();
    return name;
  }

  Expr* filters(Expr* input, bool inline_start) {
    while (inline_start || current().is_symbol("|")) {
      if (!inline_start) next();
      inline_start = false;
      Expr* e = program_.make(ExprKind::filter, current().position);
      e->text = dotted_name();
      e->items = {input};
      if (current().is_symbol("(")) call_arguments(e);
      input = seal(e);
    }
    return input;
  }

  Expr* test(Expr* object) {
    const std::uint32_t position = next().position;
    const bool negated = skip_name("not");
    Expr* e = program_.make(ExprKind::test, position);
    e->text = dotted_name();
    e->items = {object};
    const Token& token = current();
    const bool is_operand = token.kind == TokenKind::name || token.kind == TokenKind::string ||
                            token.kind == TokenKind::integer || token.kind == TokenKind::real || token.is_symbol("[") ||
                            token.is_symbol("{");
    if (token.is_symbol("(")) {
      call_arguments(e);
    } else if (is_operand && !token.is_name("else") && !token.is_name("or") && !token.is_name("and")) {
      if (token.is_name("is")) fail_here("you cannot chain multiple tests with is");
      e->items.push_back(postfix(primary(false)));
    }
    seal(e);
    return negated ? node(ExprKind::logical_not, position, {e}) : e;
  }

  Program& program_;
  std::uint32_t depth_max_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
};

}  // namespace

void parse(Program& program, std::uint32_t depth_max) {
  program.body = Parser(program, depth_max).run();
}

}  // namespace jackdaw::text::jinja
