#include "jackdaw/spec/finding.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::spec {
namespace {

constexpr std::string_view red = "\x1b[1;31m", cyan = "\x1b[1;36m", bold = "\x1b[1m", plain = "\x1b[0m";

// A file must not be able to drive the terminal: control characters (C0, DEL, C1) become '?', tabs spaces.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c == '\t') {
      out += ' ';
    } else if (c < 0x20 || c == 0x7f) {
      out += '?';
    } else if (c1) {
      out += '?';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

// The lines of the files that findings are in, read once.
class SourceLines {
 public:
  std::string_view line(const std::string& file, int number) {
    const auto [lines, fresh] = files_.try_emplace(file);
    if (fresh) lines->second = read(file);
    const bool inside = number > 0 && static_cast<std::size_t>(number) <= lines->second.size();
    return inside ? std::string_view(lines->second[static_cast<std::size_t>(number) - 1]) : std::string_view();
  }

 private:
  static std::vector<std::string> read(const std::string& file) {
    constexpr std::size_t lines_max = 200'000;
    std::vector<std::string> lines;
    std::ifstream in(file);
    for (std::string line; lines.size() < lines_max && std::getline(in, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      lines.push_back(std::move(line));
    }
    return lines;
  }

  std::map<std::string, std::vector<std::string>> files_;
};

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

// The part of `text` that fits into `width` around the byte `column` (1-based), and the caret's offset in characters.
std::pair<std::string, std::size_t> window(std::string_view text, std::size_t column, std::size_t width) {
  std::size_t at = std::min(column - 1, text.size());
  std::size_t begin = 0;
  if (text.size() > width && at > width / 2) begin = std::min(at - width / 2, text.size() - width);
  while (begin > 0 && begin < text.size() && !starts_character(text[begin])) --begin;
  std::size_t end = std::min(begin + width, text.size());
  while (end < text.size() && !starts_character(text[end])) ++end;
  std::size_t caret = 0;
  for (std::size_t i = begin; i < at; ++i) caret += starts_character(text[i]) ? 1 : 0;
  return {printable(text.substr(begin, end - begin)), caret};
}

std::string_view severity_word(Severity severity) {
  return severity == Severity::error ? "error" : "note";
}

class TextRenderer {
 public:
  explicit TextRenderer(const RenderOptions& options) : options_(options) {}

  void add(const Finding& finding) {
    const std::string place = printable(finding.place.text());
    const std::string_view tint = finding.severity == Severity::error ? red : cyan;
    if (!place.empty()) out_ += painted(bold, place + ":") + " ";
    out_ += painted(tint, fmt::format("{}:", severity_word(finding.severity)));
    out_ += ' ';
    out_ += printable(finding.message);
    out_ += '\n';
    if (options_.source_lines) add_source(finding, tint);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string painted(std::string_view tint, std::string_view text) const {
    return options_.colour ? fmt::format("{}{}{}", tint, text, plain) : std::string(text);
  }

  void add_source(const Finding& finding, std::string_view tint) {
    if (finding.place.line <= 0 || finding.place.file.empty() || finding.place.file == "-") return;
    const std::string_view line = sources_.line(finding.place.file, finding.place.line);
    if (line.empty()) return;
    const auto column = static_cast<std::size_t>(std::max(finding.place.column, 1));
    const auto width = static_cast<std::size_t>(std::max(options_.width - 10, 20));
    const auto [text, caret] = window(line, column, width);
    out_ += fmt::format("{:>6} | {}\n", finding.place.line, text);
    if (finding.place.column > 0) out_ += fmt::format("       | {}{}\n", std::string(caret, ' '), painted(tint, "^"));
  }

  const RenderOptions& options_;
  SourceLines sources_;
  std::string out_;
};

// Files in the order they were read, lines in order within a file.
std::vector<const Finding*> ordered(std::span<const Finding> findings, bool reports) {
  std::map<std::string_view, std::size_t> rank;
  std::vector<const Finding*> out;
  for (const Finding& finding : findings) {
    rank.try_emplace(finding.place.file, rank.size());
    if (reports || finding.severity == Severity::error) out.push_back(&finding);
  }
  const auto key = [&](const Finding* f) { return std::tuple(rank[f->place.file], f->place.line, f->place.column); };
  std::stable_sort(out.begin(), out.end(), [&](const Finding* a, const Finding* b) { return key(a) < key(b); });
  return out;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(",\"{}\":", name);
  append_json_string(out, is_valid_utf8(text) ? text : std::string_view("(not valid UTF-8)"));
}

}  // namespace

std::string_view finding_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::syntax:
      return "syntax";
    case FindingKind::unknown_field:
      return "unknown_field";
    case FindingKind::wrong_type:
      return "wrong_type";
    case FindingKind::invalid_value:
      return "invalid_value";
    case FindingKind::missing_field:
      return "missing_field";
    case FindingKind::unsupported:
      return "unsupported";
    case FindingKind::no_effect:
      return "no_effect";
    case FindingKind::duplicate:
      return "duplicate";
    case FindingKind::file:
      return "file";
  }
  return "";
}

std::string render_findings_text(std::span<const Finding> findings, const RenderOptions& options) {
  TextRenderer renderer(options);
  for (const Finding* finding : ordered(findings, options.reports)) renderer.add(*finding);
  return renderer.take();
}

std::string render_findings_json(std::span<const Finding> findings) {
  std::size_t errors = 0;
  std::string rows;
  for (const Finding* finding : ordered(findings, true)) {
    errors += finding->severity == Severity::error ? 1 : 0;
    rows += fmt::format("{}{{\"severity\":\"{}\"", rows.empty() ? "" : ",", severity_word(finding->severity));
    append_member(rows, "kind", finding_name(finding->kind));
    append_member(rows, "file", finding->place.file);
    rows += fmt::format(",\"line\":{},\"column\":{}", finding->place.line, finding->place.column);
    append_member(rows, "pointer", finding->place.pointer);
    append_member(rows, "path", finding->path);
    append_member(rows, "message", finding->message);
    rows += '}';
  }
  return fmt::format("{{\"errors\":{},\"notes\":{},\"findings\":[{}]}}", errors, findings.size() - errors, rows);
}

}  // namespace jackdaw::spec
