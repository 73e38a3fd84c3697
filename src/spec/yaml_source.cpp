#include "src/spec/yaml_source.h"

#include <algorithm>

namespace jackdaw::spec {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

YamlSource::YamlSource(std::string_view text) : text_(text) {
  line_begins_.push_back(0);
  for (std::size_t at = text.find('\n'); at != npos; at = text.find('\n', at + 1)) line_begins_.push_back(at + 1);
}

std::size_t YamlSource::offset(int line, int column) const {
  if (line < 0 || column < 0 || static_cast<std::size_t>(line) >= line_begins_.size()) return text_.size();
  return std::min(line_begins_[static_cast<std::size_t>(line)] + static_cast<std::size_t>(column), text_.size());
}

std::size_t YamlSource::behind_quoted(std::size_t at) const {
  const char quote = text_[at];
  for (std::size_t i = at + 1; i < text_.size(); ++i) {
    if (quote == '"' && text_[i] == '\\') {
      ++i;
    } else if (text_[i] == quote) {
      const bool doubled = quote == '\'' && i + 1 < text_.size() && text_[i + 1] == quote;
      if (!doubled) return i + 1;
      ++i;
    }
  }
  return npos;
}

bool YamlSource::quote_is_closed(int line, int column) const {
  // An anchor or tag may stand before the quote; a literal (|, >) has none.
  constexpr std::string_view blanks = " \t\r\n";
  std::size_t at = text_.find_first_not_of(blanks, offset(line, column));
  while (at != npos && (text_[at] == '&' || text_[at] == '!')) {
    at = text_.find_first_not_of(blanks, std::min(text_.find_first_of(blanks, at), text_.size()));
  }
  const bool quoted = at != npos && (text_[at] == '\'' || text_[at] == '"');
  return !quoted || behind_quoted(at) != npos;
}

bool YamlSource::document_may_begin(int line, int column) const {
  if (starts_with(text_.substr(offset(line, column)), "---")) return true;
  for (int before = line - 1; before >= 0; --before) {
    const std::string_view row = text_.substr(offset(before, 0), offset(before + 1, 0) - offset(before, 0));
    if (starts_with(row, "...")) return true;
    const std::size_t first = row.find_first_not_of(" \t\r\n");
    if (first != npos && row[first] != '#') return false;
  }
  return true;
}

bool YamlSource::key_has_colon(int line, int column, std::string_view raw) const {
  const std::size_t begin = offset(line, column);
  if (begin >= text_.size()) return false;
  const char first = text_[begin];
  if (first == '&' || first == '!' || first == '*') return true;  // not looked into
  const bool quoted = first == '"' || first == '\'';
  std::size_t end = quoted ? behind_quoted(begin) : begin + raw.size();
  end = end >= text_.size() ? npos : text_.find_first_not_of(" \t\r\n", end);
  if (end != npos && text_[end] == ':') return true;
  const std::size_t before = begin == 0 ? npos : text_.find_last_not_of(" \t\r\n", begin - 1);
  return before != npos && text_[before] == '?';
}

}  // namespace jackdaw::spec
