// The client: Beast's stream with a deadline, each step run to its end by the calling thread.
//
// No coroutines: nothing runs beside the call, and clang 14 cannot compile Asio's coroutines under AddressSanitizer,
// which would leave every fuzz target without this module.
#include "jackdaw/net/client.h"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <unordered_map>

#include "jackdaw/base/ascii.h"
#include "src/net/client_message.h"
#include "src/net/client_tls.h"
#include "src/net/url.h"

namespace jackdaw::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// How far a call got before it failed: a kept connection may have been closed under us, a fresh one not.
struct CallState {
  bool answer_began = false;
};

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool has_header(const ClientRequest& request, std::string_view name) {
  for (const Header& header : request.headers) {
    if (ascii_iequals(header.name, name)) return true;
  }
  return false;
}

std::string request_head(const ClientRequest& request, const Url& url) {
  std::string head = request.method + " " + url.target + " HTTP/1.1\r\n";
  if (!has_header(request, "host")) head += "Host: " + url.authority + "\r\n";
  if (!has_header(request, "user-agent")) head += "User-Agent: jackdaw\r\n";
  for (const Header& header : request.headers) {
    if (!is_framing_header(header.name)) head += header.name + ": " + header.value + "\r\n";
  }
  const bool bodiless = request.body.empty() && (request.method == "GET" || request.method == "HEAD");
  if (!bodiless) head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return head + "\r\n";
}

using PlainStream = beast::tcp_stream;
using SecureStream = asio::ssl::stream<beast::tcp_stream>;

// One connection: one of the two.
struct Link {
  std::unique_ptr<PlainStream> plain;
  std::unique_ptr<SecureStream> secure;

  explicit operator bool() const { return plain != nullptr || secure != nullptr; }
  PlainStream& tcp() { return plain != nullptr ? *plain : beast::get_lowest_layer(*secure); }
};

class BeastClient final : public HttpClient {
 public:
  explicit BeastClient(TlsClientOptions tls) : tls_options_(std::move(tls)) {}

  Result<ClientResponse> send(const ClientRequest& request) override {
    JACKDAW_TRY(check_request(request));
    JACKDAW_ASSIGN(const Url url, parse_url(request.url));
    const auto deadline = std::chrono::steady_clock::now() + request.timeout;
    const std::string key = connection_key(url);
    if (Link kept = take_kept(key)) {
      CallState state;
      auto result = call(request, url, key, deadline, std::move(kept), state);
      const bool retry = !result && result.error().code == Code::io_error && !state.answer_began;
      if (!retry || !is_idempotent(request.method)) return result;
    }
    CallState state;
    return call(request, url, key, deadline, {}, state);
  }

  Result<ClientResponse> stream(const ClientRequest& request, const BodyReader& reader) override {
    JACKDAW_TRY(check_request(request));
    JACKDAW_ASSIGN(const Url url, parse_url(request.url));
    JACKDAW_ASSIGN(Link link, connect(request, url, std::chrono::steady_clock::now() + request.timeout));
    return link.secure != nullptr ? read_pieces(request, url, *link.secure, reader)
                                  : read_pieces(request, url, *link.plain, reader);
  }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  using Parser = http::response_parser<http::string_body>;

  Link take_kept(const std::string& key) {
    const auto found = kept_.find(key);
    if (found == kept_.end()) return {};
    Link link = std::move(found->second);
    kept_.erase(found);
    return is_fresh(link.tcp().socket()) ? std::move(link) : Link{};
  }

  // Starts an asynchronous step and runs the loop until it is done.
  template <typename Start>
  error_code run(Start start) {
    error_code result;
    start([&result](const error_code& error, const auto&...) { result = error; });
    context_.restart();
    context_.run();
    return result;
  }

  Result<Link> connect(const ClientRequest& request, const Url& url, Deadline deadline) {
    Link link;
    if (url.secure) {
      if (tls_ == nullptr) {
        JACKDAW_ASSIGN(tls_, make_client_context(tls_options_));
      }
      link.secure = std::make_unique<SecureStream>(context_, *tls_);
    } else {
      link.plain = std::make_unique<PlainStream>(context_);
    }
    JACKDAW_TRY(connect_tcp(request, url, deadline, link.tcp()));
    if (link.secure != nullptr) JACKDAW_TRY(shake_hands(request, url, *link.secure));
    return link;
  }

  Result<void> connect_tcp(const ClientRequest& request, const Url& url, Deadline deadline, PlainStream& stream) {
    std::vector<tcp::endpoint> endpoints;
    error_code error;
    const auto numeric = asio::ip::make_address(url.host, error);
    if (!error) {
      endpoints.emplace_back(numeric, url.port);
    } else {
      // The system's resolver blocks as long as it likes: resolv.conf, not our deadline, bounds it.
      tcp::resolver resolver(context_);
      const auto found = resolver.resolve(url.host, std::to_string(url.port), error);
      if (error) return call_error(request, "cannot find the host " + url.host, error);
      for (const auto& entry : found) endpoints.push_back(entry.endpoint());
    }
    stream.expires_at(deadline);
    error = run([&](auto done) { stream.async_connect(endpoints, done); });
    if (error) return call_error(request, "cannot connect to " + url.authority, error);
    stream.socket().set_option(tcp::no_delay(true), error);
    return {};
  }

  Result<void> shake_hands(const ClientRequest& request, const Url& url, SecureStream& stream) {
    SSL& ssl = *stream.native_handle();
    const std::string& host = tls_options_.server_name.empty() ? url.host : tls_options_.server_name;
    if (const std::string wrong = expect_server(ssl, host); !wrong.empty()) {
      return make_error(Code::invalid_argument, "{} {}: \"{}\" cannot be checked: {}", request.method, request.url,
                        host, wrong);
    }
    const error_code error = run([&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); });
    if (!error) return {};
    if (error == beast::error::timeout) return call_error(request, "cannot agree on TLS", error);
    return make_error(Code::io_error, "{} {}: cannot agree on TLS with {}: {}", request.method, request.url,
                      url.authority, handshake_failure(ssl, host, error));
  }

  Result<ClientResponse> call(const ClientRequest& request, const Url& url, const std::string& key, Deadline deadline,
                              Link link, CallState& state) {
    if (!link) {
      JACKDAW_ASSIGN(link, connect(request, url, deadline));
    }
    link.tcp().expires_at(deadline);
    bool reusable = false;
    auto response = link.secure != nullptr ? exchange(request, url, *link.secure, state, reusable)
                                           : exchange(request, url, *link.plain, state, reusable);
    if (reusable) {
      link.tcp().expires_never();
      kept_[key] = std::move(link);
    }
    return response;
  }

  // One request and its answer. `reusable`: the connection is fit for another one.
  template <typename Stream>
  Result<ClientResponse> exchange(const ClientRequest& request, const Url& url, Stream& stream, CallState& state,
                                  bool& reusable) {
    // A server may refuse a body it has not read: its answer counts, not our broken pipe.
    const error_code unsent = write(request, url, stream);
    if (unsent == beast::error::timeout) return call_error(request, "cannot send", unsent);
    beast::flat_buffer buffer(answer_head_bytes_max + 64 * 1024);
    JACKDAW_ASSIGN(const auto parser, read_head(request, stream, buffer, unsent, state));
    const error_code error = run([&](auto done) { http::async_read(stream, buffer, *parser, done); });
    if (error) return call_error(request, "cannot read the answer", error);
    reusable = parser->keep_alive() && buffer.size() == 0 && !unsent;
    return response_of(parser->release());
  }

  // One request, and a good answer's body as it comes; another one's as a whole.
  template <typename Stream>
  Result<ClientResponse> read_pieces(const ClientRequest& request, const Url& url, Stream& stream,
                                     const BodyReader& reader) {
    const error_code unsent = write(request, url, stream);
    if (unsent == beast::error::timeout) return call_error(request, "cannot send", unsent);
    CallState state;
    beast::flat_buffer buffer(answer_head_bytes_max + 64 * 1024);
    JACKDAW_ASSIGN(const auto parser, read_head(request, stream, buffer, unsent, state));
    const int status = static_cast<int>(parser->get().result_int());
    error_code error;
    if (status < 200 || status > 299) {
      error = run([&](auto done) { http::async_read(stream, buffer, *parser, done); });
      if (error) return call_error(request, "cannot read the answer", error);
      return response_of(parser->release());
    }
    parser->body_limit(boost::none);
    while (!parser->is_done()) {
      beast::get_lowest_layer(stream).expires_after(request.timeout);
      error = run([&](auto done) { http::async_read_some(stream, buffer, *parser, done); });
      if (error) return call_error(request, "cannot read the answer", error);
      std::string& body = parser->get().body();
      if (!body.empty() && !reader(body)) break;
      body.clear();
    }
    parser->get().body().clear();
    return response_of(parser->release());
  }

  template <typename Stream>
  error_code write(const ClientRequest& request, const Url& url, Stream& stream) {
    const std::string head = request_head(request, url);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(request.body)};
    return run([&](auto done) { asio::async_write(stream, parts, done); });
  }

  // The head of the answer, past interim ones; its parser goes on with the body.
  template <typename Stream>
  Result<std::unique_ptr<Parser>> read_head(const ClientRequest& request, Stream& stream, beast::flat_buffer& buffer,
                                            const error_code& unsent, CallState& state) {
    for (int interim = 0; interim < interim_answers_max; ++interim) {
      auto parser = std::make_unique<Parser>();
      parser->header_limit(answer_head_bytes_max);
      parser->body_limit(request.body_bytes_max);
      if (request.method == "HEAD") parser->skip(true);
      const error_code error = run([&](auto done) { http::async_read_header(stream, buffer, *parser, done); });
      state.answer_began = state.answer_began || parser->got_some();
      if (error && unsent && !state.answer_began) return call_error(request, "cannot send", unsent);
      if (error) return call_error(request, "cannot read the answer", error);
      if (parser->get().result_int() >= 200) return parser;
    }
    return interim_error(request);
  }

  asio::io_context context_{1};
  const TlsClientOptions tls_options_;
  std::unique_ptr<asio::ssl::context> tls_;     // made with the first https:// call
  std::unordered_map<std::string, Link> kept_;  // idle, by scheme, host and port
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(TlsClientOptions tls) {
  return std::make_unique<BeastClient>(std::move(tls));
}

}  // namespace jackdaw::net
