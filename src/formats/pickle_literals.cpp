// Literals of the pickle VM: numbers, text and bytes in the text form of protocol 0 and the binary form of the others.
#include <bit>
#include <charconv>
#include <limits>
#include <string>

#include "jackdaw/base/text.h"
#include "src/formats/pickle_vm.h"

namespace jackdaw::formats {

namespace {

// Longest decimal LONG of protocol 0; a 256-bit number has 78 digits.
constexpr std::size_t decimal_digits_max = 400;

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `count` hex digits at `at`; -1 when they are not there.
std::int64_t hex_number(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return -1;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

// Escapes of a Python 2 repr: \\ \' \" \a \b \f \n \r \t \v \ooo \xhh. False when one is malformed.
bool decode_escapes(std::string_view text, std::string& out) {
  constexpr std::string_view letters = "\\'\"abfnrtv";
  constexpr std::string_view values = "\\'\"\a\b\f\n\r\t\v";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return false;
    if (const auto known = letters.find(text[i]); known != std::string_view::npos) {
      out.push_back(values[known]);
    } else if (text[i] == 'x') {
      const std::int64_t value = hex_number(text, i + 1, 2);
      if (value < 0) return false;
      out.push_back(static_cast<char>(value));
      i += 2;
    } else if (text[i] >= '0' && text[i] <= '7') {
      int value = 0;
      std::size_t digits = 0;
      while (digits < 3 && i + digits < text.size() && text[i + digits] >= '0' && text[i + digits] <= '7') {
        value = value * 8 + (text[i + digits++] - '0');
      }
      out.push_back(static_cast<char>(value & 0xff));
      i += digits - 1;
    } else {
      out.push_back('\\');
      out.push_back(text[i]);
    }
  }
  return true;
}

// One \uXXXX or \UXXXXXXXX at `at` (the backslash); 0 length when there is none.
struct UnicodeEscape {
  std::int64_t code = 0;
  std::size_t length = 0;
};
UnicodeEscape unicode_escape(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || text[at] != '\\') return {};
  if (text[at + 1] == 'u') return {hex_number(text, at + 2, 4), 6};
  if (text[at + 1] == 'U') return {hex_number(text, at + 2, 8), 10};
  return {};
}

// Raw-unicode-escape: Latin-1 with \uXXXX and \UXXXXXXXX; surrogate pairs (narrow Python 2 builds) are joined.
bool decode_raw_unicode(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size();) {
    const UnicodeEscape escape = unicode_escape(text, i);
    if (escape.length == 0) {
      append_utf8(out, static_cast<unsigned char>(text[i++]));
      continue;
    }
    if (escape.code < 0 || escape.code > 0x10ffff) return false;
    i += escape.length;
    std::uint32_t code = static_cast<std::uint32_t>(escape.code);
    if (code >= 0xd800 && code < 0xdc00) {
      const UnicodeEscape second = unicode_escape(text, i);
      if (second.length != 6 || second.code < 0xdc00 || second.code > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(second.code) - 0xdc00);
      i += second.length;
    } else if (code >= 0xdc00 && code < 0xe000) {
      return false;
    }
    append_utf8(out, code);
  }
  return true;
}

// Decimal digits to little-endian two's complement, with room for the sign.
std::string decimal_to_bytes(std::string_view digits, bool negative) {
  std::string bytes;
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (char& byte : bytes) {
      const unsigned value = static_cast<unsigned char>(byte) * 10u + carry;
      byte = static_cast<char>(value & 0xff);
      carry = value >> 8;
    }
    if (carry != 0) bytes.push_back(static_cast<char>(carry));
  }
  bytes.push_back('\0');
  if (!negative) return bytes;
  unsigned carry = 1;
  for (char& byte : bytes) {
    const unsigned value = static_cast<unsigned char>(~byte) + carry;
    byte = static_cast<char>(value & 0xff);
    carry = value >> 8;
  }
  return bytes;
}

}  // namespace

bool PickleVm::step_literal(Opcode op) {
  switch (op) {
    case Opcode::binint:
      return push_binint<std::int32_t>();
    case Opcode::binint1:
      return push_binint<std::uint8_t>();
    case Opcode::binint2:
      return push_binint<std::uint16_t>();
    case Opcode::binfloat:
      return push_binfloat();
    case Opcode::long1: {
      std::uint8_t length = 0;
      return read(length) && push_long(length);
    }
    case Opcode::long4: {
      std::int32_t length = 0;
      if (!read(length)) return false;
      if (length < 0) return fail(Code::parse_error, "LONG4 with the negative length {}", length);
      return push_long(static_cast<std::uint64_t>(length));
    }
    case Opcode::short_binunicode:
      return push_sized<std::uint8_t>(NodeKind::text);
    case Opcode::binunicode:
      return push_sized<std::uint32_t>(NodeKind::text);
    case Opcode::binunicode8:
      return push_sized<std::uint64_t>(NodeKind::text);
    case Opcode::short_binbytes:
      return push_sized<std::uint8_t>(NodeKind::bytes);
    case Opcode::binbytes:
      return push_sized<std::uint32_t>(NodeKind::bytes);
    case Opcode::binbytes8:
    case Opcode::bytearray8:
      return push_sized<std::uint64_t>(NodeKind::bytes);
    case Opcode::short_binstring:
      return push_sized_str8<std::uint8_t>();
    case Opcode::binstring:
      return push_sized_str8<std::int32_t>();
    case Opcode::int_text:
      return push_int_text();
    case Opcode::long_text:
      return push_long_text();
    case Opcode::float_text:
      return push_float_text();
    case Opcode::string_text:
      return push_string_text();
    case Opcode::unicode_text:
      return push_unicode_text();
    default:
      return step_container(op);
  }
}

bool PickleVm::read_proto() {
  std::uint8_t version = 0;
  if (!read(version)) return false;
  if (version > 5) return fail(Code::unsupported, "pickle protocol {} is newer than 5, the newest known", version);
  protocol_ = version;
  return true;
}

// Frames only group bytes for buffering; their length is checked and then ignored.
bool PickleVm::read_frame() {
  std::uint64_t length = 0;
  if (!read(length)) return false;
  if (length > in_.remaining()) {
    return fail(Code::parse_error, "FRAME of {} bytes, but only {} are left; the file is cut off", length,
                in_.remaining());
  }
  return true;
}

template <typename T>
bool PickleVm::read(T& out) {
  if (in_.read_le(out)) return true;
  return fail(Code::parse_error, "the file ends inside {}", op_name());
}
template bool PickleVm::read(std::uint8_t&);
template bool PickleVm::read(std::uint32_t&);

bool PickleVm::take_bytes(std::uint64_t length, Bytes& out) {
  if (length <= in_.remaining() && in_.take(static_cast<std::size_t>(length), out)) return true;
  return fail(Code::parse_error, "{} of {} bytes, but only {} are left; the file is cut off or damaged", op_name(),
              length, in_.remaining());
}

bool PickleVm::read_line(std::string_view& line) {
  if (in_.take_until('\n', line)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return true;
  }
  return fail(Code::parse_error, "{} without the end of its line", op_name());
}

bool PickleVm::index_from_line(std::uint64_t& index) {
  std::string_view line;
  if (!read_line(line)) return false;
  const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (code == std::errc{} && end == line.data() + line.size()) return true;
  return fail(Code::parse_error, "{} with a memo index that is not a number", op_name());
}

// ---- numbers --------------------------------------------------------------------------------------------------------

template <typename Number>
bool PickleVm::push_binint() {
  Number value = 0;
  return read(value) && make_and_push(NodeKind::integer, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
}

bool PickleVm::push_binfloat() {
  double value = 0;
  if (!in_.read_be(value)) return fail(Code::parse_error, "the file ends inside BINFLOAT");
  return make_and_push(NodeKind::real, std::bit_cast<std::uint64_t>(value));
}

bool PickleVm::push_long(std::uint64_t length) {
  Bytes raw;
  return take_bytes(length, raw) && push_big_integer(raw);
}

bool PickleVm::push_big_integer(Bytes raw) {
  while (raw.size() > 8) {  // Sign bytes that say nothing new.
    const auto last = static_cast<std::uint8_t>(raw.back());
    const bool next_negative = (static_cast<std::uint8_t>(raw[raw.size() - 2]) & 0x80) != 0;
    if (last != (next_negative ? 0xff : 0x00)) break;
    raw = raw.first(raw.size() - 1);
  }
  if (raw.size() > 8) return node_fits() && push(graph_.add_view(NodeKind::big_integer, op_offset_, raw));
  const bool negative = !raw.empty() && (static_cast<std::uint8_t>(raw.back()) & 0x80) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::size_t shift = 8 * i;
    value = (value & ~(std::uint64_t{0xff} << shift)) | static_cast<std::uint64_t>(raw[i]) << shift;
  }
  return make_and_push(NodeKind::integer, value);
}

bool PickleVm::push_int_text() {
  std::string_view line;
  if (!read_line(line)) return false;
  if (line == "01") return push_singleton(true_, NodeKind::boolean, 1);
  if (line == "00") return push_singleton(false_, NodeKind::boolean, 0);
  return push_decimal(line);
}

bool PickleVm::push_long_text() {
  std::string_view line;
  if (!read_line(line)) return false;
  if (line.ends_with('L')) line.remove_suffix(1);
  return push_decimal(line);
}

bool PickleVm::push_decimal(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code == std::errc{} && end == digits.data() + digits.size()) {
    return make_and_push(NodeKind::integer, static_cast<std::uint64_t>(value));
  }
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  if (digits.size() > decimal_digits_max) {
    return fail(Code::too_large, "{} with a number of {} digits; at most {} are read", op_name(), digits.size(),
                decimal_digits_max);
  }
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(Code::parse_error, "{} with text that is not a whole number", op_name());
  }
  if (!node_fits()) return false;
  graph_.decoded.push_back(decimal_to_bytes(digits, negative));
  return push_big_integer(as_bytes(graph_.decoded.back()));
}

bool PickleVm::push_float_text() {
  std::string_view line;
  if (!read_line(line)) return false;
  double value = 0;
  const auto [end, code] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (end != line.data() + line.size() || line.empty())
    return fail(Code::parse_error, "FLOAT with text that is not a number");
  if (code == std::errc::result_out_of_range)
    return fail(Code::parse_error, "FLOAT with a number outside the range of double");
  return make_and_push(NodeKind::real, std::bit_cast<std::uint64_t>(value));
}

// ---- text and bytes -------------------------------------------------------------------------------------------------

template <typename Length>
bool PickleVm::push_sized(NodeKind kind) {
  Length length = 0;
  Bytes content;
  if (!read(length) || !take_bytes(length, content) || !node_fits()) return false;
  if (kind == NodeKind::text && !is_valid_utf8(as_text(content))) {
    return fail(Code::parse_error, "{} with text that is not UTF-8", op_name());
  }
  return push(graph_.add_view(kind, op_offset_, content));
}

template <typename Length>
bool PickleVm::push_sized_str8() {
  Length length = 0;
  if (!read(length)) return false;
  if (length < Length{0}) return fail(Code::parse_error, "{} with a negative length", op_name());
  Bytes content;
  return take_bytes(static_cast<std::uint64_t>(length), content) && push_str8(content);
}

// Python 2's str is text or bytes, nobody knows which: text when it is ASCII, as Python 3 reads it by default.
bool PickleVm::push_str8(Bytes content) {
  const NodeKind kind = is_ascii(as_text(content)) ? NodeKind::text : NodeKind::bytes;
  return node_fits() && push(graph_.add_view(kind, op_offset_, content));
}

bool PickleVm::push_string_text() {
  std::string_view line;
  if (!read_line(line)) return false;
  const bool quoted = line.size() >= 2 && line.front() == line.back() && (line.front() == '\'' || line.front() == '"');
  if (!quoted) return fail(Code::parse_error, "STRING without its quotes");
  line = line.substr(1, line.size() - 2);
  if (line.find('\\') == std::string_view::npos) return push_str8(as_bytes(line));
  std::string content;
  if (!decode_escapes(line, content)) return fail(Code::parse_error, "STRING with a malformed escape");
  graph_.decoded.push_back(std::move(content));
  return push_str8(as_bytes(graph_.decoded.back()));
}

bool PickleVm::push_unicode_text() {
  std::string_view line;
  if (!read_line(line) || !node_fits()) return false;
  if (line.find('\\') == std::string_view::npos && is_ascii(line)) {
    return push(graph_.add_view(NodeKind::text, op_offset_, as_bytes(line)));
  }
  std::string content;
  if (!decode_raw_unicode(line, content)) return fail(Code::parse_error, "UNICODE with a malformed \\u escape");
  return push(graph_.add_decoded(NodeKind::text, op_offset_, std::move(content)));
}

}  // namespace jackdaw::formats
