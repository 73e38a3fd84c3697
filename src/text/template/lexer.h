// The tokens of a template: text, and what stands between {{ }} and {% %}.
//
// Follows jinja2's lexer with trim_blocks and lstrip_blocks on: a newline after a block goes, and so do blanks before
// a block at the start of a line; '-' and '+' at a tag's edge override both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jackdaw::text::jinja {

enum class TokenKind : std::uint8_t {
  data,
  variable_begin,
  variable_end,
  block_begin,
  block_end,
  name,
  string,
  integer,
  real,
  symbol,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint32_t position = 0;  // byte offset in the source
  std::string text;            // names, symbols as written; data and strings with their escapes resolved
  std::int64_t integer = 0;
  double real = 0;

  bool is_symbol(std::string_view s) const { return kind == TokenKind::symbol && text == s; }
  bool is_name(std::string_view s) const { return kind == TokenKind::name && text == s; }
};

// Throws Failure. `source` is valid UTF-8 whose line ends are all \n (see normalize_lines).
std::vector<Token> tokenize(std::string_view source);

// \r\n and \r become \n, and one newline at the end goes (keep_trailing_newline is off).
std::string normalize_lines(std::string_view source);

}  // namespace jackdaw::text::jinja
