#include "src/app/client/log_lines.h"

#include <fmt/format.h>

#include <iterator>

#include "src/app/client/session.h"

namespace jackdaw::app {
namespace {

std::string_view colour_of(std::string_view level) {
  if (level == "error") return "\x1b[31m";
  if (level == "warning") return "\x1b[33m";
  return level == "debug" ? "\x1b[2m" : "\x1b[32m";
}

// As the daemon itself quotes: texts with spaces, quotes, '=' or nothing in them.
std::string value_text(const spec::Json& value) {
  if (!value.is_text()) return value.dump();
  const std::string_view text = value.as_text();
  const bool plain = !text.empty() && text.find_first_of(" \"=\\\t\n\r\x7f") == std::string_view::npos;
  return plain ? std::string(text) : value.dump();
}

}  // namespace

std::string log_line_text(std::string_view json_line, bool colour) {
  const Result<spec::Json> record = spec::read_json(json_line, "line");
  if (!record || record->find("msg") == nullptr) return std::string(json_line);
  const std::string level = text_at(*record, {"level"});
  std::string out = fmt::format("{} {}{:<7}{} ", text_at(*record, {"ts"}), colour ? colour_of(level) : "", level,
                                colour ? "\x1b[0m" : "");
  for (const char c : text_at(*record, {"msg"})) out += c == '\n' || c == '\r' ? ' ' : c;
  for (const spec::Json::Member& member : record->members()) {
    if (member.name == "ts" || member.name == "level" || member.name == "msg") continue;
    fmt::format_to(std::back_inserter(out), " {}={}", member.name, value_text(member.value));
  }
  return out;
}

}  // namespace jackdaw::app
