#include "src/app/client/table_layout.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "jackdaw/base/text.h"

namespace jackdaw::app {
namespace {

constexpr int gap = 3;
constexpr int shortest = 6;  // what a shortened column keeps
constexpr int gone = -1;     // width of a column that is left out

struct Glyph {
  std::size_t bytes = 1;
  int width = 1;
};

// East Asian wide and emoji blocks; enough for aligned columns, no more.
int width_of(std::uint32_t c) {
  if (c >= 0x300 && c <= 0x36f) return 0;
  if (c == 0x200b || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f)) return 0;
  const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                    (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
  return wide ? 2 : 1;
}

// Of valid UTF-8.
Glyph glyph_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint32_t c = bytes == 1 ? lead : lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes && at + i < text.size(); ++i) {
    c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  }
  return {std::min(bytes, text.size() - at), width_of(c)};
}

std::string clean(std::string text) {
  if (!is_valid_utf8(text)) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

std::string capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// States are the words worth a colour.
std::string_view colour_of(std::string_view cell) {
  constexpr std::array<std::string_view, 4> good{"True", "READY", "Loaded", "UpToDate"};
  constexpr std::array<std::string_view, 5> bad{"False", "UNAVAILABLE", "FailedToLoad", "BlockedByFailedLoad",
                                                "Warning"};
  constexpr std::array<std::string_view, 4> open{"Unknown", "LOADING", "UNLOADING", "InProgress"};
  const auto is_in = [cell](const auto& words) { return std::find(words.begin(), words.end(), cell) != words.end(); };
  if (is_in(good)) return "\x1b[32m";
  if (is_in(bad)) return "\x1b[31m";
  return is_in(open) ? "\x1b[33m" : "";
}

int total(const std::vector<int>& widths) {
  int sum = -gap;
  for (const int width : widths) sum += width == gone ? 0 : width + gap;
  return sum;
}

}  // namespace

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Glyph glyph = glyph_at(text, i);
    width += glyph.width;
    i += glyph.bytes;
  }
  return width;
}

std::string shortened(std::string_view text, int width) {
  if (display_width(text) <= width) return std::string(text);
  if (width <= 0) return {};
  int taken = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const Glyph glyph = glyph_at(text, i);
    if (taken + glyph.width > width - 1) break;
    taken += glyph.width;
    i += glyph.bytes;
  }
  return std::string(text.substr(0, i)) + "…";
}

void TableLayout::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = clean(std::move(cell));
  rows_.push_back(std::move(cells));
}

std::vector<int> TableLayout::natural_widths() const {
  std::vector<int> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  return widths;
}

void TableLayout::fit(std::vector<int>& widths, int width) const {
  if (width <= 0 || total(widths) <= width) return;
  for (std::size_t i = columns_.size(); i-- > 1 && total(widths) > width;) {
    const bool empty = std::all_of(rows_.begin(), rows_.end(), [i](const auto& row) { return row[i].empty(); });
    if (empty && !rows_.empty()) widths[i] = gone;
  }
  // The widest first; the first column counts as half as wide as it is.
  const auto weight = [&widths](std::size_t i) { return i == 0 ? widths[i] / 2 : widths[i]; };
  while (total(widths) > width) {
    std::size_t widest = 0;
    for (std::size_t i = 1; i < widths.size(); ++i) {
      if (weight(i) > weight(widest)) widest = i;
    }
    if (widths[widest] <= shortest) return;  // nothing left to take
    --widths[widest];
  }
}

void TableLayout::append_row(std::string& out, const std::vector<std::string>& cells, const std::vector<int>& widths,
                             const TableStyle& style, bool is_header) const {
  std::string line;
  std::size_t kept = 0;  // bytes of the line up to its last cell that is not empty
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == gone) continue;
    if (i > 0) line.append(gap, ' ');
    const std::string cell = shortened(cells[i], widths[i]);
    const auto padding = static_cast<std::size_t>(std::max(widths[i] - display_width(cell), 0));
    if (columns_[i].right) line.append(padding, ' ');
    const std::string_view colour = style.colour ? (is_header ? "\x1b[1m" : colour_of(cell)) : "";
    line += colour;
    line += cell;
    if (!colour.empty()) line += "\x1b[0m";
    if (!cell.empty()) kept = line.size();
    if (!columns_[i].right) line.append(padding, ' ');
  }
  line.resize(kept);
  out += line;
  out += '\n';
}

void TableLayout::append_header(std::string& out, const std::vector<int>& widths, const TableStyle& style) const {
  std::vector<std::string> titles;
  for (const TableColumn& column : columns_) titles.push_back(capitals(column.title));
  append_row(out, titles, widths, style, true);
}

std::string TableLayout::text(const TableStyle& style) const {
  std::vector<int> widths = natural_widths();
  fit(widths, style.width);
  std::string out;
  if (style.header) append_header(out, widths, style);
  for (const auto& row : rows_) append_row(out, row, widths, style, false);
  return out;
}

std::string TableLayout::next_rows(const TableStyle& style) {
  const std::vector<int> natural = natural_widths();
  const bool first = shown_widths_.empty();
  if (first) shown_widths_ = natural;
  for (std::size_t i = 0; i < natural.size(); ++i) shown_widths_[i] = std::max(shown_widths_[i], natural[i]);
  fit(shown_widths_, style.width);
  std::string out;
  if (first && style.header) append_header(out, shown_widths_, style);
  for (const auto& row : rows_) append_row(out, row, shown_widths_, style, false);
  rows_.clear();
  return out;
}

}  // namespace jackdaw::app
