// HandshakeQueue: the TLS handshakes of one io thread. A step of a handshake computes for up to a millisecond, where a
// request takes microseconds; so one step runs, then everything else that is ready, then the next. A flood of
// handshakes slows handshakes, not requests. Owner thread: the io thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <functional>
#include <list>
#include <utility>

#include "jackdaw/base/guarded.h"

namespace jackdaw::net {

class HandshakeQueue {
 public:
  // One handshake under way; what is called when it has to go.
  using Place = std::list<std::function<void()>>::iterator;

  HandshakeQueue(boost::asio::io_context& context, std::size_t handshakes_max)
      : context_(context), handshakes_max_(handshakes_max) {}

  // Above the limit the one that has taken longest gives up: it is the least likely to be a client that is alive.
  Place enter(std::function<void()> give_up) {
    if (under_way_.size() >= handshakes_max_ && !under_way_.empty()) {
      const auto oldest = std::move(under_way_.front());
      under_way_.front() = nullptr;
      if (oldest) oldest();
    }
    return under_way_.insert(under_way_.end(), std::move(give_up));
  }
  void leave(Place place) { under_way_.erase(place); }
  std::size_t under_way() const { return under_way_.size(); }

  // Runs `step` in its turn.
  void push(std::function<void()> step) {
    steps_.push_back(std::move(step));
    if (!scheduled_) schedule();
  }

 private:
  void schedule() {
    // Without memory for it the next push tries again.
    scheduled_ = guarded("a TLS handshake", [this] { boost::asio::post(context_, [this] { run_one(); }); });
  }
  void run_one() {
    scheduled_ = false;
    const auto step = std::move(steps_.front());
    steps_.pop_front();
    guarded("a TLS handshake", step);
    if (!steps_.empty() && !scheduled_) schedule();
  }

  boost::asio::io_context& context_;
  const std::size_t handshakes_max_;
  std::list<std::function<void()>> under_way_;  // oldest first
  std::deque<std::function<void()>> steps_;
  bool scheduled_ = false;
};

}  // namespace jackdaw::net
