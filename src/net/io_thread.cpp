#include "src/net/io_thread.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "jackdaw/base/guarded.h"
#include "jackdaw/base/log.h"
#include "src/net/connection.h"
#include "src/net/tls_context.h"

namespace jackdaw::net {
namespace {

using boost::asio::ip::tcp;

constexpr Duration sweep_interval_max = std::chrono::milliseconds(250);
constexpr Duration sweep_interval_min = std::chrono::milliseconds(5);
constexpr Duration accept_pause = std::chrono::milliseconds(100);  // when descriptors or memory have run out
constexpr Duration idle_grace = std::chrono::milliseconds(100);    // a busy keep-alive client asks again within it
constexpr std::size_t rejecting_max = 64;  // connections told about the limit at one time; more are just closed
constexpr int leftover_rounds_max = 100;

Duration sweep_interval(const ServerLimits& limits) {
  const Duration shortest =
      std::min({limits.header_timeout, limits.body_timeout, limits.idle_timeout, limits.write_timeout});
  return std::clamp(shortest / 4, sweep_interval_min, sweep_interval_max);
}

}  // namespace

ServerCore::ServerCore(const ServerOptions& options, Handler request_handler)
    : limits(options.limits),
      handler(std::move(request_handler)),
      budget(std::make_shared<MemoryBudget>(options.limits.buffered_bytes_max)),
      metrics(options.metrics) {
  if (metrics == nullptr) return;
  connections_gauge = &metrics->gauge("jackdaw_http_connections", "Open HTTP connections.");
  bytes_read = &metrics->counter("jackdaw_http_bytes_read_total", "Bytes read from HTTP connections.");
  bytes_written = &metrics->counter("jackdaw_http_bytes_written_total", "Bytes written to HTTP connections.");
}

void ServerCore::count_refused(std::string_view reason) {
  if (metrics == nullptr) return;
  static constexpr std::array<std::string_view, 1> labels{"reason"};
  const std::array<std::string_view, 1> values{reason};
  metrics
      ->counter("jackdaw_http_requests_refused_total", "Requests and connections that the HTTP layer refused or cut.",
                labels, values)
      .add();
}

void ServerCore::count_handshake(std::string_view result) {
  if (metrics == nullptr) return;
  static constexpr std::array<std::string_view, 1> labels{"result"};
  const std::array<std::string_view, 1> values{result};
  metrics->counter("jackdaw_tls_handshakes_total", "TLS handshakes, by how they ended.", labels, values).add();
}

void ServerCore::count_tls_error() {
  if (metrics == nullptr) return;
  metrics->counter("jackdaw_tls_errors_total", "TLS connections that broke after their handshake.").add();
}

IoThread::IoThread(std::shared_ptr<ServerCore> core, int index)
    : core_(std::move(core)),
      index_(index),
      context_(BOOST_ASIO_CONCURRENCY_HINT_1),
      work_(boost::asio::make_work_guard(context_)),
      timer_(context_),
      handshakes_(context_, core_->limits.handshakes_max),
      now_(std::chrono::steady_clock::now()),
      sweep_interval_(sweep_interval(core_->limits)) {}

IoThread::~IoThread() {
  CHECK(!thread_.joinable());
}

void IoThread::start() {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), ("io-" + std::to_string(index_)).c_str());
}

void IoThread::run() {
  owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  for (std::size_t i = 0; i < listeners_.size(); ++i) accept(i);
  schedule_sweep();
  // Work, timers and connections are guarded one by one; what the loop itself throws must not end it either.
  while (!guarded("an io thread's loop", [this] { context_.run(); })) {
  }
  run_leftovers();
}

// Work posted while the loop was ending still runs, for a while; its connections are closed by now.
void IoThread::run_leftovers() {
  for (int round = 0;; ++round) {
    std::vector<std::function<void()>> left;
    {
      const std::lock_guard lock(posted_mutex_);
      left.swap(posted_);
      if (left.empty() || round == leftover_rounds_max) {
        posted_closed_ = true;
        break;
      }
    }
    for (auto& work : left) guarded("posted work", work);
  }
  timers_.clear();
  timer_deadlines_.clear();
}

// ------------------------------------------------------------------------------------------------------ turns

void IoThread::begin_turn() {
  if (turn_depth_++ == 0) now_ = std::chrono::steady_clock::now();
}

void IoThread::end_turn() {
  if (turn_depth_ == 1) {
    while (!unsettled_.empty()) {
      std::vector<std::shared_ptr<Connection>> batch;
      batch.swap(unsettled_);
      for (const auto& connection : batch) connection->guard([&] { connection->settle(); });
      // Give the memory back for the next turn.
      if (unsettled_.empty()) {
        batch.clear();
        unsettled_.swap(batch);
      }
    }
  }
  --turn_depth_;
}

void IoThread::settle_later(const std::shared_ptr<Connection>& connection) {
  connection->guard([&] {
    if (turn_depth_ > 0) {
      unsettled_.push_back(connection);
    } else {
      connection->settle();
    }
  });
}

// ------------------------------------------------------------------------------------------------------ executor

void IoThread::post(std::function<void()> work) {
  {
    const std::lock_guard lock(posted_mutex_);
    if (posted_closed_) return;
    posted_.push_back(std::move(work));
    if (posted_scheduled_) return;
    posted_scheduled_ = true;
  }
  if (guarded("waking an io thread", [this] { boost::asio::post(context_, [this] { run_posted(); }); })) return;
  const std::lock_guard lock(posted_mutex_);
  posted_scheduled_ = false;  // the next post or sweep runs it
}

void IoThread::run_posted() {
  {
    const std::lock_guard lock(posted_mutex_);
    running_.swap(posted_);
    posted_scheduled_ = false;
  }
  const Turn turn(*this);
  for (auto& work : running_) {
    guarded("posted work", work);
    work = nullptr;
  }
  running_.clear();
}

std::uint64_t IoThread::at(Instant deadline, std::function<void()> work) {
  CHECK(is_owner());
  const std::uint64_t id = timer_next_++;
  timers_.emplace(std::pair(deadline, id), std::move(work));
  timer_deadlines_.emplace(id, deadline);
  if (deadline < timer_armed_ && !ended_) arm_timer();
  return id;
}

bool IoThread::cancel(std::uint64_t timer) {
  const auto found = timer_deadlines_.find(timer);
  if (found == timer_deadlines_.end()) return false;
  timers_.erase({found->second, timer});
  timer_deadlines_.erase(found);
  return true;
}

void IoThread::arm_timer() {
  timer_armed_ = timers_.begin()->first.first;
  const bool armed = guarded("arming a timer", [this] {
    timer_.expires_at(std::chrono::time_point_cast<std::chrono::steady_clock::duration>(timer_armed_));
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) run_timers();
    });
  });
  if (!armed) timer_armed_ = Instant::max();  // the next timer arms it
}

void IoThread::run_timers() {
  if (ended_) return;
  const Turn turn(*this);
  timer_armed_ = Instant::max();
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    const auto first = timers_.begin();
    const auto work = std::move(first->second);
    timer_deadlines_.erase(first->first.second);
    timers_.erase(first);
    guarded("a timer", work);
  }
  if (!timers_.empty() && !ended_ && timers_.begin()->first.first < timer_armed_) arm_timer();
}

// ------------------------------------------------------------------------------------------------------ connections

void IoThread::accept(std::size_t listener) {
  if (!listeners_[listener].acceptor.is_open()) return;
  listeners_[listener].stalled = !guarded("waiting for connections", [&] {
    listeners_[listener].acceptor.async_accept([this, listener](boost::system::error_code error, tcp::socket socket) {
      accepted(listener, error, std::move(socket));
    });
  });
}

void IoThread::accepted(std::size_t listener, boost::system::error_code error, tcp::socket socket) {
  if (error == boost::asio::error::operation_aborted || draining_) return;
  const Turn turn(*this);
  if (!error) {
    adopt(std::move(socket), listeners_[listener].tls);
    accept(listener);
    return;
  }
  const bool out_of_something = error == boost::asio::error::no_descriptors ||
                                error == boost::system::errc::too_many_files_open_in_system ||
                                error == boost::asio::error::no_buffer_space || error == boost::asio::error::no_memory;
  if (!out_of_something) {
    accept(listener);
    return;
  }
  log_error("cannot accept connections for now", {{"why", error.message()}});
  at(now_ + accept_pause, [this, listener] { accept(listener); });
}

void IoThread::adopt(tcp::socket socket, bool tls) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  const bool over = core_->connections.fetch_add(1, std::memory_order_relaxed) >= core_->limits.connections_max;
  if (over) {
    core_->connections.fetch_sub(1, std::memory_order_relaxed);
    // To say so over TLS would take a handshake.
    if (rejecting_ >= rejecting_max || tls) {
      core_->count_refused("connections");
      return;
    }
    ++rejecting_;
  } else if (core_->connections_gauge != nullptr) {
    core_->connections_gauge->add(1);
  }
  std::shared_ptr<Connection> connection;
  const bool made = guarded("a new connection", [&] {
    connection =
        std::make_shared<Connection>(shared_from_this(), std::move(socket), tls ? core_->tls->current() : nullptr);
    connection->index = connections_.size();
    connections_.push_back(connection);
  });
  if (!made) return uncount(over);
  connection->guard([&] { over ? connection->reject() : connection->start(); });
}

// A connection is gone; `rejected`: it was over the limit.
void IoThread::uncount(bool rejected) {
  if (rejected) {
    --rejecting_;
  } else {
    core_->connections.fetch_sub(1, std::memory_order_relaxed);
    if (core_->connections_gauge != nullptr) core_->connections_gauge->add(-1);
  }
}

void IoThread::remove(Connection& connection) {
  const std::size_t index = connection.index;
  uncount(connection.rejected());
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
  if (draining_ && connections_.empty()) {
    const std::lock_guard lock(empty_mutex_);
    is_empty_ = true;
    empty_.notify_all();
  }
}

void IoThread::schedule_sweep() {
  at(std::chrono::steady_clock::now() + sweep_interval_, [this] {
    schedule_sweep();  // first: whatever the sweep throws, there is a next one
    sweep();
  });
}

// Timeouts are coarse on purpose: one pass over all connections instead of a timer for each request.
void IoThread::sweep() {
  std::vector<std::shared_ptr<Connection>> overdue;
  for (const auto& connection : connections_) {
    if (connection->overdue(now_)) overdue.push_back(connection);
  }
  for (const auto& connection : overdue) connection->guard([&] { connection->check_deadlines(now_); });
  flush_metrics();
  catch_up();
}

// What had no memory to begin begins now.
void IoThread::catch_up() {
  run_posted();
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].stalled) accept(i);
  }
}

void IoThread::flush_metrics() {
  if (core_->bytes_read != nullptr && bytes_read_ > 0) core_->bytes_read->add(static_cast<double>(bytes_read_));
  if (core_->bytes_written != nullptr && bytes_written_ > 0) {
    core_->bytes_written->add(static_cast<double>(bytes_written_));
  }
  bytes_read_ = bytes_written_ = 0;
}

// ------------------------------------------------------------------------------------------------------ the end

void IoThread::begin_drain(Instant deadline) {
  post([this, deadline] { drain_now(deadline); });
}

void IoThread::drain_now(Instant deadline) {
  if (draining_) return;
  close_listeners();
  draining_ = true;
  const Instant now = std::chrono::steady_clock::now();
  const Duration grace = connections_.empty() ? Duration{} : std::min(idle_grace, (deadline - now) / 4);
  if (grace > Duration{}) {
    at(now + grace, [this] { close_idle(); });
  } else {
    close_idle();
  }
}

void IoThread::close_idle() {
  closes_idle_ = true;
  const auto all = connections_;
  for (const auto& connection : all) connection->close_if_idle();
  if (!connections_.empty()) return;
  const std::lock_guard lock(empty_mutex_);
  is_empty_ = true;
  empty_.notify_all();
}

// Connections the kernel has already accepted are served, not reset.
void IoThread::close_listeners() {
  for (Listener& listener : listeners_) {
    boost::system::error_code error;
    listener.acceptor.non_blocking(true, error);
    while (!error) {
      tcp::socket socket(context_);
      listener.acceptor.accept(socket, error);
      if (!error) adopt(std::move(socket), listener.tls);
    }
    listener.acceptor.close(error);
  }
}

bool IoThread::wait_until_empty(Instant deadline) {
  std::unique_lock lock(empty_mutex_);
  return empty_.wait_until(lock, deadline, [this] { return is_empty_; });
}

void IoThread::cut_all() {
  while (!connections_.empty()) {
    const auto connection = connections_.back();
    if (!connection->lingering()) ++cut_;
    connection->close();
  }
  boost::system::error_code ignored;
  for (Listener& listener : listeners_) listener.acceptor.close(ignored);
  ended_ = true;
  timer_.cancel();
  flush_metrics();
  work_.reset();
}

std::size_t IoThread::stop() {
  post([this] { cut_all(); });
  if (thread_.joinable()) thread_.join();
  return cut_;
}

}  // namespace jackdaw::net
