#include "src/net/request_head.h"

#include <array>
#include <cstring>

#include "jackdaw/base/ascii.h"

namespace jackdaw::net {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    table[static_cast<std::size_t>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> make_value_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 256; ++c) table[c] = c != 0x7f;
  table['\t'] = true;
  return table;
}
// Visible ASCII without '#', and raw bytes above it: curl sends a path's UTF-8 as it was typed.
constexpr std::array<bool, 256> make_target_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x21; c < 256; ++c) table[c] = c != 0x7f && c != '#';
  return table;
}
constexpr std::array<bool, 256> make_host_table() {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 128; ++c) {
    table[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
  for (char c : {'-', '.', '_', '~', ':', '[', ']', '%', '!', '$', '&', '\'', '(', ')', '*', '+', ';', '='})
    table[static_cast<std::size_t>(c)] = true;
  return table;
}
constexpr auto token_table = make_token_table();
constexpr auto value_table = make_value_table();
constexpr auto target_table = make_target_table();
constexpr auto host_table = make_host_table();

constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t version_bytes = 8;  // "HTTP/1.1"

bool all_in(const std::array<bool, 256>& table, std::string_view text) {
  for (char c : text) {
    if (!table[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

Span32 span_of(std::string_view part, std::string_view bytes) {
  return {static_cast<std::uint32_t>(part.data() - bytes.data()), static_cast<std::uint32_t>(part.size())};
}

Method method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
    case 4:
      return text == "POST" ? Method::post : text == "HEAD" ? Method::head : Method::other;
    case 5:
      return text == "PATCH" ? Method::patch : Method::other;
    case 6:
      return text == "DELETE" ? Method::delete_ : Method::other;
    case 7:
      return text == "OPTIONS" ? Method::options : Method::other;
    default:
      return Method::other;
  }
}

}  // namespace

bool is_token(std::string_view text) {
  return !text.empty() && all_in(token_table, text);
}
bool is_field_value(std::string_view text) {
  return all_in(value_table, text);
}

void HeadParser::reset() {
  std::vector<FieldSpan> fields = std::move(head_.fields);
  fields.clear();
  head_ = RequestHead{};
  head_.fields = std::move(fields);
  line_ = seen_ = 0;
  has_request_line_ = has_host_ = has_transfer_encoding_ = false;
  says_close_ = says_keep_alive_ = expects_other_ = false;
  host_ = authority_ = Span32{};
}

HeadParser::Progress HeadParser::refuse(int status, std::string_view reason, std::string_view what,
                                        std::size_t offset) {
  refusal_ = {status, reason, std::string(what) + " (byte " + std::to_string(offset) + " of the request)"};
  return Progress::refused;
}

HeadParser::Progress HeadParser::feed(std::string_view bytes) {
  for (;;) {
    const void* found = seen_ < bytes.size() ? std::memchr(bytes.data() + seen_, '\n', bytes.size() - seen_) : nullptr;
    if (found == nullptr) return incomplete(bytes);
    const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (newline + 1 > limits_.head_bytes_max) return incomplete(bytes);
    if (newline == line_ || bytes[newline - 1] != '\r') {
      return refuse(400, "bad_request", "a line of the head ends in LF without CR", newline);
    }
    const std::size_t begin = line_;
    const std::size_t end = newline - 1;
    line_ = seen_ = newline + 1;
    if (begin == end && has_request_line_) {
      head_.size = static_cast<std::uint32_t>(line_);
      return finish(bytes) ? Progress::complete : Progress::refused;
    }
    if (!take_line(bytes, begin, end)) return Progress::refused;
  }
}

// No complete line: is it worth waiting for more?
HeadParser::Progress HeadParser::incomplete(std::string_view bytes) {
  seen_ = bytes.size();
  if (!has_request_line_) {
    if (bytes.size() > line_ && bytes[line_] != '\r' && !token_table[static_cast<unsigned char>(bytes[line_])]) {
      const bool tls = bytes[line_] == '\x16';
      return refuse(400, "bad_request",
                    tls ? "this port speaks plain HTTP, but a TLS handshake came" : "this is not an HTTP/1.1 request",
                    line_);
    }
    if (bytes.size() - line_ > limits_.target_bytes_max + method_bytes_max + version_bytes + 4) {
      return refuse(414, "target_too_long",
                    "the request target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes",
                    bytes.size());
    }
  }
  if (bytes.size() >= limits_.head_bytes_max) {
    return refuse(431, "header_too_large",
                  "the request head is larger than " + std::to_string(limits_.head_bytes_max) + " bytes",
                  limits_.head_bytes_max);
  }
  return Progress::need_more;
}

bool HeadParser::take_line(std::string_view bytes, std::size_t begin, std::size_t end) {
  if (has_request_line_) return take_field(bytes, begin, end);
  if (begin == end) {
    // One empty line before a request is forgiven (RFC 9112 §2.2).
    if (begin == 0) return true;
    refuse(400, "bad_request", "empty lines instead of a request", begin);
    return false;
  }
  has_request_line_ = true;
  return take_request_line(bytes, begin, end);
}

bool HeadParser::take_request_line(std::string_view bytes, std::size_t begin, std::size_t end) {
  const std::string_view line = bytes.substr(begin, end - begin);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space > method_bytes_max || !is_token(line.substr(0, space))) {
    refuse(400, "bad_request", "the request line does not start with a method", begin);
    return false;
  }
  head_.method_text = span_of(line.substr(0, space), bytes);
  head_.method = method_of(line.substr(0, space));
  const std::size_t last = line.find(' ', space + 1);
  if (last == std::string_view::npos) {
    refuse(400, "bad_request", "the request line has no HTTP version; HTTP/0.9 is not spoken here", end);
    return false;
  }
  if (last - space - 1 > limits_.target_bytes_max) {
    refuse(414, "target_too_long",
           "the request target is longer than " + std::to_string(limits_.target_bytes_max) + " bytes",
           begin + space + 1);
    return false;
  }
  if (!take_version(line.substr(last + 1), begin + last + 1)) return false;
  head_.target = span_of(line.substr(space + 1, last - space - 1), bytes);
  return take_target(bytes);
}

bool HeadParser::take_version(std::string_view version, std::size_t offset) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") {
    head_.minor_version = version.back() - '0';
    return true;
  }
  const bool other = version.size() == version_bytes && version.substr(0, 5) == "HTTP/" && is_digit(version[5]) &&
                     version[6] == '.' && is_digit(version[7]);
  if (other) {
    refuse(505, "http_version", "only HTTP/1.1 and HTTP/1.0 are spoken here", offset);
  } else {
    refuse(400, "bad_request", "the request line does not end in an HTTP version", offset);
  }
  return false;
}

bool HeadParser::take_target(std::string_view bytes) {
  const std::string_view target = head_.target.in(bytes.data());
  if (target.empty() || !all_in(target_table, target)) {
    refuse(400, "bad_request", "the request target is empty or holds characters that must be percent-encoded",
           head_.target.begin);
    return false;
  }
  if (head_.method_text.in(bytes.data()) == "CONNECT") {
    refuse(405, "method", "CONNECT is not supported: this is not a proxy", head_.target.begin);
    return false;
  }
  if (ascii_iequals(target.substr(0, 7), "http://")) return take_absolute_target(bytes, 7);
  if (ascii_iequals(target.substr(0, 8), "https://")) return take_absolute_target(bytes, 8);
  const bool asterisk = target == "*" && head_.method == Method::options;
  if (target.front() != '/' && !asterisk) {
    refuse(400, "bad_request", "the request target must start with '/'", head_.target.begin);
    return false;
  }
  const std::size_t mark = target.find('?');
  head_.path = span_of(target.substr(0, mark), bytes);
  if (mark != std::string_view::npos) head_.query = span_of(target.substr(mark + 1), bytes);
  return true;
}

// "http://host/path?query": path and query are used; the authority must agree with Host (checked in finish).
bool HeadParser::take_absolute_target(std::string_view bytes, std::size_t scheme_size) {
  const std::string_view target = head_.target.in(bytes.data());
  const std::size_t end = target.find_first_of("/?", scheme_size);
  const std::string_view authority =
      target.substr(scheme_size, end == std::string_view::npos ? end : end - scheme_size);
  if (authority.empty() || !all_in(host_table, authority) || (end != std::string_view::npos && target[end] == '?')) {
    refuse(400, "bad_request", "the absolute request target has no valid host and path", head_.target.begin);
    return false;
  }
  authority_ = span_of(authority, bytes);
  if (end == std::string_view::npos) {
    // "http://host" means "/": the last slash of the scheme stands in for it.
    head_.path = {head_.target.begin + static_cast<std::uint32_t>(scheme_size) - 1, 1};
    return true;
  }
  const std::string_view rest = target.substr(end);
  const std::size_t mark = rest.find('?');
  head_.path = span_of(rest.substr(0, mark), bytes);
  if (mark != std::string_view::npos) head_.query = span_of(rest.substr(mark + 1), bytes);
  return true;
}

bool HeadParser::take_field(std::string_view bytes, std::size_t begin, std::size_t end) {
  if (is_blank(bytes[begin])) {
    refuse(400, "bad_request", "a header line starts with white space; folded lines are refused", begin);
    return false;
  }
  std::size_t colon = begin;
  while (colon < end && token_table[static_cast<unsigned char>(bytes[colon])]) ++colon;
  if (colon == begin || colon == end || bytes[colon] != ':') {
    refuse(400, "bad_request", "a header line must be a name directly followed by ':'", colon);
    return false;
  }
  const std::string_view value = trimmed(bytes.substr(colon + 1, end - colon - 1));
  if (!is_field_value(value)) {
    refuse(400, "bad_request", "a header value holds a control character", colon + 1);
    return false;
  }
  if (head_.fields.size() == limits_.fields_max) {
    refuse(431, "header_too_large", "more than " + std::to_string(limits_.fields_max) + " header fields", begin);
    return false;
  }
  const std::string_view name = bytes.substr(begin, colon - begin);
  head_.fields.push_back({span_of(name, bytes), span_of(value, bytes)});
  if (name.size() == 4 && ascii_iequals(name, "host")) host_ = span_of(value, bytes);
  return know_field(name, value, begin);
}

// The fields that decide how the bytes after the head are read; all others are the handler's.
bool HeadParser::know_field(std::string_view name, std::string_view value, std::size_t offset) {
  switch (name.size()) {
    case 4:
      return !ascii_iequals(name, "host") || know_host(value, offset);
    case 6:
      if (ascii_iequals(name, "expect"))
        (ascii_iequals(value, "100-continue") ? head_.expects_continue : expects_other_) = true;
      return true;
    case 10:
      if (ascii_iequals(name, "connection")) know_connection(value);
      return true;
    case 14:
      return !ascii_iequals(name, "content-length") || know_content_length(value, offset);
    case 16:
      return !ascii_iequals(name, "content-encoding") || know_content_encoding(value, offset);
    case 17:
      return !ascii_iequals(name, "transfer-encoding") || know_transfer_encoding(value, offset);
    default:
      return true;
  }
}

bool HeadParser::know_host(std::string_view value, std::size_t offset) {
  if (has_host_ || !all_in(host_table, value)) {
    refuse(400, "bad_request", has_host_ ? "more than one Host" : "Host is not a host name", offset);
    return false;
  }
  has_host_ = true;
  return true;
}

bool HeadParser::know_content_length(std::string_view value, std::size_t offset) {
  if (head_.has_length) {
    refuse(400, "smuggling", "more than one Content-Length", offset);
    return false;
  }
  bool digits = !value.empty() && value.size() <= 18;
  std::uint64_t length = 0;
  for (char c : value) {
    digits = digits && is_digit(c);
    if (digits) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!digits) {
    refuse(400, "bad_request", "Content-Length is not a number of bytes", offset);
    return false;
  }
  head_.has_length = true;
  head_.content_length = length;
  return true;
}

bool HeadParser::know_transfer_encoding(std::string_view value, std::size_t offset) {
  if (has_transfer_encoding_ || !ascii_iequals(value, "chunked")) {
    refuse(400, "smuggling", "Transfer-Encoding must be `chunked`, once", offset);
    return false;
  }
  has_transfer_encoding_ = head_.chunked = true;
  return true;
}

bool HeadParser::know_content_encoding(std::string_view value, std::size_t offset) {
  if (head_.coding != ContentCoding::identity) {
    refuse(415, "content_encoding", "only one Content-Encoding is read", offset);
    return false;
  }
  if (ascii_iequals(value, "gzip") || ascii_iequals(value, "x-gzip")) {
    head_.coding = ContentCoding::gzip;
  } else if (ascii_iequals(value, "deflate")) {
    head_.coding = ContentCoding::deflate;
  } else if (!value.empty() && !ascii_iequals(value, "identity")) {
    head_.coding = ContentCoding::unknown;
  }
  return true;
}

void HeadParser::know_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trimmed(value.substr(0, comma));
    says_close_ = says_close_ || ascii_iequals(option, "close");
    says_keep_alive_ = says_keep_alive_ || ascii_iequals(option, "keep-alive");
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
  }
}

// What only the whole head can tell.
bool HeadParser::finish(std::string_view bytes) {
  if (head_.chunked && (head_.has_length || head_.minor_version == 0)) {
    refuse(400, "smuggling",
           head_.has_length ? "both Content-Length and Transfer-Encoding" : "Transfer-Encoding in an HTTP/1.0 request",
           head_.size);
    return false;
  }
  if (!has_host_ && head_.minor_version == 1) {
    refuse(400, "bad_request", "an HTTP/1.1 request must have a Host", head_.size);
    return false;
  }
  if (authority_.size != 0 && has_host_ && !ascii_iequals(authority_.in(bytes.data()), host_.in(bytes.data()))) {
    refuse(400, "smuggling", "Host and the host of the request target differ", head_.size);
    return false;
  }
  if (expects_other_) {
    refuse(417, "expectation", "only `Expect: 100-continue` can be met", head_.size);
    return false;
  }
  if (head_.coding == ContentCoding::unknown && head_.has_body()) {
    refuse(415, "content_encoding", "the body's Content-Encoding is none of gzip, deflate, identity", head_.size);
    return false;
  }
  if (head_.minor_version == 0) head_.expects_continue = false;
  head_.keep_alive = !says_close_ && (head_.minor_version == 1 || says_keep_alive_);
  return true;
}

}  // namespace jackdaw::net
