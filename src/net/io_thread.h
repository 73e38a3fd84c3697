// IoThread: one event loop, its listeners, its connections for life, and the Executor that brings work back to it.
//
// A Turn is one piece of work of the loop (a read, a batch of posted work, a timer). Connections that were answered
// during a turn are written at its end, so that answers which become ready together leave in one write.
//
// What a piece of work throws (memory that has run out, most often) is logged and ends with it: an exchange that it
// dropped is answered with status 500, a connection whose own work it was is closed.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "jackdaw/base/metrics.h"
#include "jackdaw/net/server.h"
#include "src/net/handshake_queue.h"
#include "src/net/read_buffer.h"
#include "src/net/request_head.h"
#include "src/net/response_text.h"

namespace jackdaw::net {

class Connection;
class TlsContext;

// What all io threads of a server share; thread-safe.
struct ServerCore {
  ServerCore(const ServerOptions& options, Handler request_handler);

  ServerLimits limits;
  Handler handler;
  std::shared_ptr<MemoryBudget> budget;
  std::atomic<std::size_t> connections{0};

  MetricsRegistry* metrics;
  Gauge* connections_gauge = nullptr;
  Counter* bytes_read = nullptr;
  Counter* bytes_written = nullptr;
  void count_refused(std::string_view reason);

  std::shared_ptr<TlsContext> tls;  // of the https:// listeners; null when there are none
  void count_handshake(std::string_view result);
  void count_tls_error();
};

class IoThread final : public Executor, public std::enable_shared_from_this<IoThread> {
 public:
  using Acceptor = boost::asio::ip::tcp::acceptor;

  IoThread(std::shared_ptr<ServerCore> core, int index);
  ~IoThread() override;
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Before start: adds a listener that is bound and listening; `tls`: it speaks HTTPS.
  void add_listener(Acceptor acceptor, bool tls) { listeners_.push_back({std::move(acceptor), tls, false}); }
  void start();

  // Any thread. Closes the listeners; connections end with their next answer, and idle ones after a short grace (less
  // when `deadline` is near): a client that asks again meanwhile is answered and told to close, not met by a reset.
  void begin_drain(Instant deadline);
  // Any thread. True when all connections are gone before the deadline.
  bool wait_until_empty(Instant deadline);
  // Any thread but this one. Cuts what is left, ends the loop, joins; returns how many connections were cut.
  std::size_t stop();

  // Executor.
  void post(std::function<void()> work) override;
  std::uint64_t at(Instant deadline, std::function<void()> work) override;
  bool cancel(std::uint64_t timer) override;

  // Owner thread.
  bool is_owner() const { return std::this_thread::get_id() == owner_.load(std::memory_order_relaxed); }
  Instant now() const { return now_; }
  bool draining() const { return draining_; }
  // Draining, and the grace for idle connections is over.
  bool closes_idle() const { return closes_idle_; }
  ServerCore& core() { return *core_; }
  ResponseText& response_text() { return response_text_; }
  boost::asio::io_context& context() { return context_; }
  HandshakeQueue& handshakes() { return handshakes_; }
  void settle_later(const std::shared_ptr<Connection>& connection);
  void remove(Connection& connection);
  void count_read(std::size_t bytes) { bytes_read_ += bytes; }
  void count_written(std::size_t bytes) { bytes_written_ += bytes; }

  class Turn {
   public:
    explicit Turn(IoThread& io) : io_(io) { io_.begin_turn(); }
    ~Turn() { io_.end_turn(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    IoThread& io_;
  };

 private:
  void run();
  void begin_turn();
  void end_turn();
  void run_posted();
  void arm_timer();
  void run_timers();
  void accept(std::size_t listener);
  void accepted(std::size_t listener, boost::system::error_code error, boost::asio::ip::tcp::socket socket);
  void adopt(boost::asio::ip::tcp::socket socket, bool tls);
  void uncount(bool rejected);
  void catch_up();
  void run_leftovers();
  void close_listeners();
  void drain_now(Instant deadline);
  void close_idle();
  void cut_all();
  void sweep();
  void schedule_sweep();
  void flush_metrics();

  std::shared_ptr<ServerCore> core_;
  int index_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  struct Listener {
    Acceptor acceptor;
    bool tls;
    bool stalled = false;  // nothing waits for its connections: there was no memory to
  };
  std::vector<Listener> listeners_;
  HandshakeQueue handshakes_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> unsettled_;
  ResponseText response_text_;
  Instant now_{};
  int turn_depth_ = 0;
  bool draining_ = false;
  bool closes_idle_ = false;
  bool ended_ = false;         // the loop runs out: no timer is armed any more
  std::size_t rejecting_ = 0;  // connections over the limit that are being told so
  std::size_t cut_ = 0;
  std::size_t bytes_read_ = 0;
  std::size_t bytes_written_ = 0;
  Duration sweep_interval_{};

  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> timers_;
  std::unordered_map<std::uint64_t, Instant> timer_deadlines_;
  std::uint64_t timer_next_ = 1;
  Instant timer_armed_ = Instant::max();

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_;
  bool posted_scheduled_ = false;
  bool posted_closed_ = false;

  std::mutex empty_mutex_;
  std::condition_variable empty_;
  bool is_empty_ = false;

  std::atomic<std::thread::id> owner_{};
  std::thread thread_;
};

}  // namespace jackdaw::net
