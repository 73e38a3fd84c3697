// What the blocking and the asynchronous client have in common: what may be sent, whether a kept connection will do,
// and what becomes of an answer or of its failure.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "jackdaw/net/client.h"
#include "src/net/url.h"

namespace jackdaw::net {

inline constexpr std::uint32_t answer_head_bytes_max = 64 * 1024;
inline constexpr int interim_answers_max = 8;

Result<void> check_request(const ClientRequest& request);
// Headers that the clients write themselves, whatever the request has.
bool is_framing_header(std::string_view name);

// Connections with the same key lead to the same server: scheme, host and port.
std::string connection_key(const Url& url);
// Nothing to read and not closed: what an idle kept connection must look like.
bool is_fresh(boost::asio::ip::tcp::socket& socket);

// `message`: Beast's response with a string as its body; Beast stays in source files.
template <typename Message>
ClientResponse response_of(Message message) {
  ClientResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  response.body = std::move(message.body());
  return response;
}

Error late_error(const ClientRequest& request);
Error interim_error(const ClientRequest& request);
// `step`: what was being done, for failures that do not speak for themselves.
Error call_error(const ClientRequest& request, std::string_view step, const boost::system::error_code& error);

}  // namespace jackdaw::net
