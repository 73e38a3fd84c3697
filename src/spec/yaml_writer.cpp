#include <algorithm>
#include <cstdint>

#include "jackdaw/base/text.h"
#include "jackdaw/spec/yaml.h"
#include "src/spec/yaml_scalar.h"

namespace jackdaw::spec {
namespace {

constexpr std::string_view indicators = "-?:,[]{}#&*!|>'\"%@`=<~";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// YAML 1.1 also knows dates (2026-11-28), times and numbers of base 60 (12:30).
bool looks_like_time(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  if (text.find_first_not_of("0123456789-+:._TtZ ") != std::string_view::npos) return false;
  return text.find(':') != std::string_view::npos || (text.size() >= 8 && text[4] == '-');
}

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

// The text is valid UTF-8.
CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[std::min(at + i, text.size() - 1)]); };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xe0) return {(byte(0) & 0x1fU) << 6 | (byte(1) & 0x3fU), 2};
  if (byte(0) < 0xf0) return {(byte(0) & 0x0fU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU), 3};
  return {(byte(0) & 0x07U) << 18 | (byte(1) & 0x3fU) << 12 | (byte(2) & 0x3fU) << 6 | (byte(3) & 0x3fU), 4};
}

// Characters that stand for themselves only when they are escaped: controls, line breaks of Unicode, byte order marks.
bool must_escape(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

bool any_escape(std::string_view text, std::string_view allowed) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (must_escape(c.value) && allowed.find(text[i]) == std::string_view::npos) return true;
    i += c.bytes;
  }
  return false;
}

bool is_plain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  const bool option = text.size() > 1 && text[0] == '-' && text[1] != ' ' && !text.starts_with("---");  // "--max-len"
  if (!option && indicators.find(text.front()) != std::string_view::npos) return false;
  if (text.starts_with("...") || looks_like_time(text)) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  if (any_escape(text, "")) return false;
  Node node;
  resolve_plain_scalar(std::string(text), node);
  return node.kind == NodeKind::text;
}

// As a literal (|), which shows every line as it is.
bool is_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == '\n' || text.front() == ' ' || text.front() == '\t')
    return false;
  if (text.ends_with("\n\n") || any_escape(text, "\n")) return false;
  // A last line of spaces would be taken for the end.
  const std::size_t last = text.find_last_not_of('\n');
  return last != std::string_view::npos && text[last] != ' ';
}

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint c = code_point_at(text, i);
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += text[i];
    } else if (c.value == '\n' || c.value == '\t' || c.value == '\r') {
      out += c.value == '\n' ? "\\n" : c.value == '\t' ? "\\t" : "\\r";
    } else if (must_escape(c.value)) {
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += digits[c.value >> shift & 0xf];
    } else {
      out += text.substr(i, c.bytes);
    }
    i += c.bytes;
  }
  out += '"';
}

class Writer {
 public:
  std::string document(const Json& value) {
    if (is_block(value)) {
      write_block(value, 0, 0);
    } else {
      write_inline(value, 2);
    }
    return std::move(out_);
  }

 private:
  static bool is_block(const Json& value) { return !value.items().empty() || !value.members().empty(); }

  void indent(int columns) { out_.append(static_cast<std::size_t>(columns), ' '); }

  void write_text(std::string_view text) { is_plain(text) ? void(out_ += text) : append_quoted(out_, text); }

  // A value that begins on the line that stands already, and ends it. `columns`: where the lines of a literal begin.
  void write_inline(const Json& value, int columns) {
    if (!value.is_text()) {
      out_ += value.is_array() ? "[]" : value.is_object() ? "{}" : value.dump();
    } else if (is_literal(value.as_text())) {
      write_literal(value.as_text(), columns);
      return;
    } else {
      write_text(value.as_text());
    }
    out_ += '\n';
  }

  void write_literal(std::string_view text, int columns) {
    const bool ends = text.ends_with('\n');
    out_ += ends ? "|\n" : "|-\n";
    if (ends) text.remove_suffix(1);
    for (;;) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      if (!line.empty()) indent(columns);
      out_ += line;
      out_ += '\n';
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + 1);
    }
  }

  // The lines of a list or map that is not empty, at `columns`; the first one stands behind a "- " that is there.
  void write_block(const Json& value, int columns, int depth, bool first_stands = false) {
    CHECK(depth <= json_depth_max);
    for (const Json& item : value.items()) {
      if (!std::exchange(first_stands, false)) indent(columns);
      out_ += "- ";
      if (is_block(item)) {
        write_block(item, columns + 2, depth + 1, true);
      } else {
        write_inline(item, columns + 2);
      }
    }
    for (const Json::Member& member : value.members()) {
      if (!std::exchange(first_stands, false)) indent(columns);
      write_text(member.name);
      out_ += ':';
      write_member_value(member.value, columns, depth);
    }
  }

  void write_member_value(const Json& value, int columns, int depth) {
    if (!is_block(value)) {
      out_ += ' ';
      write_inline(value, columns + 2);
      return;
    }
    out_ += '\n';
    write_block(value, value.is_array() ? columns : columns + 2, depth + 1);
  }

  std::string out_;
};

}  // namespace

std::string to_yaml(const Json& value) {
  return Writer().document(value);
}

}  // namespace jackdaw::spec
