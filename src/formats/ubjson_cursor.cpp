#include "src/formats/ubjson_cursor.h"

#include <cmath>
#include <set>

#include "jackdaw/base/text.h"

namespace jackdaw::formats {
namespace {

// What a number marker stands for.
std::size_t number_size(char marker) {
  switch (marker) {
    case 'i':
    case 'U':
      return 1;
    case 'I':
      return 2;
    case 'l':
    case 'd':
      return 4;
    case 'L':
    case 'D':
      return 8;
    default:
      return 0;
  }
}
bool is_integer_marker(char marker) {
  return number_size(marker) != 0 && marker != 'd' && marker != 'D';
}

// The head of an array: how many elements, and of what type when all have one.
struct ArrayHead {
  bool counted = false;
  char type = 0;
  std::uint64_t count = 0;
};

class UbjsonCursor final : public ValueCursor {
 public:
  UbjsonCursor(Bytes bytes, std::uint32_t nesting_max) : reader_(bytes), nesting_max_(nesting_max) {}

  std::size_t offset() const override { return reader_.offset(); }

  ValueKind kind() override {
    switch (const char marker = peek()) {
      case '{':
        return ValueKind::object;
      case '[':
        return ValueKind::array;
      case 'S':
      case 'C':
        return ValueKind::text;
      case 'T':
      case 'F':
        return ValueKind::boolean;
      case 'Z':
        return ValueKind::null;
      default:
        return number_size(marker) != 0 ? ValueKind::number : ValueKind::end;
    }
  }

  Result<void> object(const Member& member) override {
    if (element_type_ != 0 || !take('{')) return error(Code::parse_error, "Expected an object here.");
    JACKDAW_TRY(deeper());
    if (peek() == '#' || peek() == '$')
      return error(Code::unsupported, "Counted objects are not part of XGBoost's UBJSON.");
    std::set<std::string, std::less<>> seen;
    while (!take('}')) {
      JACKDAW_ASSIGN(std::string key, text_body("a key"));
      const auto [place, fresh] = seen.insert(std::move(key));
      if (!fresh) return error(Code::parse_error, fmt::format("The key \"{}\" comes twice.", *place));
      JACKDAW_TRY(member(*place));
    }
    --depth_;
    return {};
  }

  Result<void> array(const Element& element) override {
    JACKDAW_ASSIGN(const ArrayHead head, array_head());
    return elements(head, element);
  }

  Result<void> skip_array() override {
    JACKDAW_ASSIGN(const ArrayHead head, array_head());
    if (head.type == 0) return elements(head, [this] { return skip(); });
    --depth_;
    if (!reader_.skip(head.count * number_size(head.type))) return truncated();
    return {};
  }

  Result<std::string> scalar() override {
    const char marker = take_marker();
    switch (marker) {
      case 'S':
        return text_body("a text");
      case 'C': {
        std::uint8_t c;
        if (!reader_.read_be(c) || c >= 0x80) return error(Code::parse_error, "Expected an ASCII character.");
        return std::string(1, static_cast<char>(c));
      }
      case 'T':
        return std::string("true");
      case 'F':
        return std::string("false");
      case 'Z':
        return std::string("null");
      default:
        break;
    }
    if (is_integer_marker(marker)) {
      std::int64_t value;
      JACKDAW_TRY(read_number(marker, value));
      return fmt::format("{}", value);
    }
    if (marker == 'd') {
      float value;
      if (!reader_.read_be(value)) return truncated();
      return fmt::format("{}", value);
    }
    if (marker == 'D') {
      double value;
      if (!reader_.read_be(value)) return truncated();
      return fmt::format("{}", value);
    }
    return error(Code::parse_error, "Expected a text or number here.");
  }

  Result<std::vector<float>> floats() override { return numbers<float>(); }
  Result<std::vector<double>> doubles() override { return numbers<double>(); }
  Result<std::vector<std::int64_t>> integers() override { return numbers<std::int64_t>(); }

  Result<void> expect_end() override {
    for (const std::byte b : reader_.rest()) {
      const char c = static_cast<char>(b);
      if (c != '\0' && c != '\n' && c != '\r' && c != ' ') {
        return error(Code::parse_error, "More bytes follow the end of the document.");
      }
    }
    return {};
  }

 private:
  // The marker of the next value: the array's own for elements of a typed array, else the next byte; 0 at the end.
  char peek() const {
    if (element_type_ != 0) return element_type_;
    std::uint8_t byte;
    return reader_.peek(byte) ? static_cast<char>(byte) : '\0';
  }
  bool take(char marker) {
    std::uint8_t byte;
    if (!reader_.peek(byte) || static_cast<char>(byte) != marker) return false;
    return reader_.skip(1);
  }
  char take_marker() {
    const char marker = peek();
    if (element_type_ == 0) (void)reader_.skip(1);
    element_type_ = 0;
    return marker;
  }
  // The elements behind a head, to the end of their array.
  Result<void> elements(const ArrayHead& head, const Element& element) {
    if (!head.counted) {
      while (!take(']')) JACKDAW_TRY(element());
    } else {
      for (std::uint64_t i = 0; i < head.count; ++i) {
        element_type_ = head.type;
        JACKDAW_TRY(element());
      }
      element_type_ = 0;
    }
    --depth_;
    return {};
  }
  Result<void> deeper() {
    if (++depth_ > nesting_max_) {
      return error(Code::parse_error, fmt::format("Containers are nested deeper than {}.", nesting_max_));
    }
    return {};
  }
  Error truncated() const { return error(Code::parse_error, "The file ends inside a value."); }

  template <typename Raw, typename T>
  bool read_as(T& out) {
    Raw raw;
    if (!reader_.read_be(raw)) return false;
    out = static_cast<T>(raw);
    return true;
  }
  template <typename T>
  Result<void> read_number(char marker, T& out) {
    bool fits = false;
    switch (marker) {
      case 'i':
        fits = read_as<std::int8_t>(out);
        break;
      case 'U':
        fits = read_as<std::uint8_t>(out);
        break;
      case 'I':
        fits = read_as<std::int16_t>(out);
        break;
      case 'l':
        fits = read_as<std::int32_t>(out);
        break;
      case 'L':
        fits = read_as<std::int64_t>(out);
        break;
      case 'd':
        return read_real<float>(out);
      case 'D':
        return read_real<double>(out);
      default:
        return error(Code::parse_error, "Expected a number here.");
    }
    if (!fits) return truncated();
    return {};
  }
  template <typename Raw, typename T>
  Result<void> read_real(T& out) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!read_as<Raw>(out)) return truncated();
      return {};
    } else {
      return error(Code::parse_error, "Expected an integer here.");
    }
  }

  Result<std::uint64_t> length(std::string_view what) {
    std::uint8_t marker;
    std::int64_t value = -1;
    if (!reader_.read_be(marker) || !is_integer_marker(static_cast<char>(marker))) {
      return error(Code::parse_error, fmt::format("Expected the length of {}.", what));
    }
    JACKDAW_TRY(read_number(static_cast<char>(marker), value));
    if (value < 0) return error(Code::parse_error, fmt::format("The length of {} is negative.", what));
    return static_cast<std::uint64_t>(value);
  }

  Result<std::string> text_body(std::string_view what) {
    JACKDAW_ASSIGN(const std::uint64_t size, length(what));
    Bytes bytes;
    if (!reader_.take(size, bytes)) {
      return error(Code::parse_error, fmt::format("{} claims {} bytes, {} are left.", what, size, reader_.remaining()));
    }
    std::string out(as_text(bytes));
    if (!is_valid_utf8(out)) return error(Code::parse_error, fmt::format("{} is not valid UTF-8.", what));
    return out;
  }

  // Consumes "[", and "$ t # n" or "# n" when they follow. A count is checked against the bytes that are left.
  Result<ArrayHead> array_head() {
    if (element_type_ != 0 || !take('[')) return error(Code::parse_error, "Expected an array here.");
    JACKDAW_TRY(deeper());
    ArrayHead head;
    if (take('$')) {
      std::uint8_t type;
      if (!reader_.read_be(type)) return truncated();
      head.type = static_cast<char>(type);
      if (number_size(head.type) == 0) {
        return error(Code::parse_error, "Typed arrays hold numbers: d D i U I l or L.");
      }
      if (peek() != '#') return error(Code::parse_error, "A typed array needs a count.");
    }
    if (take('#')) {
      head.counted = true;
      JACKDAW_ASSIGN(head.count, length("an array"));
      const std::size_t least = head.type != 0 ? number_size(head.type) : 1;
      if (head.count > reader_.remaining() / least) {
        return error(Code::parse_error,
                     fmt::format("An array claims {} elements, {} bytes are left.", head.count, reader_.remaining()));
      }
    }
    return head;
  }

  template <typename T>
  Result<std::vector<T>> numbers() {
    JACKDAW_ASSIGN(const ArrayHead head, array_head());
    std::vector<T> out;
    if (head.type != 0) {
      out.resize(head.count);
      for (T& value : out) JACKDAW_TRY(read_number(head.type, value));
    } else {
      if (head.counted) out.reserve(head.count);
      while (head.counted ? out.size() < head.count : !take(']')) JACKDAW_TRY(element(out.emplace_back()));
    }
    --depth_;
    return out;
  }
  template <typename T>
  Result<void> element(T& out) {
    std::uint8_t marker;
    if (!reader_.read_be(marker)) return truncated();
    const char type = static_cast<char>(marker);
    if (type == 'T' || type == 'F') {
      out = type == 'T' ? T{1} : T{0};
      return {};
    }
    return read_number(type, out);
  }

  ByteReader reader_;
  std::uint32_t depth_ = 0;
  std::uint32_t nesting_max_;
  char element_type_ = 0;  // inside a typed array: the marker its elements do not repeat
};

}  // namespace

std::unique_ptr<ValueCursor> ubjson_cursor(Bytes bytes, std::uint32_t nesting_max) {
  return std::make_unique<UbjsonCursor>(bytes, nesting_max);
}

}  // namespace jackdaw::formats
