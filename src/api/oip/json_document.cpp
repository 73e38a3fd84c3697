#include "src/api/oip/json_document.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace jackdaw::api::oip {
namespace {

constexpr std::size_t kept_parser_bytes_max = 256 * 1024;

// What simdjson refuses and Python's readers take, rewritten outside of strings. Integers beyond 64 bits become floats
// (".0") for everyone, as orjson and Python make floats of them; the rest is for Numbers::python only.
class NumberRewriter {
 public:
  NumberRewriter(std::string_view text, bool python) : text_(text), python_(python) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        copy_string();
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        rewrite_number();
      } else if (!python_ || !(rewrite_word("NaN", "null") || rewrite_word("Infinity", "\"Infinity\""))) {
        out_ += text_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  void copy_string() {
    out_ += text_[at_++];
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) out_ += text_[at_++];
      out_ += text_[at_++];
    }
    if (at_ < text_.size()) out_ += text_[at_++];
  }

  bool rewrite_word(std::string_view word, std::string_view replacement) {
    if (text_.substr(at_, word.size()) != word) return false;
    out_ += replacement;
    at_ += word.size();
    return true;
  }

  void rewrite_number() {
    if (python_ && rewrite_word("-Infinity", "\"-Infinity\"")) return;
    const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    const std::string number(text_.substr(at_, end - at_));
    at_ = end;
    const bool integer = number.find_first_of(".eE") == std::string::npos;
    const bool beyond_double = python_ && std::isinf(std::strtod(number.c_str(), nullptr));
    constexpr std::size_t int64_digits = 19;
    out_ += beyond_double ? '"' + number + '"' : number;
    if (!beyond_double && integer && number.size() >= int64_digits) out_ += ".0";
  }

  std::string_view text_;
  const bool python_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

simdjson::error_code JsonDocument::parse_padded(std::string_view text) {
  if (text.size() <= kept_parser_bytes_max) {
    thread_local simdjson::dom::parser kept_parser;
    return kept_parser.parse(text.data(), text.size(), true).get(root_);
  }
  own_parser_ = std::make_unique<simdjson::dom::parser>();
  return own_parser_->parse(text.data(), text.size(), true).get(root_);
}

std::unique_ptr<JsonFault> JsonDocument::parse(std::string_view text, Numbers numbers) {
  // simdjson copies from the pointer of an empty view too, which may be null.
  if (text.empty()) return std::make_unique<JsonFault>(find_json_fault(text));
  const bool marked = text.starts_with("\xef\xbb\xbf");
  if (!marked && !parse_padded(text)) return nullptr;
  // The slow path: bodies that are refused, or hold numbers that only Python's readers take.
  JsonFault fault = find_json_fault(text);
  if (!marked && (fault.message.empty() || numbers == Numbers::python)) {
    const std::string rewritten = NumberRewriter(text, numbers == Numbers::python).run();
    const simdjson::error_code error = parse_padded(rewritten);
    if (!error) return nullptr;
    if (fault.message.empty()) fault.message = simdjson::error_message(error);
  }
  return std::make_unique<JsonFault>(std::move(fault));
}

}  // namespace jackdaw::api::oip
