// Unicode text as Python's str sees it: code points, their properties, and case mapping. Text is UTF-8 that has been
// validated (template sources and JSON both are), so decoding needs no error path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jackdaw::text::jinja {

// Decodes the code point at `at` and moves past it. Bytes that are no UTF-8 count as one code point each.
char32_t next_code_point(std::string_view text, std::size_t& at);
// The start of the code point that ends at `at`.
std::size_t previous_start(std::string_view text, std::size_t at);
void append_code_point(std::string& out, char32_t code_point);
std::size_t count_code_points(std::string_view text);
bool is_ascii(std::string_view text);
bool is_valid_utf8(std::string_view text);

bool is_space(char32_t c);       // str.isspace, and what strip() and split() remove
bool is_line_break(char32_t c);  // what splitlines() splits at
bool is_printable(char32_t c);
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_digit(char32_t c);
bool is_numeric(char32_t c);
bool is_alnum(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
bool is_identifier_start(char32_t c);
bool is_identifier_part(char32_t c);

// Full case mapping: one character may become several, and sigma has its final form.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title_case(std::string_view text);
std::string swap_case(std::string_view text);

std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);

}  // namespace jackdaw::text::jinja
