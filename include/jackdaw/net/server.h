// Server: HTTP/1.1 listener. One io thread has one event loop, one SO_REUSEPORT acceptor per address and its
// connections for life. Limits refuse slow, oversized and ambiguous (smuggling) requests before any handler sees them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/net/exchange.h"
#include "jackdaw/net/tls.h"

namespace jackdaw::net {

struct ServerLimits {
  std::size_t header_bytes_max = 64 * 1024;
  std::size_t target_bytes_max = 16 * 1024;
  std::size_t header_fields_max = 100;
  std::size_t body_bytes_max = 64 * 1024 * 1024;         // after de-chunking and gunzip
  std::size_t gzip_ratio_max = 200;                      // refuse a bomb before it fills the body limit
  std::size_t buffered_bytes_max = 1024 * 1024 * 1024;   // request bodies of all connections together; above: 503
  std::size_t connections_max = 10'000;                  // over all io threads; more get 503 and are closed
  std::size_t handshakes_max = 1000;                     // TLS handshakes under way on one io thread; the oldest goes
  std::size_t pipelined_max = 64;                        // requests of one connection read ahead
  std::size_t event_bytes_queued_max = 4 * 1024 * 1024;  // slow reader of a stream: then it is cut off
  Duration header_timeout = std::chrono::seconds(10);    // first byte of a request to the end of its head; handshakes
  Duration body_timeout = std::chrono::seconds(60);      // end of head to end of body
  Duration idle_timeout = std::chrono::seconds(75);      // kept-alive connection without a request
  Duration write_timeout = std::chrono::seconds(60);     // an answer the client does not take
};

struct ServerOptions {
  std::vector<std::string> listen;      // "127.0.0.1:8080", "[::1]:8080", "https://0.0.0.0:8443"; port 0 picks one
  std::optional<TlsServerOptions> tls;  // of the https:// ones
  int io_threads = 1;
  ServerLimits limits;
  MetricsRegistry* metrics = nullptr;  // may be null
};

class Server {
 public:
  virtual ~Server() = default;
  // Binds and starts the io threads. Errors name the address and the reason ("address already in use: ...").
  static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler handler);
  // The addresses really bound, in the order of `listen`, as URLs: "http://127.0.0.1:8080", "https://0.0.0.0:8443".
  virtual std::vector<std::string> urls() const = 0;
  // The same without the scheme.
  virtual std::vector<std::string> addresses() const = 0;
  // Reads the certificate, its key and the clients' CA again; connections from now on see them, those that are open
  // keep theirs. All or nothing: an error says why the new files are not used. Any thread; reads files.
  virtual Result<void> reload_certificates() = 0;
  virtual std::size_t connection_count() const = 0;
  // Stops accepting, lets requests in flight finish (answers carry Connection: close) until `deadline`, then closes
  // what is left and joins the threads. Returns how many connections had to be cut.
  virtual std::size_t drain(Instant deadline) = 0;
};

}  // namespace jackdaw::net
