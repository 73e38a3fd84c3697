// ValueCursor: a pull reader over nested values, the same for XGBoost's JSON and UBJSON, so that its schema is read by
// one piece of code and without a document in memory.
//
// The cursor stands before one value; exactly one of the calls below consumes it. Inside `object` and `array` the
// handler is called with the cursor before each member's value and must consume it. After an error the cursor is dead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

enum class ValueKind : unsigned char { object, array, text, number, boolean, null, end };

class ValueCursor {
 public:
  using Member = std::function<Result<void>(std::string_view key)>;
  using Element = std::function<Result<void>()>;

  virtual ~ValueCursor() = default;
  virtual std::size_t offset() const = 0;
  // What comes next, without consuming it; `end` when nothing does or it is no value.
  virtual ValueKind kind() = 0;

  // A key that comes twice is an error.
  virtual Result<void> object(const Member& member) = 0;
  virtual Result<void> array(const Element& element) = 0;
  // A text, or a number, boolean or null as text.
  virtual Result<std::string> scalar() = 0;
  // Arrays of numbers. Booleans count as 0 and 1 among integers; a fraction is an error there.
  virtual Result<std::vector<float>> floats() = 0;
  virtual Result<std::vector<double>> doubles() = 0;
  virtual Result<std::vector<std::int64_t>> integers() = 0;
  // Only padding (white space, NUL) may follow the last value.
  virtual Result<void> expect_end() = 0;

  Result<void> skip();
  // skip() for an array; a cursor that knows its size need not look at the elements.
  virtual Result<void> skip_array() {
    return array([this] { return skip(); });
  }
  Result<std::vector<std::string>> texts();
  // Error{code, message} with "offset N".
  Error error(Code code, std::string_view message) const;
};

// JSON (RFC 8259) and the NaN, Infinity and -Infinity that XGBoost's and Python's writers add. Numbers are rounded to
// float straight from their digits, as XGBoost does; a detour through double could round twice. Text must be UTF-8.
// This is why simdjson does not read model files: it knows neither of the two. `text` outlives the cursor.
std::unique_ptr<ValueCursor> json_cursor(std::string_view text, std::uint32_t nesting_max);

}  // namespace jackdaw::formats
