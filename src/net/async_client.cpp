// The asynchronous client: one io_context on one thread, one Flight per call, callbacks from step to step.
//
// A flight has one timer for the whole call and one for connecting. Whatever ends a flight early (a timer, a
// cancellation, the end of the client) closes its connection; the step that was open then ends with an error that
// nobody hears any more.
//
// No coroutines, as in client.cpp: clang 14 cannot compile Asio's under AddressSanitizer.
#include "jackdaw/net/async_client.h"

#include <pthread.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/guarded.h"
#include "src/net/client_message.h"
#include "src/net/client_tls.h"
#include "src/net/url.h"

namespace jackdaw::net {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Memory has run out, or a library has failed; short, so that it takes no memory to say.
Error failed_inside() {
  return {Code::internal, "call failed", {}};
}

std::string head_of(const ClientRequest& request, const Url& url) {
  std::string head = request.method + " " + url.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const Header& header : request.headers) {
    if (is_framing_header(header.name)) continue;
    has_host |= ascii_iequals(header.name, "host");
    head += header.name + ": " + header.value + "\r\n";
  }
  if (!has_host) head += "Host: " + url.authority + "\r\n";
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return head + "\r\n";
}

using SecureStream = asio::ssl::stream<tcp::socket>;

// One connection: one of the two.
struct Link {
  std::unique_ptr<tcp::socket> plain;
  std::unique_ptr<SecureStream> secure;

  explicit operator bool() const { return plain != nullptr || secure != nullptr; }
  tcp::socket& tcp_socket() { return plain != nullptr ? *plain : secure->next_layer(); }
  void close() {
    error_code ignored;
    if (*this) tcp_socket().close(ignored);
  }
};

// Kept connections by scheme, host and port.
class IdleLinks {
 public:
  using Time = std::chrono::steady_clock::time_point;

  IdleLinks(std::size_t per_host_max, Duration idle_timeout)
      : per_host_max_(per_host_max), idle_timeout_(idle_timeout) {}

  void keep(const std::string& host, Link link, Time now) {
    std::deque<Idle>& all = by_host_[host];
    while (!all.empty() && all.size() >= per_host_max_) all.pop_front();
    if (per_host_max_ > 0) all.push_back({std::move(link), now});
  }
  // The one used last, so that those that are too many grow old. Empty when there is none.
  Link take(const std::string& host, Time now) {
    const auto found = by_host_.find(host);
    if (found == by_host_.end()) return {};
    while (!found->second.empty()) {
      Idle idle = std::move(found->second.back());
      found->second.pop_back();
      if (now - idle.since < idle_timeout_ && is_fresh(idle.link.tcp_socket())) return std::move(idle.link);
    }
    return {};
  }
  // Closes those that are too old; false when none is left.
  bool sweep(Time now) {
    for (auto& [host, all] : by_host_) {
      while (!all.empty() && now - all.front().since >= idle_timeout_) all.pop_front();
    }
    std::erase_if(by_host_, [](const auto& entry) { return entry.second.empty(); });
    return !by_host_.empty();
  }
  void clear() { by_host_.clear(); }

 private:
  struct Idle {
    Link link;
    Time since;
  };

  std::size_t per_host_max_;
  Duration idle_timeout_;
  std::unordered_map<std::string, std::deque<Idle>> by_host_;
};

// How many calls there are; any thread.
class Tickets {
 public:
  explicit Tickets(std::size_t max) : max_(max) {}

  Result<std::uint64_t> take() {
    const std::lock_guard lock(mutex_);
    if (closed_) return make_error(Code::not_ready, "the daemon is stopping");
    if (count_ >= max_) return make_error(Code::resource_exhausted, "{} calls are under way already", max_);
    ++count_;
    return ++last_;
  }
  void give_back() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  bool wait_for_none(Instant deadline) {
    std::unique_lock lock(mutex_);
    return none_.wait_until(lock, deadline, [this] { return count_ == 0; });
  }
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  const std::size_t max_;
  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

class Flight;

// What flights share; outlives all of them. Everything but `tickets` is the client's thread's.
struct Shared {
  explicit Shared(AsyncClientOptions given)
      : options(std::move(given)),
        tickets(options.in_flight_max),
        idle(options.idle_per_host_max, options.idle_timeout),
        sweeper(context) {}

  void keep(const std::string& host, Link link) {
    idle.keep(host, std::move(link), std::chrono::steady_clock::now());
    if (!std::exchange(sweeping, true)) sweep_later();
  }
  void sweep_later() {
    sweeper.expires_after(options.idle_timeout);
    sweeper.async_wait([this](const error_code& stopped) {
      sweeping = !stopped && idle.sweep(std::chrono::steady_clock::now());
      if (sweeping) sweep_later();
    });
  }
  // Made with the first https:// call.
  Result<asio::ssl::context*> tls_context() {
    if (tls == nullptr) {
      JACKDAW_ASSIGN(tls, make_client_context(options.tls));
    }
    return tls.get();
  }

  const AsyncClientOptions options;
  asio::io_context context{1};
  Tickets tickets;
  IdleLinks idle;
  asio::steady_timer sweeper;
  bool sweeping = false;
  std::unique_ptr<asio::ssl::context> tls;
  std::size_t answer_bytes = 0;                                        // of all answers that are being read
  bool ended = false;                                                  // what begins now ends at once
  std::unordered_map<std::uint64_t, std::shared_ptr<Flight>> flights;  // by ticket
};

// One call. Everything but the constructor runs on the client's thread.
class Flight final : public std::enable_shared_from_this<Flight> {
  // A step's continuation, for as long as the flight is not over. What it throws ends the flight.
  template <typename Step>
  auto unless_over(Step step) {
    return [self = shared_from_this(), step = std::move(step)](const auto&... outcome) {
      if (self->done_ != nullptr) self->guard([&] { step(*self, outcome...); });
    };
  }

 public:
  Flight(Shared& shared, std::uint64_t ticket, ClientRequest request, Url url, AsyncClient::Done done)
      : shared_(shared),
        ticket_(ticket),
        request_(std::move(request)),
        url_(std::move(url)),
        host_(connection_key(url_)),
        head_(head_of(request_, url_)),
        done_(std::move(done)),
        timer_(shared.context),
        connect_timer_(shared.context),
        resolver_(shared.context) {}

  void start() {
    guard([this] { begin(); });
  }

  // Nobody waits for the answer any more.
  void cancel() {
    finish(make_error(Code::cancelled, "{} {}: nobody waits for the answer", request_.method, request_.url));
  }
  // The client ends.
  void end() { finish(make_error(Code::not_ready, "{} {}: the daemon is stopping", request_.method, request_.url)); }
  template <typename Work>
  void guard(Work&& work) {
    if (!guarded("a call to an HTTP server", work) && done_ != nullptr) finish(failed_inside());
  }

 private:
  void begin() {
    shared_.flights.emplace(ticket_, shared_from_this());
    if (shared_.ended) return end();
    timer_.expires_after(request_.timeout);
    timer_.async_wait(unless_over([](Flight& self, const error_code& stopped) {
      if (!stopped) self.late();
    }));
    link_ = shared_.idle.take(host_, std::chrono::steady_clock::now());
    kept_ = static_cast<bool>(link_);
    kept_ ? write() : find();
  }

  template <typename Step>
  void on_stream(Step step) {
    link_.secure != nullptr ? step(*link_.secure) : step(*link_.plain);
  }

  void find() {
    connect_timer_.expires_after(shared_.options.connect_timeout);
    connect_timer_.async_wait(unless_over([](Flight& self, const error_code& stopped) {
      if (!stopped) self.fail_connect("cannot connect to " + self.url_.authority, "it takes too long");
    }));
    error_code error;
    const auto numeric = asio::ip::make_address(url_.host, error);
    if (!error) return connect({tcp::endpoint(numeric, url_.port)});
    resolver_.async_resolve(
        url_.host, std::to_string(url_.port),
        unless_over([](Flight& self, const error_code& failed, const tcp::resolver::results_type& found) {
          if (failed) return self.fail_connect("cannot find the host " + self.url_.host, failed.message());
          std::vector<tcp::endpoint> endpoints;
          for (const auto& entry : found) endpoints.push_back(entry.endpoint());
          self.connect(std::move(endpoints));
        }));
  }

  void connect(std::vector<tcp::endpoint> endpoints) {
    link_ = {};
    if (url_.secure) {
      const auto context = shared_.tls_context();
      if (!context) return fail_connect("cannot connect to " + url_.authority, context.error().text());
      link_.secure = std::make_unique<SecureStream>(shared_.context, **context);
    } else {
      link_.plain = std::make_unique<tcp::socket>(shared_.context);
    }
    endpoints_ = std::move(endpoints);
    asio::async_connect(
        link_.tcp_socket(), endpoints_,
        unless_over([](Flight& self, const error_code& failed, const auto&) { self.connected(failed); }));
  }

  void connected(const error_code& failed) {
    if (failed) return fail_connect("cannot connect to " + url_.authority, failed.message());
    error_code ignored;
    link_.tcp_socket().set_option(tcp::no_delay(true), ignored);
    if (link_.secure != nullptr) return shake_hands();
    connect_timer_.cancel();
    write();
  }

  void shake_hands() {
    const std::string& server_name = shared_.options.tls.server_name;
    const std::string host = server_name.empty() ? url_.host : server_name;
    if (const std::string wrong = expect_server(*link_.secure->native_handle(), host); !wrong.empty()) {
      return fail_connect("\"" + host + "\" cannot be checked", wrong);
    }
    link_.secure->async_handshake(
        asio::ssl::stream_base::client, unless_over([host](Flight& self, const error_code& failed) {
          self.connect_timer_.cancel();
          if (!failed) return self.write();
          SSL& ssl = *self.link_.secure->native_handle();
          self.fail_connect("cannot agree on TLS with " + self.url_.authority, handshake_failure(ssl, host, failed));
        }));
  }

  void write() {
    on_stream([this](auto& stream) {
      const std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(request_.body)};
      asio::async_write(stream, parts, unless_over([](Flight& self, const error_code& failed, std::size_t sent) {
                          self.written(failed, sent);
                        }));
    });
  }

  void written(const error_code& failed, std::size_t sent) {
    if (failed && sent == 0 && std::exchange(kept_, false)) return find();
    // A server may refuse a body it has not read: its answer counts, not our broken pipe.
    unsent_ = failed;
    read_head();
  }

  void read_head() {
    parser_ = std::make_unique<http::response_parser<http::string_body>>();
    parser_->header_limit(answer_head_bytes_max);
    parser_->body_limit(request_.body_bytes_max);
    if (request_.method == "HEAD") parser_->skip(true);
    on_stream([this](auto& stream) {
      http::async_read_header(
          stream, buffer_, *parser_,
          unless_over([](Flight& self, const error_code& failed, std::size_t) { self.head_read(failed); }));
    });
  }

  void head_read(const error_code& failed) {
    if (failed) return fail_read(failed);
    if (parser_->get().result_int() >= 200) return read_body();
    if (++interim_ > interim_answers_max) return finish(interim_error(request_));
    read_head();
  }

  void read_body() {
    if (parser_->is_done()) return answered();
    on_stream([this](auto& stream) {
      http::async_read_some(stream, buffer_, *parser_,
                            unless_over([](Flight& self, const error_code& failed, std::size_t) {
                              if (failed) return self.fail_read(failed);
                              if (self.count_body()) self.read_body();
                            }));
    });
  }

  // False: all answers together are too much, and this one is given up.
  bool count_body() {
    const std::size_t size = parser_->get().body().size();
    shared_.answer_bytes += size - counted_;
    counted_ = size;
    if (shared_.answer_bytes <= shared_.options.answer_bytes_max) return true;
    finish(make_error(Code::resource_exhausted, "{} {}: the answers that are being read have over {} bytes together",
                      request_.method, request_.url, shared_.options.answer_bytes_max));
    return false;
  }

  void answered() {
    // Servers that failed may close the connection behind their answer without saying so (uvicorn does).
    const bool failed = parser_->get().result_int() >= 500;
    const bool reusable = parser_->keep_alive() && buffer_.size() == 0 && !unsent_ && !failed;
    if (reusable) shared_.keep(host_, std::exchange(link_, {}));
    finish(response_of(parser_->release()));
  }

  void late() { finish(late_error(request_)); }
  // Nothing was sent.
  void fail_connect(const std::string& step, const std::string& why) {
    finish(make_error(Code::not_ready, "{} {}: {}: {}", request_.method, request_.url, step, why));
  }
  void fail_read(const error_code& error) {
    const bool sent = !unsent_ || parser_->got_some();
    finish(sent ? call_error(request_, "cannot read the answer", error) : call_error(request_, "cannot send", unsent_));
  }

  // Whatever step is still open ends on a closed socket and finds `done_` empty.
  void finish(Result<ClientResponse> result) {
    const auto self = shared_from_this();
    const AsyncClient::Done done = std::exchange(done_, nullptr);
    timer_.cancel();
    connect_timer_.cancel();
    resolver_.cancel();
    link_.close();
    shared_.answer_bytes -= counted_;
    shared_.flights.erase(ticket_);
    guarded("what follows a call to an HTTP server", [&] { done(std::move(result)); });
    shared_.tickets.give_back();
  }

  Shared& shared_;
  const std::uint64_t ticket_;
  const ClientRequest request_;
  const Url url_;
  const std::string host_;  // key of its kept connections
  const std::string head_;
  AsyncClient::Done done_;  // empty: it is over
  asio::steady_timer timer_, connect_timer_;
  tcp::resolver resolver_;
  std::vector<tcp::endpoint> endpoints_;
  Link link_;
  bool kept_ = false;
  error_code unsent_;
  int interim_ = 0;
  std::size_t counted_ = 0;  // bytes of its body that are in answer_bytes
  boost::beast::flat_buffer buffer_{answer_head_bytes_max + 64 * 1024};
  std::unique_ptr<http::response_parser<http::string_body>> parser_;
};

class AsioClient final : public AsyncClient {
 public:
  explicit AsioClient(AsyncClientOptions options)
      : shared_(std::move(options)), work_(shared_.context.get_executor()), thread_([this] {
          pthread_setname_np(pthread_self(), "client");
          while (!guarded("the HTTP client's loop", [this] { shared_.context.run(); })) {
          }
        }) {}

  ~AsioClient() override {
    drain(std::chrono::steady_clock::now());
    asio::post(shared_.context, [this] {
      shared_.sweeper.cancel();
      shared_.idle.clear();
    });
    work_.reset();
    thread_.join();
  }

  std::uint64_t send(ClientRequest request, Done done) override {
    auto flight = prepare(std::move(request), done);
    if (!flight) {
      done(std::move(flight).error());
      return 0;
    }
    const std::uint64_t ticket = flight->first;
    const bool begun = guarded("a call to an HTTP server", [&] {
      asio::post(shared_.context, [flight = std::move(flight->second)] { flight->start(); });
    });
    if (begun) return ticket;
    shared_.tickets.give_back();
    done(failed_inside());
    return 0;
  }

  void cancel(std::uint64_t ticket) override {
    asio::post(shared_.context, [this, ticket] {
      const auto found = shared_.flights.find(ticket);
      if (found == shared_.flights.end()) return;
      const auto flight = found->second;
      flight->cancel();
    });
  }

  std::size_t in_flight() const override { return shared_.tickets.count(); }

  std::size_t drain(Instant deadline) override {
    shared_.tickets.close();
    if (shared_.tickets.wait_for_none(deadline)) return 0;
    const std::size_t left = shared_.tickets.count();
    asio::post(shared_.context, [this] {
      shared_.ended = true;
      const auto flights = std::exchange(shared_.flights, {});
      for (const auto& [ticket, flight] : flights) flight->guard([&] { flight->end(); });
    });
    shared_.tickets.wait_for_none();  // not long: ending a flight waits for nothing
    return left;
  }

 private:
  using Prepared = std::pair<std::uint64_t, std::shared_ptr<Flight>>;

  Result<Prepared> prepare(ClientRequest request, const Done& done) {
    JACKDAW_TRY(check_request(request));
    JACKDAW_ASSIGN(Url url, parse_url(request.url));
    JACKDAW_ASSIGN(const std::uint64_t ticket, shared_.tickets.take());
    std::shared_ptr<Flight> flight;
    const bool made = guarded("a call to an HTTP server", [&] {
      flight = std::make_shared<Flight>(shared_, ticket, std::move(request), std::move(url), done);
    });
    if (made) return Prepared{ticket, std::move(flight)};
    shared_.tickets.give_back();
    return failed_inside();
  }

  Shared shared_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<AsyncClient> make_async_client(AsyncClientOptions options) {
  return std::make_unique<AsioClient>(std::move(options));
}

}  // namespace jackdaw::net
