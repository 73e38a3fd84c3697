#include "src/api/openai/answer_stream.h"

#include <utility>

namespace jackdaw::api::openai {
namespace {

constexpr Duration slow_reader_poll = std::chrono::milliseconds(20);
constexpr int status_gone = 499;  // nginx's word for a client that did not wait
constexpr std::string_view last_event = "data: [DONE]\n\n";
constexpr std::string_view ping = ": ping\n\n";

// What both ways of answering share: the engine's end, the counters, the client that goes away.
class Answer : public NewsListener, public std::enable_shared_from_this<Answer> {
 public:
  explicit Answer(AnswerParts parts) : parts_(std::move(parts)), executor_(parts_.call.exchange->executor()) {
    if (parts_.call.api->options.access_log) parts_.access = access_record(parts_.call);
  }

  void listen() {
    parts_.bridge->listen(shared_from_this());
    parts_.call.exchange->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->gone();
    });
  }

 protected:
  bool finished() const { return finished_; }
  const ApiOptions& options() const { return parts_.call.api->options; }
  Instant now() const { return parts_.call.api->context.clock->now(); }

  void gone() {
    if (finished_) return;
    finish(false);
    let_go();
    if (options().access_log) log_access(*parts_.call.api, parts_.access, status_gone, bytes_sent_);
  }

  // The client is gone: what is left of its answer is ended.
  virtual void let_go() = 0;
  // Nothing comes after this. Lets go of the engine's end, which may be the last to hold this answer.
  virtual void finish(bool success) {
    finished_ = true;
    serving::ModelMetrics& metrics = *parts_.model.version->metrics;
    (success ? metrics.request_success : metrics.request_failure).add();
    parts_.bridge->close();
  }

  AnswerParts parts_;
  Executor& executor_;
  News news_;
  std::size_t bytes_sent_ = 0;

 private:
  bool finished_ = false;
};

class WholeAnswer final : public Answer {
 public:
  using Answer::Answer;

  void on_news() override {
    if (finished()) return;
    parts_.bridge->take(news_);
    if (!news_.ended) return;
    const auto self = shared_from_this();
    finish(!news_.error.has_value());
    if (news_.error) {
      answer_refusal(parts_.call, refuse_error(*news_.error, parts_.model.engine().stats().estimated_wait));
      return;
    }
    net::Response response;
    response.headers = std::move(parts_.headers);
    response.body = parts_.writer->body(news_);
    answer(parts_.call, std::move(response));
  }

 private:
  // Nobody reads it, unless the client has only closed its half.
  void let_go() override {
    net::Response response;
    response.status = status_gone;
    response.body =
        error_body({status_gone, "The client closed the connection before the answer was complete.", "", {}});
    parts_.call.exchange->reply(std::move(response));
  }
};

class StreamedAnswer final : public Answer {
 public:
  using Answer::Answer;

  void begin() {
    net::Response head;
    head.content_type = "text/event-stream; charset=utf-8";
    head.headers = std::move(parts_.headers);
    received_ = parts_.call.request().received();
    head.headers.push_back({"cache-control", "no-cache"});
    head.headers.push_back({"x-accel-buffering", "no"});
    events_ = answer_events(parts_.call, std::move(head));
    // The request's bytes are not needed any more; the stream holds the connection.
    parts_.bridge->keep(events_);
    parts_.call.exchange.reset();
    last_sent_ = now();
    arm_ping();
    on_news();
  }

  void on_news() override {
    if (finished()) return;
    const auto self = shared_from_this();
    if (events_->closed()) return gone();
    if (is_slow()) return poll_later();
    parts_.bridge->take(news_);
    std::string out;
    parts_.writer->append_events(out, news_);
    if (news_.ended) append_end(out);
    if (!out.empty()) send(std::move(out));
    if (!news_.ended || finished()) return;
    events_->end();
    finish(!news_.error.has_value());
    count();
    if (options().access_log) log_access(*parts_.call.api, parts_.access, 200, bytes_sent_);
  }

 private:
  // What the socket has not taken stays with the bridge and is merged there.
  bool is_slow() {
    if (queued_ <= options().stream_queue_bytes_max) return false;
    queued_ = events_->send({});
    return queued_ > options().stream_queue_bytes_max;
  }

  void poll_later() {
    if (std::exchange(polling_, true)) return;
    poll_timer_ = executor_.at(now() + slow_reader_poll, [weak = weak_from_this()] {
      const auto self = std::static_pointer_cast<StreamedAnswer>(weak.lock());
      if (self == nullptr) return;
      self->polling_ = false;
      self->on_news();
    });
  }

  void append_end(std::string& out) {
    if (news_.error) {
      out += "data: " + error_body(refuse_error(*news_.error, Duration{0})) + "\n\n";
    } else {
      parts_.writer->append_usage_event(out, news_);
    }
    out += last_event;
  }

  // For the revision: a stream is as slow as its first word.
  void count() {
    const serving::ServedModelPtr& revision = parts_.call.revision;
    if (revision == nullptr || revision->counts == nullptr) return;
    const Instant first = first_sent_ == Instant{} ? now() : first_sent_;
    revision->counts->count(first - received_, news_.error.has_value());
  }

  void send(std::string&& bytes) {
    last_sent_ = now();
    if (first_sent_ == Instant{}) first_sent_ = last_sent_;
    bytes_sent_ += bytes.size();
    queued_ = events_->send(std::move(bytes));
  }

  // One timer at a time: it looks when the stream spoke last, so that a token costs no timer.
  void arm_ping() {
    if (options().ping_interval <= Duration{0}) return;
    ping_timer_ = executor_.at(last_sent_ + options().ping_interval, [weak = weak_from_this()] {
      const auto self = std::static_pointer_cast<StreamedAnswer>(weak.lock());
      if (self == nullptr || self->finished()) return;
      if (self->now() - self->last_sent_ >= self->options().ping_interval) {
        // Not to one that has not read what came before.
        if (self->is_slow()) {
          self->last_sent_ = self->now();
        } else {
          self->last_sent_ = self->now();
          self->bytes_sent_ += ping.size();
          self->queued_ = self->events_->send(std::string(ping));
        }
      }
      self->arm_ping();
    });
  }

  void let_go() override { events_->end(); }

  void finish(bool success) override {
    executor_.cancel(ping_timer_);
    executor_.cancel(poll_timer_);
    Answer::finish(success);
  }

  std::shared_ptr<net::EventStream> events_;
  std::size_t queued_ = 0;  // bytes the socket had not taken when last asked
  Instant received_{};
  Instant first_sent_{};  // of the answer itself, not a ping
  Instant last_sent_{};
  std::uint64_t ping_timer_ = 0;
  std::uint64_t poll_timer_ = 0;
  bool polling_ = false;
};

}  // namespace

void start_answer(AnswerParts parts) {
  if (parts.stream) {
    auto answer = std::make_shared<StreamedAnswer>(std::move(parts));
    answer->listen();
    answer->begin();
  } else {
    auto answer = std::make_shared<WholeAnswer>(std::move(parts));
    answer->listen();
    // What ended before anyone listened has posted its wake-up already.
  }
}

}  // namespace jackdaw::api::openai
