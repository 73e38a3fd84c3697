#include "src/net/response_text.h"

#include <array>
#include <charconv>
#include <utility>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/text.h"
#include "src/net/request_head.h"

namespace jackdaw::net {
namespace {

constexpr std::pair<int, std::string_view> phrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {529, "Overloaded"},
};

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

bool is_own_field(std::string_view name) {
  switch (name.size()) {
    case 4:
      return ascii_iequals(name, "date");
    case 6:
      return ascii_iequals(name, "server");
    case 10:
      return ascii_iequals(name, "connection") || ascii_iequals(name, "keep-alive");
    case 14:
      return ascii_iequals(name, "content-length");
    case 17:
      return ascii_iequals(name, "transfer-encoding");
    default:
      return false;
  }
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  const std::size_t begin = out.size();
  out.append(value);
  if (!is_field_value(value)) {
    for (std::size_t i = begin; i < out.size(); ++i) {
      if (!is_field_value({out.data() + i, 1})) out[i] = ' ';
    }
  }
  out.append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
  for (const auto& [code, phrase] : phrases) {
    if (code == status) return phrase;
  }
  return "Status";
}

std::string http_date(std::time_t time) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[static_cast<std::size_t>(parts.tm_wday)],
                     parts.tm_mday, months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                     parts.tm_min, parts.tm_sec);
}

std::string_view ResponseText::date_lines() {
  const std::time_t now = std::time(nullptr);
  if (now != made_at_) {
    date_lines_ = "\r\nServer: jackdaw\r\nDate: " + http_date(now) + "\r\n";
    made_at_ = now;
  }
  return date_lines_;
}

void ResponseText::append_head(std::string& out, const Response& response, const HeadShape& shape) {
  if (response.status == 200) {
    out.append("HTTP/1.1 200 OK");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::size_t>(response.status));
    out.append(1, ' ').append(reason_phrase(response.status));
  }
  out.append(date_lines());
  if (!response.content_type.empty() && shape.framing != Framing::none) {
    append_field(out, "Content-Type", response.content_type);
  }
  for (const Header& header : response.headers) {
    if (is_token(header.name) && !is_own_field(header.name)) append_field(out, header.name, header.value);
  }
  if (shape.framing == Framing::length) {
    out.append("Content-Length: ");
    append_number(out, shape.content_length);
    out.append("\r\n");
  } else if (shape.framing == Framing::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!shape.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (shape.http10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

std::string error_body(std::string_view message) {
  std::string body = "{\"error\":";
  append_json_string(body, message);
  body += '}';
  return body;
}

}  // namespace jackdaw::net
