// Connection: one client's TCP connection as a state machine — read, parse, hand over, answer in order, write.
//
// Requests are handed over as soon as they are complete, also while earlier ones are unanswered (read ahead, bounded);
// each has a place in a row of answers, and only the front of the row writes to the socket. Owner thread: its IoThread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/guarded.h"
#include "src/net/chunked_body.h"
#include "src/net/exchange_impl.h"
#include "src/net/inflater.h"
#include "src/net/io_thread.h"
#include "src/net/out_queue.h"
#include "src/net/read_buffer.h"
#include "src/net/request_head.h"
#include "src/net/stream.h"

namespace jackdaw::net {

// One request's place in the row of answers.
struct Answer {
  enum class State : unsigned char { waiting, streaming, ready };
  State state = State::waiting;
  bool is_head = false;
  bool http10 = false;
  bool keep_alive = true;
  bool chunked = false;  // of an event stream
  OutQueue early;        // what is ready before its turn
  std::function<void()> disconnect;
  std::size_t held_bytes = 0;  // of the request, when it is answered later
};

// The row: places count up for ever, the ring holds those between front and next.
class AnswerRow {
 public:
  bool empty() const { return front_ == next_; }
  std::size_t size() const { return static_cast<std::size_t>(next_ - front_); }
  std::uint64_t front() const { return front_; }
  std::uint64_t next() const { return next_; }
  bool holds(std::uint64_t place) const { return place >= front_ && place < next_; }
  Answer& operator[](std::uint64_t place) { return ring_[place & (ring_.size() - 1)]; }
  std::uint64_t push();
  void pop();
  void clear();

 private:
  std::vector<Answer> ring_;
  std::uint64_t front_ = 0;
  std::uint64_t next_ = 0;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `tls`: of the listener, null for a plain one.
  Connection(std::shared_ptr<IoThread> io, Stream::Socket socket, const SslContext& tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // Over the connection limit: says so and goes.
  void reject();
  // Parses, hands over, writes and waits for what comes next; called at the end of every turn that changed something.
  void settle();
  void close();
  // Does a piece of its work; closes it when that throws, for it may be in any state.
  template <typename Work>
  void guard(Work&& work) noexcept {
    if (!guarded("a connection", work)) close();
  }
  // Closes when nothing is in flight; says whether it did.
  bool close_if_idle();
  // True when check_deadlines has something to do.
  bool overdue(Instant now) const;
  void check_deadlines(Instant now);

  // Answers, by place.
  void reply(std::uint64_t place, Response response);
  void begin_events(std::uint64_t place, Response head);
  std::size_t send_event(std::uint64_t place, std::string bytes);
  void end_events(std::uint64_t place);
  bool event_stream_open(std::uint64_t place) const;
  void on_disconnect(std::uint64_t place, std::function<void()> callback);
  void abandon(std::uint64_t place);         // the exchange was dropped unanswered
  void abandon_events(std::uint64_t place);  // the stream was dropped unfinished

  IoThread& io() { return *io_; }
  bool rejected() const { return rejected_; }
  // All answers are written; only the goodbye is missing.
  bool lingering() const { return phase_ == Phase::lingering; }
  std::size_t index = 0;  // in the io thread's list

 private:
  enum class Phase : unsigned char { head, body, lingering };

  // connection.cpp: reading and handing over.
  void on_read(std::size_t bytes, boost::system::error_code error);
  void refuse_wrong_protocol();
  void pump();
  bool step();
  bool step_body();
  bool take_plain_body();
  bool take_coded_body();
  bool send_continue();
  bool feed_inflater(std::string_view compressed);
  void hand_over(std::string_view body);
  void refuse(const Refusal& refusal);
  bool crowded() const;
  bool wants_read() const;
  bool arm_read();
  bool make_room();
  void set_read_deadline();
  void on_end_of_input();
  void client_gone();
  void look_after_client();
  void on_read_timeout();
  void linger();

  // connection_answers.cpp: answering and writing.
  OutQueue& sink(std::uint64_t place);
  void write_answer(std::uint64_t place, Response&& response, bool keep_alive);
  bool may_keep_alive(std::uint64_t place, const Response& response);
  void complete(std::uint64_t place, bool keep_alive);
  void advance();
  void flush();
  void arm_write();
  void changed();
  void tell_disconnected();

  std::shared_ptr<IoThread> io_;  // outlives the stream
  std::string peer_;
  Stream stream_;
  const ServerLimits& limits_;

  std::shared_ptr<ReadBuffer> buffer_;
  char* read_at_ = nullptr;  // where the read under way puts its bytes
  HeadParser parser_;
  ChunkedBody chunked_;
  std::unique_ptr<Inflater> inflater_;
  std::string inflated_;
  BudgetShare inflated_share_;
  std::shared_ptr<ExchangeImpl> spare_;
  Phase phase_ = Phase::head;
  std::size_t raw_ = 0;          // bytes of the request's coded form used so far, head included
  std::size_t body_bytes_ = 0;   // decoded bytes in the buffer, behind the head
  std::size_t coded_bytes_ = 0;  // of a compressed body, used so far
  std::size_t grow_to_ = 0;
  Instant received_{};
  Instant request_began_{};
  Instant idle_since_{};
  Instant read_deadline_ = Instant::max();
  Instant write_deadline_ = Instant::max();
  std::size_t lingered_bytes_ = 0;

  AnswerRow answers_;
  OutQueue out_;
  std::size_t held_bytes_ = 0;

  bool reading_ = false;
  bool writing_ = false;  // waits for the socket to take more
  bool pumping_ = false;
  bool settling_ = false;
  bool unsettled_ = false;  // in the io thread's list
  bool began_ = false;      // the first byte of a request has been seen
  bool served_one_ = false;
  bool continue_due_ = false;
  bool last_request_ = false;  // no request is read any more
  bool end_of_input_ = false;
  bool gone_ = false;  // the client has closed its side while answers were due
  bool closed_ = false;
  bool rejected_ = false;
};

}  // namespace jackdaw::net
