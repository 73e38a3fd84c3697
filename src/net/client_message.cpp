#include "src/net/client_message.h"

#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <cerrno>
#include <chrono>

#include "jackdaw/base/ascii.h"
#include "src/net/request_head.h"

namespace jackdaw::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;

Result<void> check_request(const ClientRequest& request) {
  if (!is_token(request.method)) return make_error(Code::invalid_argument, "\"{}\" is not a method", request.method);
  for (const Header& header : request.headers) {
    if (is_token(header.name) && is_field_value(header.value)) continue;
    return make_error(Code::invalid_argument, "the header \"{}\" has an impossible name or value", header.name);
  }
  return {};
}

bool is_framing_header(std::string_view name) {
  return ascii_iequals(name, "content-length") || ascii_iequals(name, "transfer-encoding") ||
         ascii_iequals(name, "connection");
}

std::string connection_key(const Url& url) {
  return (url.secure ? "https|" : "http|") + url.host + '|' + std::to_string(url.port);
}

bool is_fresh(asio::ip::tcp::socket& socket) {
  char byte = 0;
  const ssize_t got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

Error late_error(const ClientRequest& request) {
  return make_error(Code::deadline_exceeded, "{} {}: no complete answer within {} ms", request.method, request.url,
                    std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout).count());
}

Error interim_error(const ClientRequest& request) {
  return make_error(Code::parse_error, "{} {}: too many interim answers", request.method, request.url);
}

Error call_error(const ClientRequest& request, std::string_view step, const boost::system::error_code& error) {
  if (error == boost::beast::error::timeout) return late_error(request);
  if (error == http::error::body_limit) {
    return make_error(Code::too_large, "{} {}: the answer is larger than {} bytes", request.method, request.url,
                      request.body_bytes_max);
  }
  if (error == http::error::header_limit) {
    return make_error(Code::too_large, "{} {}: the head of the answer is larger than {} bytes", request.method,
                      request.url, answer_head_bytes_max);
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message || error == asio::error::eof ||
      error == asio::ssl::error::stream_truncated) {
    return make_error(Code::io_error, "{} {}: the server closed the connection before its answer was complete",
                      request.method, request.url);
  }
  if (error.category() == http::make_error_code(http::error::bad_version).category()) {
    return make_error(Code::parse_error, "{} {}: the answer is not valid HTTP: {}", request.method, request.url,
                      error.message());
  }
  return make_error(Code::io_error, "{} {}: {}: {}", request.method, request.url, step, error.message());
}

}  // namespace jackdaw::net
