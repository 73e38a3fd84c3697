// For the tests of net: a server on a free port of the loopback, and a client that sends exactly the bytes it is told.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "jackdaw/net/server.h"

namespace jackdaw::net::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using SharedExchange = std::shared_ptr<Exchange>;

inline Instant soon(Duration wait) {
  return std::chrono::steady_clock::now() + wait;
}

inline Response text_response(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// Answers with method, target and body, so that a test sees what the handler saw.
inline void echo(const SharedExchange& exchange) {
  const Request& request = exchange->request();
  exchange->reply(text_response(std::string(request.method_text()) + " " + std::string(request.target()) + " " +
                                std::string(request.body())));
}

class TestServer {
 public:
  explicit TestServer(Handler handler = echo, ServerLimits limits = {}, MetricsRegistry* metrics = nullptr,
                      int io_threads = 1) {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.limits = limits;
    options.metrics = metrics;
    options.io_threads = io_threads;
    auto started = Server::start(options, std::move(handler));
    REQUIRE(started.has_value());
    server_ = std::move(*started);
    const std::string address = server_->addresses()[0];
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  void stop() { server_.reset(); }

 private:
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
};

// One answer, taken apart by a reader that shares no code with the server.
struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  bool says(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd_ < 0) return;  // not connected; no assertion, for Catch2 counts those of one thread only
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void close_sending() { ::shutdown(fd_, SHUT_WR); }
  // Closes with a reset instead of an orderly end.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  // False when the server has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void send_in_pieces(std::string_view bytes, std::size_t piece) {
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
      if (!send(bytes.substr(i, piece))) return;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  // Reads once; false at the end of input or after `wait`.
  bool read_some(Duration wait = seconds(5)) {
    pollfd poll_for{fd_, POLLIN, 0};
    if (::poll(&poll_for, 1, static_cast<int>(wait / milliseconds(1))) <= 0) return false;
    char bytes[16384];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      closed_ = true;
      was_reset_ = got < 0;
      return false;
    }
    received_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  // Everything until the server closes.
  std::string read_all(Duration wait = seconds(5)) {
    while (read_some(wait)) {
    }
    return std::exchange(received_, {});
  }
  bool read_until(std::string_view text, Duration wait = seconds(5)) {
    const Instant deadline = soon(wait);
    while (received_.find(text) == std::string::npos) {
      const Duration left = deadline - std::chrono::steady_clock::now();
      if (left <= Duration::zero() || !read_some(left)) return false;
    }
    return true;
  }
  // True when the server closes the connection in time.
  bool closed_within(Duration wait) {
    const Instant deadline = soon(wait);
    while (!closed_ && std::chrono::steady_clock::now() < deadline) {
      read_some(std::max<Duration>(deadline - std::chrono::steady_clock::now(), milliseconds(1)));
    }
    return closed_;
  }
  bool was_reset() const { return was_reset_; }
  const std::string& received() const { return received_; }

  // One answer with Content-Length (or none, for HEAD and interim answers).
  Answer read_answer(bool is_head = false) {
    Answer answer;
    if (!read_until("\r\n\r\n")) {
      FAIL_CHECK("no answer; got \"" << received_ << "\"");
      return answer;
    }
    const std::size_t head_size = received_.find("\r\n\r\n") + 4;
    answer.head = received_.substr(0, head_size);
    answer.status = std::stoi(answer.head.substr(9, 3));
    std::size_t length = 0;
    const std::size_t field = answer.head.find("Content-Length: ");
    if (field != std::string::npos && !is_head) length = std::stoul(answer.head.substr(field + 16));
    while (received_.size() < head_size + length && read_some()) {
    }
    answer.body = received_.substr(head_size, length);
    received_.erase(0, head_size + length);
    return answer;
  }
  Answer ask(std::string_view bytes) {
    send(bytes);
    return read_answer();
  }

 private:
  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  bool was_reset_ = false;
  std::string received_;
};

inline std::string get(std::string_view target, std::string_view more_headers = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more_headers) + "\r\n";
}
inline std::string post(std::string_view target, std::string_view body, std::string_view more_headers = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Waits until `holds` does; false after `wait`.
inline bool eventually(const std::function<bool()>& holds, Duration wait = seconds(5)) {
  const Instant deadline = soon(wait);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

}  // namespace jackdaw::net::test
