// The Exchange that handlers see: a request's views and a ticket for its place in the connection's row of answers.
//
// Owner thread: the connection's io thread. Only the destructors may run elsewhere; they hand what is left to the
// owner.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "jackdaw/net/exchange.h"
#include "src/net/read_buffer.h"
#include "src/net/request_head.h"

namespace jackdaw::net {

class Connection;

class RequestImpl final : public Request {
 public:
  Method method() const override { return head.method; }
  std::string_view method_text() const override { return head.method_text.in(base); }
  std::string_view target() const override { return head.target.in(base); }
  std::string_view path() const override { return head.path.in(base); }
  std::string_view query() const override { return head.query.in(base); }
  std::optional<std::string_view> header(std::string_view name) const override;
  std::vector<Header> headers() const override;
  std::string_view body() const override { return body_view; }
  std::string_view peer() const override { return peer_view; }
  Instant received() const override { return received_at; }
  const ClientCertificate* client_certificate() const override { return certificate; }

  RequestHead head;
  const char* base = nullptr;  // the request's first byte
  std::string_view body_view;
  std::string inflated;  // the body, when it came compressed
  BudgetShare inflated_share;
  std::string_view peer_view;
  const ClientCertificate* certificate = nullptr;  // the connection's
  Instant received_at{};
};

class ExchangeImpl final : public Exchange {
 public:
  explicit ExchangeImpl(std::shared_ptr<Connection> connection);
  ~ExchangeImpl() override;

  const Request& request() const override { return request_; }
  void reply(Response response) override;
  std::shared_ptr<EventStream> begin_events(Response head) override;
  void on_disconnect(std::function<void()> callback) override;
  Executor& executor() override;

  // Makes it fit for the next request of the connection.
  void recycle() {
    request_.inflated_share.release();
    if (request_.inflated.capacity() > ReadBuffer::free_bytes) std::string().swap(request_.inflated);
  }
  // For the connection: fills the request in, then starts the exchange at its place in the row.
  RequestImpl& incoming() { return request_; }
  void start(std::uint64_t place);
  bool answered() const { return answered_; }
  // The answer comes after the handler: the bytes are kept as long as the exchange.
  void hold(std::shared_ptr<ReadBuffer> buffer) { buffer_ = std::move(buffer); }
  void set_answered() { answered_ = true; }

 private:
  std::shared_ptr<Connection> connection_;
  RequestImpl request_;
  std::shared_ptr<ReadBuffer> buffer_;
  std::uint64_t place_ = 0;
  bool answered_ = true;
};

class EventStreamImpl final : public EventStream {
 public:
  EventStreamImpl(std::shared_ptr<Connection> connection, std::uint64_t place);
  ~EventStreamImpl() override;

  std::size_t send(std::string bytes) override;
  void end() override;
  bool closed() const override;

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t place_;
  bool ended_ = false;
};

}  // namespace jackdaw::net
