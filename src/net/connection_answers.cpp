// The answering half of Connection: the row of answers, and writing.
#include <array>
#include <cerrno>
#include <charconv>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/log.h"
#include "src/net/connection.h"

namespace jackdaw::net {
namespace {

constexpr std::size_t gather_max = 64;
constexpr std::size_t event_flush_bytes = 64 * 1024;  // an event stream writes before its turn ends above this

bool says_close(const Response& response) {
  for (const Header& header : response.headers) {
    if (ascii_iequals(header.name, "connection") && ascii_iequals(header.value, "close")) return true;
  }
  return false;
}

bool has_no_body(int status) {
  return status == 204 || status == 304 || (status >= 100 && status < 200);
}

void append_chunk(OutQueue& out, std::string&& bytes) {
  char size_line[20];
  char* end = std::to_chars(size_line, size_line + sizeof size_line - 2, bytes.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append({size_line, static_cast<std::size_t>(end - size_line)});
  out.push(std::move(bytes));
  out.append("\r\n");
}

}  // namespace

std::uint64_t AnswerRow::push() {
  if (size() == ring_.size()) {
    std::vector<Answer> larger(ring_.empty() ? 4 : ring_.size() * 2);
    for (std::uint64_t place = front_; place < next_; ++place) {
      larger[place & (larger.size() - 1)] = std::move((*this)[place]);
    }
    ring_ = std::move(larger);
  }
  return next_++;
}

void AnswerRow::pop() {
  Answer& answer = (*this)[front_++];
  answer.state = Answer::State::waiting;
  answer.disconnect = nullptr;
  answer.early.clear();
  answer.held_bytes = 0;
}

void AnswerRow::clear() {
  while (!empty()) pop();
}

OutQueue& Connection::sink(std::uint64_t place) {
  return place == answers_.front() ? out_ : answers_[place].early;
}

void Connection::changed() {
  if (settling_ || unsettled_ || closed_) return;
  unsettled_ = true;
  io_->settle_later(shared_from_this());
}

// A closing answer may only be the last one of the row.
bool Connection::may_keep_alive(std::uint64_t place, const Response& response) {
  const bool last = place + 1 == answers_.next();
  const bool wants_close = io_->draining() || says_close(response);
  return answers_[place].keep_alive && !(last && wants_close);
}

void Connection::reply(std::uint64_t place, Response response) {
  if (closed_ || !answers_.holds(place)) return;
  const bool keep_alive = may_keep_alive(place, response);
  write_answer(place, std::move(response), keep_alive);
  complete(place, keep_alive);
}

void Connection::write_answer(std::uint64_t place, Response&& response, bool keep_alive) {
  const Answer& answer = answers_[place];
  HeadShape shape;
  shape.framing = has_no_body(response.status) ? Framing::none : Framing::length;
  shape.content_length = response.body.size();
  shape.keep_alive = keep_alive;
  shape.http10 = answer.http10;
  OutQueue& out = sink(place);
  std::string& tail = out.tail();
  const std::size_t before = tail.size();
  io_->response_text().append_head(tail, response, shape);
  out.appended(tail.size() - before);
  if (!answer.is_head && shape.framing == Framing::length) out.push(std::move(response.body));
}

void Connection::begin_events(std::uint64_t place, Response head) {
  if (closed_ || !answers_.holds(place)) return;
  Answer& answer = answers_[place];
  answer.chunked = !answer.http10;
  HeadShape shape;
  shape.framing = answer.http10 ? Framing::until_close : Framing::chunked;
  shape.keep_alive = !answer.http10 && may_keep_alive(place, head);
  shape.http10 = answer.http10;
  answer.keep_alive = shape.keep_alive;
  OutQueue& out = sink(place);
  std::string& tail = out.tail();
  const std::size_t before = tail.size();
  io_->response_text().append_head(tail, head, shape);
  out.appended(tail.size() - before);
  if (answer.is_head) {
    complete(place, answer.keep_alive);
    return;
  }
  answer.state = Answer::State::streaming;
  if (!head.body.empty()) send_event(place, std::move(head.body));
  if (gone_) {
    close();
    return;
  }
  // The head leaves now, whatever else this turn still does.
  flush();
  changed();
}

std::size_t Connection::send_event(std::uint64_t place, std::string bytes) {
  if (!event_stream_open(place)) return 0;
  OutQueue& out = sink(place);
  if (!bytes.empty()) {
    if (answers_[place].chunked) {
      append_chunk(out, std::move(bytes));
    } else {
      out.push(std::move(bytes));
    }
  }
  if (out.size() > event_flush_bytes) flush();
  if (closed_) return 0;
  if (out.size() > limits_.event_bytes_queued_max) {
    io_->core().count_refused("slow_reader");
    log_warning("cut off a client that does not read its event stream",
                {{"peer", peer_}, {"queued_bytes", static_cast<std::uint64_t>(out.size())}});
    close();
    return 0;
  }
  changed();
  return out.size();
}

void Connection::end_events(std::uint64_t place) {
  if (!event_stream_open(place)) return;
  if (answers_[place].chunked) sink(place).append("0\r\n\r\n");
  complete(place, answers_[place].keep_alive);
}

bool Connection::event_stream_open(std::uint64_t place) const {
  if (closed_ || !answers_.holds(place)) return false;
  return const_cast<AnswerRow&>(answers_)[place].state == Answer::State::streaming;
}

void Connection::on_disconnect(std::uint64_t place, std::function<void()> callback) {
  if (closed_ || gone_) {
    io_->post(std::move(callback));
    return;
  }
  if (answers_.holds(place) && answers_[place].state != Answer::State::ready) {
    answers_[place].disconnect = std::move(callback);
  }
}

void Connection::abandon(std::uint64_t place) {
  if (closed_ || !answers_.holds(place)) return;
  log_error("a request was dropped without an answer", {{"peer", peer_}});
  Response response;
  response.status = 500;
  response.body = error_body("the server dropped this request");
  reply(place, std::move(response));
}

void Connection::abandon_events(std::uint64_t place) {
  if (!event_stream_open(place)) return;
  log_error("an event stream was dropped before its end", {{"peer", peer_}});
  close();
}

void Connection::complete(std::uint64_t place, bool keep_alive) {
  Answer& answer = answers_[place];
  answer.state = Answer::State::ready;
  answer.keep_alive = keep_alive;
  answer.disconnect = nullptr;
  held_bytes_ -= answer.held_bytes;
  answer.held_bytes = 0;
  if (place == answers_.front()) advance();
  changed();
}

// The front of the row is answered: it leaves, and what is ready behind it follows.
void Connection::advance() {
  for (;;) {
    const bool keep_alive = answers_[answers_.front()].keep_alive;
    answers_.pop();
    if (!keep_alive) {
      last_request_ = true;
      tell_disconnected();
      answers_.clear();
      held_bytes_ = 0;
      return;
    }
    if (answers_.empty()) return;
    Answer& next = answers_[answers_.front()];
    out_.take(next.early);
    if (next.state != Answer::State::ready) return;
  }
}

void Connection::flush() {
  while (!closed_ && !writing_ && !out_.empty()) {
    std::array<iovec, gather_max> pieces;
    const ssize_t sent = stream_.send(pieces.data(), out_.gather(pieces.data(), pieces.size()));
    if (sent >= 0) {
      out_.consume(static_cast<std::size_t>(sent));
      io_->count_written(static_cast<std::size_t>(sent));
      write_deadline_ = Instant::max();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      arm_write();
    } else if (errno != EINTR) {
      close();
    }
  }
}

void Connection::arm_write() {
  writing_ = true;
  write_deadline_ = io_->now() + limits_.write_timeout;
  stream_.wait_writable([self = shared_from_this()](boost::system::error_code error) {
    IoThread::Turn turn(*self->io_);
    self->writing_ = false;
    if (self->closed_) return;
    if (error) {
      self->close();
    } else {
      self->guard([&] { self->settle(); });
    }
  });
}

// Callbacks run in a later turn: a handler is never called from inside its own send.
void Connection::tell_disconnected() {
  for (std::uint64_t place = answers_.front(); place < answers_.next(); ++place) {
    if (answers_[place].disconnect == nullptr) continue;
    io_->post(std::move(answers_[place].disconnect));
    answers_[place].disconnect = nullptr;
  }
}

}  // namespace jackdaw::net
