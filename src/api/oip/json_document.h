// JsonDocument: a request body parsed by simdjson, with what Python's readers allow beyond it (integers of any size).
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"
#include "src/api/oip/json_fault.h"

namespace jackdaw::api::oip {

// Elements are valid as long as the document. Uses a parser that the thread keeps for small bodies and one of its own
// for large ones, so at most one small document may be alive per thread.
class JsonDocument {
 public:
  // `python_numbers`: also take what Python's json module does, NaN (read as null), Infinity and numbers beyond double
  // (read as texts that spell a float).
  enum class Numbers : unsigned char { json, python };
  // Returns the fault when the text is not JSON.
  std::unique_ptr<JsonFault> parse(std::string_view text, Numbers numbers = Numbers::json);
  simdjson::dom::element root() const { return root_; }

 private:
  simdjson::error_code parse_padded(std::string_view text);

  std::unique_ptr<simdjson::dom::parser> own_parser_;
  simdjson::dom::element root_;
};

}  // namespace jackdaw::api::oip
