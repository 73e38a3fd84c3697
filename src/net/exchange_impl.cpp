#include "src/net/exchange_impl.h"

#include <utility>

#include "jackdaw/base/ascii.h"
#include "src/net/connection.h"
#include "src/net/io_thread.h"

namespace jackdaw::net {

std::string_view method_name(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::delete_:
      return "DELETE";
    case Method::patch:
      return "PATCH";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      break;
  }
  return "OTHER";
}

std::optional<std::string_view> RequestImpl::header(std::string_view name) const {
  for (const FieldSpan& field : head.fields) {
    if (field.name.size == name.size() && ascii_iequals(field.name.in(base), name)) return field.value.in(base);
  }
  return std::nullopt;
}

std::vector<Header> RequestImpl::headers() const {
  std::vector<Header> out;
  out.reserve(head.fields.size());
  for (const FieldSpan& field : head.fields) {
    out.push_back({std::string(field.name.in(base)), std::string(field.value.in(base))});
  }
  return out;
}

ExchangeImpl::ExchangeImpl(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

ExchangeImpl::~ExchangeImpl() {
  if (answered_) return;
  IoThread& io = connection_->io();
  if (io.is_owner()) {
    connection_->guard([this] { connection_->abandon(place_); });
    return;
  }
  guarded("answering for a dropped request", [&] {
    io.post([connection = std::move(connection_), buffer = std::move(buffer_), place = place_] {
      connection->guard([&] { connection->abandon(place); });
    });
  });
}

void ExchangeImpl::start(std::uint64_t place) {
  place_ = place;
  answered_ = false;
}

void ExchangeImpl::reply(Response response) {
  CHECK(!answered_);
  connection_->reply(place_, std::move(response));
  set_answered();
}

std::shared_ptr<EventStream> ExchangeImpl::begin_events(Response head) {
  CHECK(!answered_);
  connection_->begin_events(place_, std::move(head));
  set_answered();
  return std::make_shared<EventStreamImpl>(connection_, place_);
}

void ExchangeImpl::on_disconnect(std::function<void()> callback) {
  connection_->on_disconnect(place_, std::move(callback));
}

Executor& ExchangeImpl::executor() {
  return connection_->io();
}

EventStreamImpl::EventStreamImpl(std::shared_ptr<Connection> connection, std::uint64_t place)
    : connection_(std::move(connection)), place_(place) {}

EventStreamImpl::~EventStreamImpl() {
  if (ended_) return;
  IoThread& io = connection_->io();
  if (io.is_owner()) {
    connection_->guard([this] { connection_->abandon_events(place_); });
    return;
  }
  guarded("closing a dropped event stream", [&] {
    io.post([connection = std::move(connection_), place = place_] {
      connection->guard([&] { connection->abandon_events(place); });
    });
  });
}

std::size_t EventStreamImpl::send(std::string bytes) {
  CHECK(!ended_);
  return connection_->send_event(place_, std::move(bytes));
}

void EventStreamImpl::end() {
  if (ended_) return;
  ended_ = true;
  connection_->end_events(place_);
}

bool EventStreamImpl::closed() const {
  return ended_ || !connection_->event_stream_open(place_);
}

}  // namespace jackdaw::net
