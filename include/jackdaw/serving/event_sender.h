// EventSender: brings payload events to HTTP receivers and into files, on threads of its own, and drops what it cannot.
//
// `send` never waits: a destination has a bounded queue, and what finds it full is dropped and counted. A destination
// that does not answer is tried again with growing pauses and holds no thread meanwhile; at most two threads work for
// one destination, so a slow one leaves the others room. Thread-safe. Threads start with the first destination.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/net/client.h"
#include "jackdaw/serving/payload_event.h"

namespace jackdaw::serving {

struct EventSenderOptions {
  std::size_t threads = 4;
  std::size_t queue_max = 2000;                           // events of one destination
  std::size_t queue_bytes_max = std::size_t{16} << 20;    // of them together
  Duration send_timeout = std::chrono::seconds(5);        // of one attempt
  int attempts_max = 4;                                   // of one event
  Duration backoff_min = std::chrono::milliseconds(100);  // doubles with every failure in a row
  Duration backoff_max = std::chrono::seconds(5);
  Duration report_interval = std::chrono::minutes(1);  // drops are logged that often
  int files_kept = 3;                                  // rotated files: PATH.1 is the newest
};

class EventSender {
 public:
  using MakeClient = std::function<std::unique_ptr<net::HttpClient>()>;
  class Destination;

  // `make_client` is called once per thread, on it.
  EventSender(EventSenderOptions options, MakeClient make_client, MetricsRegistry& metrics);
  // Sends nothing more.
  ~EventSender();
  EventSender(const EventSender&) = delete;
  EventSender& operator=(const EventSender&) = delete;

  // The destination of an http, https or file URL, the same for the same URL. `file_bytes_max`: then the file is
  // rotated.
  std::shared_ptr<Destination> destination(const std::string& url, std::uint64_t file_bytes_max);
  void send(const std::shared_ptr<Destination>& destination, PayloadEvent event);
  // Takes no more events, sends those that are there until `deadline`, and ends the threads. What is left is dropped.
  void stop(Instant deadline);

  std::size_t waiting() const;

 private:
  struct Job;
  enum class Drop : unsigned char { queue_full, failed, rejected, shutdown };

  void run();
  // The receiver's status; 200 for a file.
  Result<int> deliver(std::unique_ptr<net::HttpClient>& client, Job& job, Duration timeout);
  Job next_job(std::unique_lock<std::mutex>& lock);
  void finish(Job job, Result<int> status);
  void drop(Drop reason, std::size_t events);
  void report_drops(Instant now);
  Duration pause_before_next(Instant now) const;

  const EventSenderOptions options_;
  const MakeClient make_client_;
  Counter& sent_;
  std::vector<Counter*> dropped_;  // by Drop
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::vector<std::shared_ptr<Destination>> destinations_;
  std::vector<std::thread> threads_;
  std::size_t cursor_ = 0;  // where the next look for work begins
  std::size_t idle_ = 0;    // threads that wait
  std::size_t dropped_since_report_ = 0;
  Instant reported_{};
  bool stopping_ = false;
  Instant stop_by_ = Instant::max();
};

}  // namespace jackdaw::serving
