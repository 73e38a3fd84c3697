// Page: the lines `inspect` prints; cut to the width, counted, and coloured by what they mean.
#pragma once

#include <string>
#include <string_view>

#include "jackdaw/formats/inspect.h"

namespace jackdaw::formats {

enum class LineStyle : unsigned char { plain, title, faint, danger, caution, good };

class Page {
 public:
  explicit Page(const InspectOptions& options);

  // `text` is cut to the width. Text from a file goes through `printable` first.
  void line(int indent, std::string_view text, LineStyle style = LineStyle::plain);
  void blank() { line(0, ""); }
  // "  key  value" with values in one column.
  void row(std::string_view key, std::string_view value, LineStyle style = LineStyle::plain);
  // Lines beyond lines_max are dropped; true once that happened.
  bool full() const { return full_; }
  const InspectOptions& options() const { return options_; }
  std::string take();

 private:
  InspectOptions options_;
  std::string out_;
  int lines_ = 0;
  bool full_ = false;
};

// Escapes whatever could steer a terminal (control characters, direction overrides) and cuts to `columns`.
std::string printable(std::string_view text, std::size_t columns);
// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number);
// A number as short as it can be said: "0.5", "1e+20", "nan".
std::string number_text(double value);

}  // namespace jackdaw::formats
