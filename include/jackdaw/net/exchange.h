// Exchange: one HTTP request and the way to answer it. All that api knows of the network.
//
// Owner thread: the io thread that accepted the connection. Every member is called on that thread; work done elsewhere
// comes back through `executor().post`. An Exchange may be kept past the handler (shared_ptr) and must then be answered
// once; dropping the last reference unanswered sends a 500 and logs it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/env.h"
#include "jackdaw/net/tls.h"

namespace jackdaw::net {

enum class Method : unsigned char { get, head, post, put, delete_, patch, options, other };

std::string_view method_name(Method method);

struct Header {
  std::string name;
  std::string value;
};

// Views into the connection's buffers; valid until the exchange is answered.
class Request {
 public:
  virtual ~Request() = default;
  virtual Method method() const = 0;
  virtual std::string_view method_text() const = 0;
  virtual std::string_view target() const = 0;  // as sent: path and query, percent-encoded
  virtual std::string_view path() const = 0;    // percent-encoded, without the query
  virtual std::string_view query() const = 0;   // after '?', or ""
  // First header of that name, case-insensitive; nullopt when absent.
  virtual std::optional<std::string_view> header(std::string_view name) const = 0;
  // All of them, in order and as sent: for what passes a request on.
  virtual std::vector<Header> headers() const = 0;
  virtual std::string_view body() const = 0;  // complete, de-chunked, gunzipped
  virtual std::string_view peer() const = 0;  // "127.0.0.1:50312"
  virtual Instant received() const = 0;       // when the head had been read
  // Who the client proved to be by its certificate; null when it showed none.
  virtual const ClientCertificate* client_certificate() const { return nullptr; }
};

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";  // must be a literal or outlive the call
  std::vector<Header> headers;  // further ones; Content-Length, Date, Server and Connection are net's
  std::string body;
};

// A streamed answer (text/event-stream and the like); see begin_events.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // Queues bytes as one chunk and returns how many queued bytes are not written yet: the sender's back-pressure.
  virtual std::size_t send(std::string bytes) = 0;
  // Ends the answer; nothing may be sent afterwards.
  virtual void end() = 0;
  // True once the client is gone; sends are dropped from then on.
  virtual bool closed() const = 0;
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const Request& request() const = 0;
  // Sends the answer. Exactly one of reply and begin_events, once.
  virtual void reply(Response response) = 0;
  // Sends status and headers at once (chunked, no Content-Length) and keeps the answer open.
  virtual std::shared_ptr<EventStream> begin_events(Response head) = 0;
  // Called at most once, on the owner thread, when the client goes away before the answer is complete.
  virtual void on_disconnect(std::function<void()> callback) = 0;
  virtual Executor& executor() = 0;
};

// Called on the io thread of the connection for every complete request.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace jackdaw::net
