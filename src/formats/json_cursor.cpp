#include "src/formats/json_cursor.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include "jackdaw/base/text.h"

namespace jackdaw::formats {

Error ValueCursor::error(Code code, std::string_view message) const {
  return Error{code, std::string(message), fmt::format("offset {}", offset())};
}

// Recursion is bounded: `object` and `array` refuse to nest deeper than the cursor's limit.
Result<void> ValueCursor::skip() {
  switch (kind()) {
    case ValueKind::object:
      return object([this](std::string_view) { return skip(); });
    case ValueKind::array:
      return skip_array();
    default:
      JACKDAW_TRY(scalar());
      return {};
  }
}

Result<std::vector<std::string>> ValueCursor::texts() {
  std::vector<std::string> out;
  JACKDAW_TRY(array([&]() -> Result<void> {
    JACKDAW_ASSIGN(out.emplace_back(), scalar());
    return {};
  }));
  return out;
}

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_number_char(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class JsonCursor final : public ValueCursor {
 public:
  JsonCursor(std::string_view text, std::uint32_t nesting_max) : text_(text), nesting_max_(nesting_max) {}

  std::size_t offset() const override { return at_; }

  ValueKind kind() override {
    skip_space();
    if (at_ == text_.size()) return ValueKind::end;
    switch (text_[at_]) {
      case '{':
        return ValueKind::object;
      case '[':
        return ValueKind::array;
      case '"':
        return ValueKind::text;
      case 't':
      case 'f':
        return ValueKind::boolean;
      case 'n':
        return ValueKind::null;
      case '}':
      case ']':
      case ',':
      case ':':
        return ValueKind::end;
      default:
        return ValueKind::number;
    }
  }

  Result<void> object(const Member& member) override {
    JACKDAW_TRY(enter('{', "an object"));
    std::set<std::string, std::less<>> seen;
    if (take('}')) return leave();
    while (true) {
      skip_space();
      JACKDAW_ASSIGN(std::string key, text());
      if (!take(':')) return error(Code::parse_error, "Expected ':' after a key.");
      const auto [place, fresh] = seen.insert(std::move(key));
      if (!fresh) return error(Code::parse_error, fmt::format("The key \"{}\" comes twice.", *place));
      JACKDAW_TRY(member(*place));
      if (take('}')) return leave();
      if (!take(',')) return error(Code::parse_error, "Expected ',' or '}' in an object.");
    }
  }

  Result<void> array(const Element& element) override {
    JACKDAW_TRY(enter('[', "an array"));
    if (take(']')) return leave();
    while (true) {
      JACKDAW_TRY(element());
      if (take(']')) return leave();
      if (!take(',')) return error(Code::parse_error, "Expected ',' or ']' in an array.");
    }
  }

  Result<std::string> scalar() override {
    switch (kind()) {
      case ValueKind::text:
        return text();
      case ValueKind::number:
      case ValueKind::boolean:
      case ValueKind::null: {
        const std::string_view token = take_token();
        if (!is_literal(token)) {
          double value;
          JACKDAW_TRY(parse(token, value));
        }
        return std::string(token);
      }
      default:
        return error(Code::parse_error, "Expected a text or number here.");
    }
  }

  Result<std::vector<float>> floats() override { return numbers<float>(); }
  Result<std::vector<double>> doubles() override { return numbers<double>(); }
  Result<std::vector<std::int64_t>> integers() override { return numbers<std::int64_t>(); }

  Result<void> expect_end() override {
    while (at_ < text_.size() && (is_space(text_[at_]) || text_[at_] == '\0')) ++at_;
    if (at_ != text_.size()) return error(Code::parse_error, "More bytes follow the end of the document.");
    return {};
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<void> enter(char open, std::string_view what) {
    if (!take(open)) return error(Code::parse_error, fmt::format("Expected {} here.", what));
    if (++depth_ > nesting_max_) {
      return error(Code::parse_error, fmt::format("Containers are nested deeper than {}.", nesting_max_));
    }
    return {};
  }
  Result<void> leave() {
    --depth_;
    return {};
  }

  static bool is_literal(std::string_view token) { return token == "true" || token == "false" || token == "null"; }

  // A number or literal; the cursor stands at its first character.
  std::string_view take_token() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_number_char(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  template <typename T>
  Result<void> parse(std::string_view token, T& out) {
    if constexpr (std::is_floating_point_v<T>) {
      if (parse_special(token, out)) return {};
      if (!token.empty() && token[0] != '-' && (token[0] < '0' || token[0] > '9')) return not_a_number(token);
    } else if (token == "true" || token == "false") {
      out = token == "true" ? 1 : 0;
      return {};
    }
    const char* end = token.data() + token.size();
    const auto [stop, status] = std::from_chars(token.data(), end, out);
    if (stop != end || token.empty()) return not_a_number(token);
    if (status == std::errc::result_out_of_range) return out_of_range(token, out);
    if (status != std::errc()) return not_a_number(token);
    return {};
  }
  template <typename T>
  static bool parse_special(std::string_view token, T& out) {
    if (token == "NaN" || token == "nan") {
      out = std::numeric_limits<T>::quiet_NaN();
    } else if (token == "Infinity" || token == "inf") {
      out = std::numeric_limits<T>::infinity();
    } else if (token == "-Infinity" || token == "-inf") {
      out = -std::numeric_limits<T>::infinity();
    } else {
      return false;
    }
    return true;
  }
  // Too small rounds to zero or a denormal, too large to infinity, as strtof has it. Integers have no such way out.
  template <typename T>
  Result<void> out_of_range(std::string_view token, T& out) {
    if constexpr (std::is_floating_point_v<T>) {
      double wide = 0.0;
      const auto status = std::from_chars(token.data(), token.data() + token.size(), wide).ec;
      if (status == std::errc()) {
        out = static_cast<T>(wide);
        return {};
      }
    }
    return error(Code::parse_error, fmt::format("The number {} is out of range.", token.substr(0, 40)));
  }
  Result<void> not_a_number(std::string_view token) {
    return error(Code::parse_error, fmt::format("Expected a number, found \"{}\".", token.substr(0, 40)));
  }

  template <typename T>
  Result<std::vector<T>> numbers() {
    std::vector<T> out;
    JACKDAW_TRY(enter('[', "an array of numbers"));
    if (!take(']')) {
      while (true) {
        skip_space();
        T value{};
        JACKDAW_TRY(parse(take_token(), value));
        out.push_back(value);
        if (take(']')) break;
        if (!take(',')) return error(Code::parse_error, "Expected ',' or ']' in an array of numbers.");
      }
    }
    JACKDAW_TRY(leave());
    return out;
  }

  Result<std::string> text() {
    if (!take('"')) return error(Code::parse_error, "Expected a text here.");
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') {
        if (!is_valid_utf8(out)) return error(Code::parse_error, "A text is not valid UTF-8.");
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
        return error(Code::parse_error, "A control character stands unescaped in a text.");
      }
      if (c != '\\') {
        out.push_back(c);
      } else {
        JACKDAW_TRY(escape(out));
      }
    }
    return error(Code::parse_error, "The file ends inside a text.");
  }

  Result<void> escape(std::string& out) {
    if (at_ == text_.size()) return error(Code::parse_error, "The file ends inside a text.");
    const char c = text_[at_++];
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out.push_back(c);
        return {};
      case 'b':
        out.push_back('\b');
        return {};
      case 'f':
        out.push_back('\f');
        return {};
      case 'n':
        out.push_back('\n');
        return {};
      case 'r':
        out.push_back('\r');
        return {};
      case 't':
        out.push_back('\t');
        return {};
      case 'u':
        return unicode_escape(out);
      default:
        return error(Code::parse_error, "Unknown escape in a text.");
    }
  }

  Result<void> unicode_escape(std::string& out) {
    std::uint32_t code;
    if (!hex4(code)) return error(Code::parse_error, "Expected four hex digits after \\u.");
    if (code >= 0xd800 && code < 0xdc00) {
      std::uint32_t low;
      if (text_.substr(at_, 2) != "\\u") return error(Code::parse_error, "A surrogate stands alone in a text.");
      at_ += 2;
      if (!hex4(low) || low < 0xdc00 || low > 0xdfff) {
        return error(Code::parse_error, "A surrogate stands alone in a text.");
      }
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return {};
  }
  bool hex4(std::uint32_t& out) {
    if (text_.size() - at_ < 4) return false;
    const char* begin = text_.data() + at_;
    const auto [stop, status] = std::from_chars(begin, begin + 4, out, 16);
    at_ += 4;
    return status == std::errc() && stop == begin + 4;
  }
  static void append_utf8(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xc0 | (code >> 6)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | (code >> 12)));
      out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else {
      out.push_back(static_cast<char>(0xf0 | (code >> 18)));
      out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3f)));
      out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
  std::uint32_t nesting_max_;
};

}  // namespace

std::unique_ptr<ValueCursor> json_cursor(std::string_view text, std::uint32_t nesting_max) {
  return std::make_unique<JsonCursor>(text, nesting_max);
}

}  // namespace jackdaw::formats
