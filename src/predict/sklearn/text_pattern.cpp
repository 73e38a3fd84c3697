#include "src/predict/sklearn/text_pattern.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <optional>

#include "src/predict/sklearn/unicode.h"

namespace jackdaw::predict {

namespace {

constexpr std::size_t program_max = 4000;
constexpr int depth_max = 50;
constexpr std::uint64_t steps_max = 20'000'000;

bool in_class(char name, char32_t c) {
  switch (name) {
    case 'w':
      return is_word(c);
    case 'd':
      return is_digit(c);
    case 's':
      return is_space(c);
    case 'W':
      return !is_word(c);
    case 'D':
      return !is_digit(c);
    default:
      return !is_space(c);
  }
}

bool is_class(char32_t c) {
  return c == 'w' || c == 'd' || c == 's' || c == 'W' || c == 'D' || c == 'S';
}

}  // namespace

bool TokenPattern::CharSet::contains(char32_t c) const {
  bool inside = std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return c >= r.first && c <= r.last; });
  for (char name : classes) inside = inside || in_class(name, c);
  return inside != negated;
}

// Recursive descent over the pattern straight into instructions; a repeated atom's code is copied.
class PatternCompiler {
 public:
  using Op = TokenPattern::Op;
  using Instruction = TokenPattern::Instruction;
  using CharSet = TokenPattern::CharSet;

  explicit PatternCompiler(std::string_view pattern) : whole_(pattern), rest_(pattern) {}

  Result<TokenPattern> compile() {
    if (rest_.starts_with("(?u)")) rest_.remove_prefix(4);
    if (rest_ == "\\b\\w\\w+\\b") out_.fast_ = TokenPattern::Fast::long_words;
    if (rest_ == "\\b\\w+\\b" || rest_ == "\\w+") out_.fast_ = TokenPattern::Fast::words;
    emit(Op::save, 0);
    JACKDAW_ASSIGN(const bool empty, alternatives(0));
    if (!rest_.empty()) return refuse("an unbalanced parenthesis");
    if (empty) return refuse("a pattern that matches the empty text");
    emit(Op::save, 1);
    emit(Op::match);
    if (out_.program_.size() > program_max) return refuse("repetitions that unfold too far");
    return std::move(out_);
  }

 private:
  Error refuse(std::string_view what) const {
    return make_error(Code::unsupported, "the token_pattern '{}' uses {}, which is not supported", whole_, what);
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(out_.program_.size()); }
  std::uint32_t emit(Op op, std::uint32_t x = 0, std::uint32_t y = 0) {
    out_.program_.push_back({op, x, y});
    return here() - 1;
  }
  char32_t peek() const {
    std::string_view copy = rest_;
    return copy.empty() ? 0 : next_code_point(copy);
  }
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Moves the code from `begin` on by one place and puts `instruction` before it; targets inside move along.
  void insert(std::uint32_t begin, Instruction instruction) {
    auto& p = out_.program_;
    p.insert(p.begin() + begin, instruction);
    for (std::uint32_t i = begin + 1; i < p.size(); ++i) shift(p[i], begin, 1);
  }
  static void shift(Instruction& i, std::uint32_t from, std::uint32_t by) {
    if ((i.op == Op::split || i.op == Op::jump) && i.x >= from) i.x += by;
    if (i.op == Op::split && i.y >= from) i.y += by;
  }

  // Each returns whether what it compiled can match the empty text.
  Result<bool> alternatives(int depth) {
    if (depth > depth_max) return refuse("too many nested groups");
    const std::uint32_t begin = here();
    JACKDAW_ASSIGN(bool empty, sequence(depth));
    std::vector<std::uint32_t> jumps;
    std::uint32_t branch = begin;
    while (take('|')) {
      insert(branch, {Op::split, branch + 1, 0});
      for (std::uint32_t& j : jumps) j += j >= branch;
      jumps.push_back(emit(Op::jump));
      out_.program_[branch].y = here();
      branch = here();
      JACKDAW_ASSIGN(const bool other, sequence(depth));
      empty = empty || other;
      if (out_.program_.size() > program_max) return refuse("repetitions that unfold too far");
    }
    for (std::uint32_t j : jumps) out_.program_[j].x = here();
    return empty;
  }

  Result<bool> sequence(int depth) {
    bool empty = true;
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      const std::uint32_t begin = here();
      JACKDAW_ASSIGN(bool atom_empty, atom(depth));
      JACKDAW_ASSIGN(atom_empty, repeat(begin, atom_empty));
      empty = empty && atom_empty;
      if (out_.program_.size() > program_max) return refuse("repetitions that unfold too far");
    }
    return empty;
  }

  Result<bool> atom(int depth) {
    if (take('(')) return group(depth);
    if (take('[')) return bracket();
    if (take('\\')) return escape();
    if (take('^')) return emit(Op::begin), true;
    if (take('$')) return emit(Op::end), true;
    if (take('.')) {
      CharSet any;
      any.ranges.push_back({'\n', '\n'});
      any.negated = true;
      return set(std::move(any));
    }
    if (peek() == '*' || peek() == '+' || peek() == '?') return refuse("a repetition of nothing");
    return literal(next_code_point(rest_));
  }

  Result<bool> literal(char32_t c) {
    CharSet one;
    one.ranges.push_back({c, c});
    return set(std::move(one));
  }

  Result<bool> set(CharSet s) {
    emit(Op::set, static_cast<std::uint32_t>(out_.sets_.size()));
    out_.sets_.push_back(std::move(s));
    return false;
  }

  Result<bool> group(int depth) {
    bool capture = true;
    if (take('?')) {
      if (!take(':')) return refuse("a look-around, flag or named group");
      capture = false;
    }
    if (capture && out_.has_group_) return refuse("more than one capturing group");
    if (capture) {
      out_.has_group_ = true;
      emit(Op::save, 2);
    }
    JACKDAW_ASSIGN(const bool empty, alternatives(depth + 1));
    if (!take(')')) return refuse("an unbalanced parenthesis");
    if (capture) emit(Op::save, 3);
    return empty;
  }

  Result<bool> escape() {
    if (rest_.empty()) return refuse("a trailing backslash");
    const char32_t c = next_code_point(rest_);
    if (c == 'b') return emit(Op::boundary), true;
    if (c == 'B') return emit(Op::not_boundary), true;
    if (is_class(c)) {
      CharSet s;
      s.classes += static_cast<char>(c);
      return set(std::move(s));
    }
    JACKDAW_ASSIGN(const char32_t code, escaped_literal(c));
    return literal(code);
  }

  Result<char32_t> escaped_literal(char32_t c) const {
    if (c == 'n') return U'\n';
    if (c == 't') return U'\t';
    if (c == 'r') return U'\r';
    if (c == 'f') return U'\f';
    if (c == 'v') return U'\v';
    if (c < 0x80 && (std::isalnum(static_cast<int>(c)) != 0)) return refuse("an escape such as a back reference");
    return c;
  }

  // One member of a class: a character, or nothing when a \w and the like was added to `s`.
  Result<std::optional<char32_t>> member(CharSet& s) {
    const char32_t c = next_code_point(rest_);
    if (c != '\\') return std::optional<char32_t>(c);
    if (rest_.empty()) return refuse("a trailing backslash");
    const char32_t escaped = next_code_point(rest_);
    if (is_class(escaped)) {
      s.classes += static_cast<char>(escaped);
      return std::optional<char32_t>();
    }
    if (escaped == 'b') return std::optional<char32_t>(U'\b');
    JACKDAW_ASSIGN(const char32_t code, escaped_literal(escaped));
    return std::optional<char32_t>(code);
  }

  Result<bool> bracket() {
    CharSet s;
    s.negated = take('^');
    bool first = true;
    while (first || !take(']')) {
      if (rest_.empty()) return refuse("an unterminated character class");
      first = false;
      JACKDAW_ASSIGN(const std::optional<char32_t> low, member(s));
      if (!low) continue;
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        JACKDAW_ASSIGN(const std::optional<char32_t> high, member(s));
        if (!high || *high < *low) return refuse("a bad range in a character class");
        s.ranges.push_back({*low, *high});
      } else {
        s.ranges.push_back({*low, *low});
      }
    }
    return set(std::move(s));
  }

  struct Bounds {
    std::uint32_t least = 1, most = 1;
    bool unbounded = false;
  };

  Result<Bounds> bounds() {
    if (take('*')) return Bounds{0, 0, true};
    if (take('+')) return Bounds{1, 1, true};
    if (take('?')) return Bounds{0, 1, false};
    if (rest_.empty() || rest_[0] != '{') return Bounds{};
    const std::size_t close = rest_.find('}');
    if (close == std::string_view::npos) return refuse("a brace that is not closed");
    const std::string_view inside = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    const std::size_t comma = inside.find(',');
    JACKDAW_ASSIGN(const std::uint32_t least, count(inside.substr(0, comma), 0));
    if (comma == std::string_view::npos) return Bounds{least, least, false};
    if (comma + 1 == inside.size()) return Bounds{least, least, true};
    JACKDAW_ASSIGN(const std::uint32_t most, count(inside.substr(comma + 1), 0));
    if (most < least || most == 0) return refuse("bad bounds in braces");
    return Bounds{least, most, false};
  }

  Result<std::uint32_t> count(std::string_view digits, std::uint32_t fallback) const {
    if (digits.empty()) return fallback;
    std::uint32_t out = 0;
    for (char c : digits) {
      if (c < '0' || c > '9') return refuse("something else than counts in braces");
      out = out * 10 + static_cast<std::uint32_t>(c - '0');
      if (out > 1000) return refuse("more than 1000 repetitions");
    }
    return out;
  }

  Result<bool> repeat(std::uint32_t begin, bool empty) {
    JACKDAW_ASSIGN(const Bounds b, bounds());
    if (b.least == 1 && b.most == 1 && !b.unbounded) return empty;
    if (!rest_.empty() && (rest_[0] == '?' || rest_[0] == '+' || rest_[0] == '*')) {
      return refuse("a lazy or possessive repetition");
    }
    if (empty) return refuse("a repetition of something that may be empty");
    const std::vector<Instruction> body(out_.program_.begin() + begin, out_.program_.end());
    out_.program_.resize(begin);
    const std::size_t copies = b.unbounded ? b.least + 1 : b.most;
    if (body.size() * copies > program_max) return refuse("repetitions that unfold too far");
    for (std::uint32_t i = 0; i < b.least; ++i) append(body, begin);
    if (b.unbounded) {
      const std::uint32_t split = emit(Op::split, here() + 1);
      append(body, begin);
      emit(Op::jump, split);
      out_.program_[split].y = here();
    } else {
      std::vector<std::uint32_t> splits;
      for (std::uint32_t i = b.least; i < b.most; ++i) {
        splits.push_back(emit(Op::split, here() + 1));
        append(body, begin);
      }
      for (std::uint32_t s : splits) out_.program_[s].y = here();
    }
    return b.least == 0;
  }

  void append(const std::vector<Instruction>& body, std::uint32_t compiled_at) {
    const std::uint32_t by = here() - compiled_at;
    for (Instruction i : body) {
      shift(i, 0, by);
      out_.program_.push_back(i);
    }
  }

  std::string_view whole_;
  std::string_view rest_;
  TokenPattern out_;
};

Result<TokenPattern> TokenPattern::compile(std::string_view pattern) {
  return PatternCompiler(pattern).compile();
}

namespace {

// Runs of word characters of at least `least` characters.
void find_words(std::string_view text, std::size_t least, std::vector<std::string_view>& tokens) {
  const char* begin = nullptr;
  std::size_t length = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const char* at = rest.data();
    if (is_word(next_code_point(rest))) {
      if (length++ == 0) begin = at;
      continue;
    }
    if (length >= least) tokens.emplace_back(begin, static_cast<std::size_t>(at - begin));
    length = 0;
  }
  if (length >= least && length > 0)
    tokens.emplace_back(begin, static_cast<std::size_t>(text.data() + text.size() - begin));
}

using Slots = std::array<std::uint32_t, 4>;
constexpr std::uint32_t unset = std::numeric_limits<std::uint32_t>::max();

}  // namespace

// Pike's simulation: all threads advance together, in order of preference, so that time is bounded by program x text.
class PatternRun {
 public:
  PatternRun(const TokenPattern& pattern, std::string_view text) : p_(pattern) {
    const char* const base = text.data();
    while (!text.empty()) {
      offsets_.push_back(static_cast<std::uint32_t>(text.data() - base));
      codes_.push_back(next_code_point(text));
    }
    offsets_.push_back(static_cast<std::uint32_t>(text.data() - base));
    seen_.assign(p_.program_.size(), unset);
  }

  // The next match at or after `from` (in code points); false when there is none.
  bool next(std::uint32_t from, Slots& found) {
    threads_.clear();
    bool matched = false;
    for (std::uint32_t at = from; at <= codes_.size(); ++at) {
      ++generation_;
      ready_.clear();
      for (const Thread& t : threads_) add(t.pc, t.slots, at);
      if (!matched) add(0, {unset, unset, unset, unset}, at);
      threads_.clear();
      for (const Thread& t : ready_) {
        const auto& i = p_.program_[t.pc];
        if (i.op == TokenPattern::Op::match) {
          found = t.slots;
          matched = true;
          break;  // Less preferred threads lose.
        }
        if (at < codes_.size() && p_.sets_[i.x].contains(codes_[at])) threads_.push_back({t.pc + 1, t.slots});
      }
      if (matched && threads_.empty()) return true;
      if (steps_ > steps_max) return false;
    }
    return matched;
  }

  bool exhausted() const { return steps_ > steps_max; }
  std::uint32_t offset(std::uint32_t code_point) const { return offsets_[code_point]; }

 private:
  struct Thread {
    std::uint32_t pc;
    Slots slots;
  };

  bool boundary(std::uint32_t at) const {
    const bool before = at > 0 && is_word(codes_[at - 1]);
    const bool after = at < codes_.size() && is_word(codes_[at]);
    return before != after;
  }

  bool holds(TokenPattern::Op op, std::uint32_t at) const {
    switch (op) {
      case TokenPattern::Op::boundary:
        return boundary(at);
      case TokenPattern::Op::not_boundary:
        return !boundary(at);
      case TokenPattern::Op::begin:
        return at == 0;
      default:
        return at == codes_.size() || (at + 1 == codes_.size() && codes_[at] == '\n');
    }
  }

  // Follows everything that takes no character, preferred ways first, with a stack of its own.
  void add(std::uint32_t start, const Slots& slots, std::uint32_t at) {
    stack_.clear();
    stack_.push_back({start, slots});
    while (!stack_.empty()) {
      Thread t = stack_.back();
      stack_.pop_back();
      if (seen_[t.pc] == generation_) continue;
      seen_[t.pc] = generation_;
      ++steps_;
      const auto& i = p_.program_[t.pc];
      switch (i.op) {
        case TokenPattern::Op::set:
        case TokenPattern::Op::match:
          ready_.push_back(t);
          break;
        case TokenPattern::Op::jump:
          stack_.push_back({i.x, t.slots});
          break;
        case TokenPattern::Op::split:
          stack_.push_back({i.y, t.slots});
          stack_.push_back({i.x, t.slots});
          break;
        case TokenPattern::Op::save:
          t.slots[i.x] = at;
          stack_.push_back({t.pc + 1, t.slots});
          break;
        default:
          if (holds(i.op, at)) stack_.push_back({t.pc + 1, t.slots});
      }
    }
  }

  const TokenPattern& p_;
  std::vector<char32_t> codes_;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::uint32_t> seen_;  // per instruction, the generation that reached it
  std::vector<Thread> threads_;
  std::vector<Thread> ready_;
  std::vector<Thread> stack_;
  std::uint32_t generation_ = 0;
  std::uint64_t steps_ = 0;
};

Result<void> TokenPattern::find_all(std::string_view text, std::vector<std::string_view>& tokens) const {
  if (fast_ != Fast::none) {
    find_words(text, fast_ == Fast::long_words ? 2 : 1, tokens);
    return {};
  }
  PatternRun run(*this, text);
  std::uint32_t from = 0;
  Slots found{};
  while (run.next(from, found)) {
    const std::uint32_t begin = has_group_ ? found[2] : found[0];
    const std::uint32_t end = has_group_ ? found[3] : found[1];
    if (begin == unset || end == unset) {
      tokens.emplace_back();
    } else {
      tokens.push_back(text.substr(run.offset(begin), run.offset(end) - run.offset(begin)));
    }
    from = found[1];
  }
  if (run.exhausted()) {
    return make_error(Code::resource_exhausted, "the model's token_pattern takes too long on a text of {} bytes",
                      text.size());
  }
  return {};
}

}  // namespace jackdaw::predict
