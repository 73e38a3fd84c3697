// ResponseText: writes the head of an answer as text. The lines that are the same for a second are made once a second.
#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "jackdaw/net/exchange.h"

namespace jackdaw::net {

std::string_view reason_phrase(int status);
// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
std::string http_date(std::time_t time);

// How the end of an answer is told.
enum class Framing : unsigned char { length, chunked, until_close, none };

struct HeadShape {
  Framing framing = Framing::length;
  std::size_t content_length = 0;
  bool keep_alive = true;
  bool http10 = false;  // of the request
};

// One per io thread; not thread-safe.
class ResponseText {
 public:
  // Appends status line and header fields, with the empty line. Control characters in values become spaces; header
  // fields with an impossible name and those that are net's own are left out.
  void append_head(std::string& out, const Response& response, const HeadShape& shape);

 private:
  std::string_view date_lines();

  std::time_t made_at_ = -1;
  std::string date_lines_;  // "\r\nServer: jackdaw\r\nDate: …\r\n"
};

// The body of every answer that net gives itself.
std::string error_body(std::string_view message);

}  // namespace jackdaw::net
