// PayloadLogger: what a service's logger block asks for: which events, about whom, to where. Immutable, any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jackdaw/serving/event_sender.h"
#include "jackdaw/serving/payload_event.h"

namespace jackdaw::serving {

struct PayloadLoggerOptions {
  bool requests = true;
  bool responses = true;
  std::vector<std::string> metadata_headers;
  EventOrigin origin;
  std::vector<std::shared_ptr<EventSender::Destination>> destinations;
};

class PayloadLogger {
 public:
  // Longer bodies are cut: what is kept of one call must be bounded, and an event tells that it was.
  static constexpr std::size_t body_bytes_max = std::size_t{4} << 20;

  // The sender must outlive it.
  PayloadLogger(PayloadLoggerOptions options, EventSender& sender);

  bool takes_requests() const { return options_.requests; }
  bool takes_responses() const { return options_.responses; }
  const std::vector<std::string>& metadata_headers() const { return options_.metadata_headers; }
  // Never waits.
  void log(PayloadEvent event) const;

 private:
  const PayloadLoggerOptions options_;
  const std::shared_ptr<const EventOrigin> origin_;
  EventSender& sender_;
};

}  // namespace jackdaw::serving
