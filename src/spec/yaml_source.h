// YamlSource: looks at the text itself where yaml-cpp 0.7 takes what is not YAML: a quote that the end of the file
// closes, a second document without `---`, and a last line that is a key without its colon.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace jackdaw::spec {

// Lines and columns are 0-based here, columns in bytes, as yaml-cpp counts them.
class YamlSource {
 public:
  explicit YamlSource(std::string_view text);

  // Whether a quoted scalar at this place has its closing quote.
  bool quote_is_closed(int line, int column) const;
  // Whether a document may begin here: at "---", or after a "..." line.
  bool document_may_begin(int line, int column) const;
  // Whether the key at this place has its colon, or stands behind "? ". `raw` is the key as it was written.
  bool key_has_colon(int line, int column, std::string_view raw) const;

 private:
  std::size_t offset(int line, int column) const;
  // Behind the closing quote of the text at `at`, npos when there is none.
  std::size_t behind_quoted(std::size_t at) const;

  std::string_view text_;
  std::vector<std::size_t> line_begins_;
};

}  // namespace jackdaw::spec
