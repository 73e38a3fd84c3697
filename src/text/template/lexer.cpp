#include "src/text/template/lexer.h"

#include <algorithm>
#include <charconv>

#include "src/text/template/heap.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

constexpr std::string_view symbols[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};

bool is_digit_of(char c, int base) {
  if (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return true;
  return c >= '0' && c < '0' + std::min(base, 10);
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) root();
    add(TokenKind::end, source_.size());
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail_at(std::size_t position, std::string message) {
    throw Failure{Code::invalid_argument, std::move(message), static_cast<std::uint32_t>(position)};
  }

  Token& add(TokenKind kind, std::size_t position) {
    tokens_.emplace_back();
    tokens_.back().kind = kind;
    tokens_.back().position = static_cast<std::uint32_t>(position);
    return tokens_.back();
  }
  void add_data(std::string_view text, std::size_t position) {
    if (!text.empty()) add(TokenKind::data, position).text = text;
  }

  bool at(std::string_view text) const { return source_.substr(at_, text.size()) == text; }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  void skip_space() { at_ = source_.size() - strip_left(source_.substr(at_)).size(); }

  // Text up to the next tag, and the tag's beginning.
  void root() {
    std::size_t tag = at_;
    while (true) {
      tag = source_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 >= source_.size()) {
        add_data(source_.substr(at_), at_);
        at_ = source_.size();
        return;
      }
      const char c = source_[tag + 1];
      if (c == '{' || c == '%' || c == '#') break;
      ++tag;
    }
    const char kind = source_[tag + 1];
    const char sign =
        tag + 2 < source_.size() && (source_[tag + 2] == '-' || source_[tag + 2] == '+') ? source_[tag + 2] : '\0';
    add_data(before_tag(source_.substr(at_, tag - at_), sign, kind != '{'), at_);
    at_ = tag + 2 + (sign != '\0' ? 1 : 0);
    if (kind == '#') {
      comment(tag);
    } else if (kind == '{') {
      add(TokenKind::variable_begin, tag);
      tag_body(tag, true);
    } else if (!raw(tag)) {
      add(TokenKind::block_begin, tag);
      tag_body(tag, false);
    }
  }

  // What remains of the text before a tag: '-' strips all blanks, lstrip_blocks those between line start and tag.
  std::string_view before_tag(std::string_view text, char sign, bool strip_line) const {
    if (sign == '-') return strip_right(text);
    if (sign == '+' || !strip_line) return text;
    const std::size_t newline = text.rfind('\n');
    const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
    if (start == 0 && !line_starting_) return text;
    return strip_left(text.substr(start)).empty() ? text.substr(0, start) : text;
  }

  // After the two characters of a closing tag that had `sign` before them.
  void after_tag(char sign, bool trim) {
    if (sign == '-') {
      skip_space();
    } else if (sign == '\0' && trim && peek() == '\n') {
      ++at_;
    }
    line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
  }

  // Like jinja2, lets a comment or raw block that begins at the very end pass.
  void comment(std::size_t tag) {
    if (at_ == source_.size()) return;
    const std::size_t close = source_.find("#}", at_);
    if (close == std::string_view::npos) fail_at(tag, "missing end of comment tag");
    const char before = close > at_ ? source_[close - 1] : '\0';
    at_ = close + 2;
    after_tag(before == '-' || before == '+' ? before : '\0', true);
  }

  bool word(std::string_view text) {
    skip_space();
    if (!at(text)) return false;
    at_ += text.size();
    skip_space();
    return true;
  }

  bool raw(std::size_t tag) {
    const std::size_t start = at_;
    if (word("raw")) {
      const bool stripped = at("-%}");
      if (stripped || at("%}")) {
        at_ += stripped ? 3 : 2;
        if (stripped) skip_space();
        raw_body(tag);
        return true;
      }
    }
    at_ = start;
    return false;
  }

  void raw_body(std::size_t tag) {
    if (at_ == source_.size()) return;
    line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
    const std::size_t body = at_;
    for (std::size_t open = source_.find("{%", at_); open != std::string_view::npos;
         open = source_.find("{%", open + 1)) {
      at_ = open + 2;
      const char sign = peek() == '-' || peek() == '+' ? peek() : '\0';
      if (sign != '\0') ++at_;
      if (!word("endraw")) continue;
      const char closing = peek() == '-' || peek() == '+' ? peek() : '\0';
      if (closing != '\0') ++at_;
      if (!at("%}")) continue;
      at_ += 2;
      add_data(before_tag(source_.substr(body, open - body), sign, true), body);
      after_tag(closing, true);
      return;
    }
    fail_at(tag, "missing end of raw directive");
  }

  void tag_body(std::size_t tag, bool variable) {
    std::vector<char> open;
    while (true) {
      skip_space();
      if (at_ >= source_.size()) fail_at(tag, variable ? "the tag {{ is never closed" : "the tag {% is never closed");
      if (open.empty() && close_tag(variable)) return;
      token(open);
    }
  }

  bool close_tag(bool variable) {
    const std::string_view end = variable ? "}}" : "%}";
    const char sign = peek() == '-' || (peek() == '+' && !variable) ? peek() : '\0';
    const std::size_t skip = sign != '\0' ? 1 : 0;
    if (source_.substr(at_ + skip, 2) != end) return false;
    add(variable ? TokenKind::variable_end : TokenKind::block_end, at_);
    at_ += skip + 2;
    after_tag(sign, !variable);
    return true;
  }

  void token(std::vector<char>& open) {
    const char c = peek();
    if (c >= '0' && c <= '9') return number();
    if (c == '\'' || c == '"') {
      if (string()) return;
      fail_at(at_, fmt::format("unexpected char {} (a string that does not end)", c == '"' ? "'\"'" : "\"'\""));
    }
    std::size_t after = at_;
    const char32_t first = next_code_point(source_, after);
    if (is_identifier_part(first) || is_alnum(first)) return name();
    for (const std::string_view symbol : symbols) {
      if (!at(symbol)) continue;
      balance(open, symbol[0]);
      add(TokenKind::symbol, at_).text = symbol;
      at_ += symbol.size();
      return;
    }
    std::string shown(source_.substr(at_, after - at_));
    fail_at(at_, fmt::format("unexpected char '{}'", shown));
  }

  void balance(std::vector<char>& open, char c) {
    if (c == '{') open.push_back('}');
    if (c == '(') open.push_back(')');
    if (c == '[') open.push_back(']');
    if (c != '}' && c != ')' && c != ']') return;
    if (open.empty()) fail_at(at_, fmt::format("unexpected '{}'", c));
    if (open.back() != c) fail_at(at_, fmt::format("unexpected '{}', expected '{}'", c, open.back()));
    open.pop_back();
  }

  void name() {
    const std::size_t start = at_;
    bool fine = true;
    while (at_ < source_.size()) {
      std::size_t after = at_;
      const char32_t c = next_code_point(source_, after);
      if (!is_identifier_part(c) && !is_alnum(c)) break;
      fine = fine && (at_ == start ? is_identifier_start(c) : is_identifier_part(c));
      at_ = after;
    }
    if (!fine) fail_at(start, "invalid character in identifier");
    add(TokenKind::name, start).text = source_.substr(start, at_ - start);
  }

  // Digits with single underscores between them; returns where they end, or `from` if there are none.
  std::size_t digits(std::size_t from, int base) const {
    std::size_t end = from;
    while (end < source_.size()) {
      const bool joined = source_[end] == '_' && end > from;
      const std::size_t digit = end + (joined ? 1 : 0);
      if (digit >= source_.size() || !is_digit_of(source_[digit], base)) break;
      end = digit + 1;
    }
    return end;
  }

  void number() {
    const std::size_t start = at_;
    const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
    if (!after_dot) {
      std::size_t end = digits(start, 10);
      bool is_real = false;
      if (end < source_.size() && source_[end] == '.') {
        const std::size_t fraction = digits(end + 1, 10);
        if (fraction > end + 1) {
          is_real = true;
          end = fraction;
        }
      }
      if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
        const std::size_t sign =
            end + 1 < source_.size() && (source_[end + 1] == '+' || source_[end + 1] == '-') ? 1 : 0;
        const std::size_t exponent = digits(end + 1 + sign, 10);
        if (exponent > end + 1 + sign) {
          is_real = true;
          end = exponent;
        }
      }
      if (is_real) return real(start, end);
    }
    integer(start);
  }

  std::string plain(std::size_t start, std::size_t end) const {
    std::string text(source_.substr(start, end - start));
    text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
    return text;
  }

  void real(std::size_t start, std::size_t end) {
    const std::string text = plain(start, end);
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc::result_out_of_range) value = std::strtod(text.c_str(), nullptr);
    add(TokenKind::real, start).real = value;
    at_ = end;
  }

  void integer(std::size_t start) {
    int base = 10;
    std::size_t from = start;
    if (source_[start] == '0' && start + 1 < source_.size()) {
      const char mark = static_cast<char>(source_[start + 1] | 0x20);
      base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      from = base == 10 ? start : start + 2;
    }
    // After the mark an underscore may come first.
    const std::size_t skip = base != 10 && from < source_.size() && source_[from] == '_' ? 1 : 0;
    std::size_t end = digits(from + skip, base);
    if (base != 10 && end == from + skip) {
      base = 10;
      from = start;
      end = start + 1;
    }
    if (base == 10 && source_[start] == '0') {  // Only zeros may follow a zero.
      end = start + 1;
      while (end < source_.size() &&
             (source_[end] == '0' || (source_[end] == '_' && end + 1 < source_.size() && source_[end + 1] == '0')))
        ++end;
    }
    const std::string text = plain(from, end);
    std::int64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value, base).ec != std::errc())
      fail_at(start, "integers beyond 64 bits are not supported in templates");
    add(TokenKind::integer, start).integer = value;
    at_ = end;
  }

  bool string() {
    const char quote = source_[at_];
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return false;
    const std::size_t start = at_;
    std::string text = unescape(source_.substr(start + 1, end - start - 1), start);
    add(TokenKind::string, start).text = std::move(text);
    at_ = end + 1;
    return true;
  }

  // Python's unicode-escape.
  std::string unescape(std::string_view text, std::size_t position) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] != '\\') {
        out += text[i++];
        continue;
      }
      ++i;
      escape(out, text, i, position);
    }
    return out;
  }

  void escape(std::string& out, std::string_view text, std::size_t& i, std::size_t position) {
    const char c = text[i];
    constexpr std::string_view marks = "\n\\'\"abfnrtv";
    constexpr std::string_view means[] = {"", "\\", "'", "\"", "\a", "\b", "\f", "\n", "\r", "\t", "\v"};
    if (const std::size_t found = marks.find(c); found != std::string_view::npos) {
      out += means[found];
      ++i;
      return;
    }
    if (c >= '0' && c <= '7') {
      std::uint32_t code = 0;
      for (int n = 0; n < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++n)
        code = code * 8 + static_cast<std::uint32_t>(text[i++] - '0');
      append_code_point(out, code);
      return;
    }
    const int length = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (length > 0) return hexadecimal(out, text, i, length, position);
    if (c == 'N') fail_at(position, "\\N{...} escapes are not supported in templates");
    out += '\\';
    if (static_cast<unsigned char>(c) < 0x80) return;  // An unknown escape stands for itself.
    const auto code = static_cast<std::uint32_t>(next_code_point(text, i));
    out += code < 0x100     ? fmt::format("x{:02x}", code)
           : code < 0x10000 ? fmt::format("u{:04x}", code)
                            : fmt::format("U{:08x}", code);
  }

  void hexadecimal(std::string& out, std::string_view text, std::size_t& i, int length, std::size_t position) {
    std::uint32_t code = 0;
    const std::string_view digits = text.substr(i + 1, static_cast<std::size_t>(length));
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (static_cast<int>(digits.size()) < length || read.ptr != digits.data() + digits.size() || read.ec != std::errc())
      fail_at(position, fmt::format("truncated \\{} escape in a string", text[i]));
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      fail_at(position, "an escape that is no character in a string");
    append_code_point(out, code);
    i += static_cast<std::size_t>(length) + 1;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

std::string normalize_lines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
      continue;
    }
    out += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace jackdaw::text::jinja
