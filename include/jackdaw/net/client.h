// Client: a small HTTP/1.1 client for storage, kube, logger and transformer steps. Blocking; not for io threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/net/exchange.h"
#include "jackdaw/net/tls.h"

namespace jackdaw::net {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http[s]://host[:port]/path?query
  std::vector<Header> headers;
  std::string body;
  Duration timeout = std::chrono::seconds(30);
  std::size_t body_bytes_max = 64 * 1024 * 1024;
};

struct ClientResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
};

// Takes a piece of a body as it arrives; false ends the call.
using BodyReader = std::function<bool(std::string_view piece)>;

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Result<ClientResponse> send(const ClientRequest& request) = 0;
  // An answer that may go on for long, such as a watch: the body of a 2xx goes to `reader` and `ClientResponse::body`
  // stays empty; any other answer comes back whole. `timeout` bounds everything up to the head, then every silence;
  // `body_bytes_max` does not count for what is streamed. A call that the reader ended is no error.
  virtual Result<ClientResponse> stream(const ClientRequest& request, const BodyReader& reader) {
    (void)reader;
    return make_error(Code::unsupported, "{} {}: this client cannot stream", request.method, request.url);
  }
};

// Keeps connections alive between calls; one instance per thread. Of an https:// server the certificate and its name
// are always checked. The files of `tls` are read with the first https:// call, whose error says what is wrong with
// them.
std::unique_ptr<HttpClient> make_http_client(TlsClientOptions tls = {});

}  // namespace jackdaw::net
