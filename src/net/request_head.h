// HeadParser: reads the head of an HTTP/1.x request (RFC 9112 §2-6), byte by hostile byte.
//
// Stricter than most: what two readers of one byte stream could understand differently is refused, because that is what
// request smuggling is made of. Refused are: a line that ends in a bare LF, obs-fold, space before a colon, control
// characters, Content-Length beside Transfer-Encoding, more than one Content-Length or Host, any transfer coding but
// one `chunked`, and a missing Host in HTTP/1.1.
//
// The parser is fed the whole of what has arrived since the request's first byte, again and again as it grows; it
// remembers how far it looked. Everything it finds is kept as offsets, so the bytes may move between calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/net/exchange.h"

namespace jackdaw::net {

// A request that net answers itself, and the connection with it.
struct Refusal {
  int status = 400;
  std::string_view reason;  // label of jackdaw_http_requests_refused_total
  std::string message;      // for the client, ASCII
};

struct HeadLimits {
  std::size_t head_bytes_max = 64 * 1024;
  std::size_t target_bytes_max = 16 * 1024;
  std::size_t fields_max = 100;
};

enum class ContentCoding : unsigned char { identity, gzip, deflate, unknown };

// Offsets count from the first byte of the request.
struct Span32 {
  std::uint32_t begin = 0;
  std::uint32_t size = 0;
  std::string_view in(const char* base) const { return {base + begin, size}; }
};

struct FieldSpan {
  Span32 name;
  Span32 value;  // without the white space around it
};

struct RequestHead {
  Method method = Method::other;
  int minor_version = 1;
  Span32 method_text;
  Span32 target;
  Span32 path;
  Span32 query;
  std::vector<FieldSpan> fields;
  bool keep_alive = true;
  bool chunked = false;
  bool has_length = false;
  std::uint64_t content_length = 0;
  bool expects_continue = false;
  ContentCoding coding = ContentCoding::identity;
  std::uint32_t size = 0;  // of the whole head, with the empty line

  bool has_body() const { return chunked || content_length > 0; }
};

class HeadParser {
 public:
  enum class Progress : unsigned char { need_more, complete, refused };

  explicit HeadParser(const HeadLimits& limits) : limits_(limits) {}

  // `bytes` starts at the request's first byte and may run past its head.
  Progress feed(std::string_view bytes);
  void reset();

  RequestHead& head() { return head_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  Progress refuse(int status, std::string_view reason, std::string_view what, std::size_t offset);
  Progress incomplete(std::string_view bytes);
  bool take_line(std::string_view bytes, std::size_t begin, std::size_t end);
  bool take_request_line(std::string_view bytes, std::size_t begin, std::size_t end);
  bool take_version(std::string_view version, std::size_t offset);
  bool take_target(std::string_view bytes);
  bool take_absolute_target(std::string_view bytes, std::size_t scheme_size);
  bool take_field(std::string_view bytes, std::size_t begin, std::size_t end);
  bool know_field(std::string_view name, std::string_view value, std::size_t offset);
  bool know_host(std::string_view value, std::size_t offset);
  bool know_content_length(std::string_view value, std::size_t offset);
  bool know_transfer_encoding(std::string_view value, std::size_t offset);
  bool know_content_encoding(std::string_view value, std::size_t offset);
  void know_connection(std::string_view value);
  bool finish(std::string_view bytes);

  HeadLimits limits_;
  RequestHead head_;
  Refusal refusal_;
  std::size_t line_ = 0;  // first byte of the line being read
  std::size_t seen_ = 0;  // no LF before this
  bool has_request_line_ = false;
  bool has_host_ = false;
  bool has_transfer_encoding_ = false;
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  bool expects_other_ = false;
  Span32 host_;
  Span32 authority_;  // of an absolute-form target
};

bool is_token(std::string_view text);        // RFC 9110 §5.6.2
bool is_field_value(std::string_view text);  // no control characters but HTAB

}  // namespace jackdaw::net
