// AsyncClient: HTTP/1.1 calls that no thread waits for. For calls made on behalf of a request, such as transformer
// steps.
//
// Owns one thread, "client", that all its calls share; connections are kept alive between them. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "jackdaw/base/result.h"
#include "jackdaw/net/client.h"

namespace jackdaw::net {

struct AsyncClientOptions {
  std::size_t in_flight_max = 1024;                      // calls at once; more are refused
  std::size_t idle_per_host_max = 64;                    // kept connections to one host and port
  std::size_t answer_bytes_max = 1024u * 1024u * 1024u;  // bodies of all answers that are being read, together
  Duration connect_timeout = std::chrono::seconds(5);    // name, connection and TLS; also within the call's own
  Duration idle_timeout = std::chrono::seconds(4);       // kept connections; uvicorn and Node close theirs after 5 s
  TlsClientOptions tls;                                  // files are read with the first https:// call
};

class AsyncClient {
 public:
  // Called once per call, on the client's thread or, for calls that are refused at once, on the caller's; must not
  // block. Codes: not_ready when nothing could be sent (no such host, no connection, no TLS, the client is draining),
  // resource_exhausted for too much at once, deadline_exceeded, cancelled, too_large and parse_error for an answer that
  // is too large or no HTTP, invalid_argument for what cannot be a request; io_error for the rest.
  using Done = std::function<void(Result<ClientResponse>)>;

  virtual ~AsyncClient() = default;  // ends calls under way with not_ready, then joins
  // Redirects are answers as all others. A request that met a closed kept connection before any of it was sent goes out
  // once more on a new one; nothing is sent twice. Returns a ticket for `cancel`; 0 when `done` was called already.
  virtual std::uint64_t send(ClientRequest request, Done done) = 0;
  // Ends the call, with `cancelled`, and closes its connection. One that has ended is left alone.
  virtual void cancel(std::uint64_t ticket) = 0;
  virtual std::size_t in_flight() const = 0;
  // Refuses calls from here on and waits until those under way have ended; at the deadline ends them. All `done`s have
  // returned when this does. How many had to be ended. Not for the client's thread.
  virtual std::size_t drain(Instant deadline) = 0;
};

std::unique_ptr<AsyncClient> make_async_client(AsyncClientOptions options = {});

}  // namespace jackdaw::net
