#include "src/net/chunked_body.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace jackdaw::net {
namespace {

constexpr std::size_t size_line_max = 128;
constexpr std::size_t trailer_line_max = 1024;
constexpr std::size_t overhead_max = 4096;
constexpr std::size_t size_digits_max = 15;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

enum class Line : unsigned char { none, good, bad };

// Finds a line that ends in CRLF at the start of `text`; `line` is without it.
Line next_line(std::string_view text, std::size_t bytes_max, std::string_view& line) {
  const std::size_t newline = text.substr(0, bytes_max).find('\n');
  if (newline == std::string_view::npos) return text.size() >= bytes_max ? Line::bad : Line::none;
  if (newline == 0 || text[newline - 1] != '\r') return Line::bad;
  line = text.substr(0, newline - 1);
  return Line::good;
}

}  // namespace

void ChunkedBody::reset(std::size_t body_bytes_max) {
  state_ = State::size_line;
  chunk_left_ = total_ = 0;
  overhead_ = 0;
  body_bytes_max_ = body_bytes_max;
}

ChunkedBody::Progress ChunkedBody::refuse(int status, std::string_view reason, std::string_view what) {
  refusal_ = {status, reason, std::string(what) + " (byte " + std::to_string(total_) + " of the decoded body)"};
  return Progress::refused;
}

ChunkedBody::Progress ChunkedBody::feed(const char* coded, std::size_t size, char* out, std::size_t& used,
                                        std::size_t& decoded) {
  used = decoded = 0;
  for (;;) {
    const std::string_view rest(coded + used, size - used);
    std::string_view line;
    switch (state_) {
      case State::size_line: {
        const Line found = next_line(rest, size_line_max, line);
        if (found == Line::none) return Progress::need_more;
        if (found == Line::bad) return refuse(400, "bad_request", "a chunk's size line is too long or lacks CR LF");
        if (!take_size_line(line)) return Progress::refused;
        used += line.size() + 2;
        break;
      }
      case State::data: {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, rest.size()));
        if (count == 0) return Progress::need_more;
        std::memmove(out + decoded, rest.data(), count);
        used += count;
        decoded += count;
        chunk_left_ -= count;
        if (chunk_left_ == 0) state_ = State::data_end;
        break;
      }
      case State::data_end:
        if (rest.size() < 2) return Progress::need_more;
        if (rest.substr(0, 2) != "\r\n") return refuse(400, "bad_request", "a chunk is not followed by CR LF");
        used += 2;
        state_ = State::size_line;
        break;
      case State::trailer: {
        const Line found = next_line(rest, trailer_line_max, line);
        if (found == Line::none) return Progress::need_more;
        if (found == Line::bad || !is_field_value(line)) {
          return refuse(400, "bad_request", "a trailer line is too long or malformed");
        }
        used += line.size() + 2;
        if (line.empty()) return Progress::complete;
        overhead_ += line.size();
        if (overhead_ > overhead_max) return refuse(431, "header_too_large", "too many trailer bytes");
        break;
      }
    }
  }
}

// "1a" or "1a;name=value".
bool ChunkedBody::take_size_line(std::string_view line) {
  std::uint64_t chunk = 0;
  std::size_t digits = 0;
  while (digits < line.size() && digits <= size_digits_max && hex_digit(line[digits]) >= 0) {
    chunk = chunk * 16 + static_cast<std::uint64_t>(hex_digit(line[digits++]));
  }
  const bool clean = digits == line.size() || (line[digits] == ';' && is_field_value(line));
  if (digits == 0 || digits > size_digits_max || !clean) {
    refuse(400, "bad_request", "a chunk's size is not a hexadecimal number");
    return false;
  }
  overhead_ += line.size() - digits;
  if (overhead_ > overhead_max) {
    refuse(400, "bad_request", "too many bytes of chunk extensions");
    return false;
  }
  if (chunk > body_bytes_max_ - total_) {
    refuse(413, "body_too_large", "the request body is larger than " + std::to_string(body_bytes_max_) + " bytes");
    return false;
  }
  total_ += chunk;
  chunk_left_ = chunk;
  state_ = chunk == 0 ? State::trailer : State::data;
  return true;
}

}  // namespace jackdaw::net
