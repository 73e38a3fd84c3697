// ApiClient: a daemon's HTTP API as the commands see it: objects in, objects out, the server's refusals as errors in
// kubectl's words. Blocking; one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/net/client.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::app {

inline constexpr const char* default_server = "http://127.0.0.1:8080";

// Where the daemon is and who asks; flags and environment variables of every command.
struct ConnectionFlags {
  std::string server = default_server;
  std::string token;
  std::string token_file;
  std::string ca_file;
};

struct ApiAnswer {
  int status = 0;
  spec::Json body;                    // null when the answer is no JSON
  std::vector<std::string> warnings;  // of the Warning: 299 headers
};

// What a server says of a request it does not do (metav1.Status), with one line for each field it complains about.
struct Refusal {
  int status = 0;
  std::string reason;   // "NotFound", "Invalid", …; "" when the answer was no Status
  std::string message;  // whole, as the server wrote it
  struct Cause {
    std::string field, message, reason;
  };
  std::vector<Cause> causes;

  bool is_not_found() const { return status == 404; }
};
Refusal read_refusal(int status, std::string_view body);
// "Error from server (NotFound): …" and, below it, "  spec.x: what is wrong (FieldValueInvalid)".
std::string refusal_text(const Refusal& refusal);

// Either of the two; `error` is for a server that could not be reached or understood.
struct ApiOutcome {
  std::optional<Error> error;
  std::optional<Refusal> refusal;
  ApiAnswer answer;

  bool ok() const { return !error && !refusal; }
  std::string text() const;  // what went wrong, for people
};

struct ApiRequest {
  std::string method = "GET";
  std::string path;  // "/apis/…?…", percent-encoded
  std::string accept = "application/json";
  std::string content_type;
  std::string body;
  Duration timeout = std::chrono::seconds(30);
};

struct WatchedEvent {
  std::string type;  // "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"
  spec::Json object;
};

class ApiClient {
 public:
  // Refuses what could never work: a server that is no URL, a token file that cannot be read.
  static Result<ApiClient> make(const ConnectionFlags& flags, std::unique_ptr<net::HttpClient> http);

  ApiOutcome call(const ApiRequest& request);
  ApiOutcome get(std::string path) { return call({.path = std::move(path)}); }
  // The body as it came; errors as text() has them.
  Result<std::string> text(std::string path);
  // A stream of lines until the server ends it, it stays silent for `request.timeout`, or `on_line` returns false.
  ApiOutcome lines(const ApiRequest& request, const std::function<bool(std::string_view line)>& on_line);
  ApiOutcome watch(const ApiRequest& request, const std::function<bool(const WatchedEvent&)>& on_event);

  const std::string& server() const { return server_; }

 private:
  ApiClient(std::string server, std::string token, std::unique_ptr<net::HttpClient> http)
      : server_(std::move(server)), token_(std::move(token)), http_(std::move(http)) {}

  net::ClientRequest http_request(const ApiRequest& request) const;
  ApiOutcome unreachable(const Error& error) const;

  std::string server_;  // without a slash at its end
  std::string token_;
  std::unique_ptr<net::HttpClient> http_;
};

// As a part of a path or a query.
std::string percent_encoded(std::string_view text);

}  // namespace jackdaw::app
