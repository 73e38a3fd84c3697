#include "jackdaw/serving/event_sender.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "jackdaw/base/guarded.h"
#include "jackdaw/base/log.h"
#include "src/serving/event_file.h"

namespace jackdaw::serving {
namespace {

constexpr std::array<std::string_view, 4> drop_reasons{"queue_full", "failed", "rejected", "shutdown"};
constexpr std::string_view file_scheme = "file://";
constexpr std::size_t threads_per_destination = 2;
constexpr std::size_t answer_bytes_max = 64 * 1024;

Instant now() {
  return std::chrono::steady_clock::now();
}

void add_header(net::ClientRequest& request, std::string_view name, std::string_view value) {
  // What would break the request's lines cannot be said in a header.
  const bool plain = std::all_of(value.begin(), value.end(),
                                 [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  if (!value.empty() && plain) request.headers.push_back({std::string(name), std::string(value)});
}

net::ClientRequest binary_event(const PayloadEvent& event, const std::string& url, Duration timeout) {
  const EventOrigin& origin = *event.origin;
  net::ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.body = event.body;
  request.timeout = timeout;
  request.body_bytes_max = answer_bytes_max;
  add_header(request, "Content-Type", event.content_type);
  add_header(request, "Ce-Specversion", "1.0");
  add_header(request, "Ce-Id", event.id);
  add_header(request, "Ce-Type", event_type(event.kind));
  add_header(request, "Ce-Source", origin.source);
  add_header(request, "Ce-Time", event_time(event.time));
  add_header(request, "Ce-Recordedtime", event_time(event.time));
  add_header(request, "Ce-Inferenceservicename", origin.service_name);
  add_header(request, "Ce-Namespace", origin.namespace_name);
  add_header(request, "Ce-Component", origin.component);
  add_header(request, "Ce-Endpoint", origin.endpoint);
  add_header(request, "Ce-Metadata", event.metadata);
  add_header(request, "Ce-Annotations", origin.annotations);
  if (event.truncated) add_header(request, "Ce-Truncated", "true");
  return request;
}

// Answers that another attempt may change.
bool is_temporary(int status) {
  return status >= 500 || status == 408 || status == 429;
}
bool is_temporary(Code code) {
  return code != Code::invalid_argument && code != Code::unsupported;
}

}  // namespace

// Guarded by the sender's mutex, but for `file`, which belongs to the one thread that works for the destination.
class EventSender::Destination {
 public:
  struct Waiting {
    PayloadEvent event;
    int attempts = 0;
  };

  Destination(std::string address, std::uint64_t file_bytes_max, int files_kept) : url(std::move(address)) {
    if (url.starts_with(file_scheme)) file.emplace(url.substr(file_scheme.size()), file_bytes_max, files_kept);
  }

  bool is_ready(Instant at) const { return !queue.empty() && busy < threads_max() && next_try <= at; }
  std::size_t threads_max() const { return file ? 1 : threads_per_destination; }

  const std::string url;
  std::optional<EventFile> file;
  std::deque<Waiting> queue;
  std::size_t bytes = 0;
  std::size_t busy = 0;  // threads at work for it
  int failures = 0;      // in a row
  Instant next_try{};    // after a failure
};

struct EventSender::Job {
  std::shared_ptr<Destination> destination;  // null: the thread is to end
  Destination::Waiting waiting;
};

EventSender::EventSender(EventSenderOptions options, MakeClient make_client, MetricsRegistry& metrics)
    : options_(options),
      make_client_(std::move(make_client)),
      sent_(metrics.counter("jackdaw_logger_sent_total", "Payload events that reached their destination")) {
  static constexpr std::array<std::string_view, 1> labels{"reason"};
  for (const std::string_view reason : drop_reasons) {
    dropped_.push_back(&metrics.counter("jackdaw_logger_dropped_total", "Payload events that were given up, by reason",
                                        labels, std::array<std::string_view, 1>{reason}));
  }
}

EventSender::~EventSender() {
  stop(now());
}

std::shared_ptr<EventSender::Destination> EventSender::destination(const std::string& url,
                                                                   std::uint64_t file_bytes_max) {
  const std::lock_guard lock(mutex_);
  // Those of services that are gone: nobody but the list holds them, and nothing is left to send.
  std::erase_if(destinations_, [](const auto& d) { return d.use_count() == 1 && d->queue.empty() && d->busy == 0; });
  const auto same = [&](const auto& d) { return d->url == url; };
  const auto found = std::find_if(destinations_.begin(), destinations_.end(), same);
  if (found != destinations_.end()) return *found;
  auto made = std::make_shared<Destination>(url, file_bytes_max, options_.files_kept);
  destinations_.push_back(made);
  while (threads_.size() < options_.threads && !stopping_) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), "logger");
  }
  return made;
}

void EventSender::send(const std::shared_ptr<Destination>& destination, PayloadEvent event) {
  const std::size_t bytes = event.bytes();
  std::unique_lock lock(mutex_);
  Destination& to = *destination;
  if (stopping_) return drop(Drop::shutdown, 1);
  if (to.queue.size() >= options_.queue_max || to.bytes + bytes > options_.queue_bytes_max) {
    return drop(Drop::queue_full, 1);
  }
  const bool was_empty = to.queue.empty();
  to.bytes += bytes;
  to.queue.push_back({std::move(event), 0});
  // A thread that waits for work takes it; one that is busy looks again by itself. While the destination rests after a
  // failure, the threads know when to wake, but for one that had nothing to wait for.
  const bool wake = idle_ > 0 && to.busy < to.threads_max() && (was_empty || to.failures == 0);
  lock.unlock();
  if (wake) work_.notify_one();
}

void EventSender::drop(Drop reason, std::size_t events) {
  dropped_[static_cast<std::size_t>(reason)]->add(static_cast<double>(events));
  dropped_since_report_ += events;
}

void EventSender::report_drops(Instant at) {
  if (dropped_since_report_ == 0 || at - reported_ < options_.report_interval) return;
  reported_ = at;
  guarded("a report", [this] {
    log_warning("payload events dropped",
                {{"events", std::exchange(dropped_since_report_, 0)}, {"see", "jackdaw_logger_dropped_total"}});
  });
}

// How long a thread without work may sleep: until a destination may be tried again, a report is due or the end.
Duration EventSender::pause_before_next(Instant at) const {
  Instant next = at + options_.report_interval;
  for (const auto& destination : destinations_) {
    const bool could = !destination->queue.empty() && destination->busy < destination->threads_max();
    if (could) next = std::min(next, destination->next_try);
  }
  if (stopping_) next = std::min(next, stop_by_);
  return std::max(next - at, Duration(std::chrono::milliseconds(1)));
}

EventSender::Job EventSender::next_job(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    const Instant at = now();
    report_drops(at);
    if (stopping_ && at >= stop_by_) return {};
    bool any_left = false;
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      const auto& destination = destinations_[(cursor_ + i) % destinations_.size()];
      any_left = any_left || !destination->queue.empty() || destination->busy > 0;
      if (!destination->is_ready(at)) continue;
      Job job{destination, std::move(destination->queue.front())};
      destination->queue.pop_front();
      destination->bytes -= job.waiting.event.bytes();
      ++destination->busy;
      cursor_ = (cursor_ + i + 1) % destinations_.size();
      return job;
    }
    if (stopping_ && !any_left) return {};
    ++idle_;
    work_.wait_for(lock, pause_before_next(at));
    --idle_;
  }
}

void EventSender::finish(Job job, Result<int> status) {
  Destination& to = *job.destination;
  --to.busy;
  const bool accepted = status && *status >= 200 && *status < 300;
  const bool temporary = status ? is_temporary(*status) : is_temporary(status.error().code);
  if (!temporary) to.failures = 0;
  if (accepted) return sent_.add();
  if (!temporary) return drop(Drop::rejected, 1);
  const int doublings = std::min(to.failures++, 16);
  to.next_try = now() + std::min(options_.backoff_min * (1 << doublings), options_.backoff_max);
  if (to.failures == 1) {
    const std::string why = status ? fmt::format("status {}", *status) : status.error().text();
    log_warning("payload events are delayed", {{"url", to.url}, {"reason", why}});
  }
  if (++job.waiting.attempts >= options_.attempts_max) return drop(Drop::failed, 1);
  const std::size_t bytes = job.waiting.event.bytes();
  to.queue.push_front(std::move(job.waiting));
  to.bytes += bytes;
}

// `client` is made with the first event.
Result<int> EventSender::deliver(std::unique_ptr<net::HttpClient>& client, Job& job, Duration timeout) {
  Destination& to = *job.destination;
  if (to.file) {
    JACKDAW_TRY(to.file->append(event_json(job.waiting.event)));
    return 200;
  }
  if (client == nullptr) client = make_client_();
  JACKDAW_ASSIGN(const net::ClientResponse answer, client->send(binary_event(job.waiting.event, to.url, timeout)));
  return answer.status;
}

// A thread works until the sender stops: whatever an event throws, the next one has its turn.
void EventSender::run() {
  std::unique_ptr<net::HttpClient> client;
  std::unique_lock lock(mutex_);
  for (;;) {
    Job job = next_job(lock);
    if (job.destination == nullptr) break;
    const Duration left =
        stopping_ ? std::max(stop_by_ - now(), Duration(std::chrono::milliseconds(1))) : options_.send_timeout;
    lock.unlock();
    Result<int> status = Error{Code::internal, "exception", {}};
    guarded("sending a payload event", [&] { status = deliver(client, job, std::min(left, options_.send_timeout)); });
    lock.lock();
    const bool noted = guarded("a payload event", [&] { finish(std::move(job), std::move(status)); });
    if (!noted) drop(Drop::failed, 1);
  }
  work_.notify_all();  // the others may be waiting for what this one did last
}

void EventSender::stop(Instant deadline) {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_by_ = std::min(stop_by_, deadline);
    threads.swap(threads_);
  }
  work_.notify_all();
  for (std::thread& thread : threads) thread.join();
  const std::lock_guard lock(mutex_);
  for (const auto& destination : destinations_) {
    if (!destination->queue.empty()) drop(Drop::shutdown, destination->queue.size());
    destination->queue.clear();
    destination->bytes = 0;
  }
  if (dropped_since_report_ == 0) return;
  log_warning("payload events dropped",
              {{"events", std::exchange(dropped_since_report_, 0)}, {"see", "jackdaw_logger_dropped_total"}});
}

std::size_t EventSender::waiting() const {
  const std::lock_guard lock(mutex_);
  std::size_t events = 0;
  for (const auto& destination : destinations_) events += destination->queue.size() + destination->busy;
  return events;
}

}  // namespace jackdaw::serving
