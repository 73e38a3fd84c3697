// TableLayout: rows of text as columns that fit a terminal. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jackdaw::app {

struct TableColumn {
  std::string title;   // printed in capitals
  bool right = false;  // numbers
};

struct TableStyle {
  int width = 0;  // 0 = as wide as it gets
  bool colour = false;
  bool header = true;
};

// Columns of characters that `text` takes: one per code point, two for wide scripts, none for combining marks.
int display_width(std::string_view text);
// At most `width` columns; what is cut is marked by "…".
std::string shortened(std::string_view text, int width);

class TableLayout {
 public:
  explicit TableLayout(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}

  // One cell per column; missing ones are empty, further ones are dropped. Control characters become spaces.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // Three spaces between columns, as kubectl. A table too wide for `style.width` first loses the columns that are empty
  // in every row, then the widest cells are shortened; names of objects (the first column) and states are shortened
  // last.
  std::string text(const TableStyle& style) const;

  // The rows added since the last call, which are forgotten then, in columns about as wide as before: for tables that
  // grow while they are looked at. The header comes with the first call.
  std::string next_rows(const TableStyle& style);

 private:
  std::vector<int> natural_widths() const;
  void fit(std::vector<int>& widths, int width) const;
  void append_header(std::string& out, const std::vector<int>& widths, const TableStyle& style) const;
  void append_row(std::string& out, const std::vector<std::string>& cells, const std::vector<int>& widths,
                  const TableStyle& style, bool is_header) const;

  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<int> shown_widths_;  // of next_rows
};

}  // namespace jackdaw::app
