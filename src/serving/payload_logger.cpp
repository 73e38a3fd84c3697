#include "jackdaw/serving/payload_logger.h"

#include <utility>

namespace jackdaw::serving {

PayloadLogger::PayloadLogger(PayloadLoggerOptions options, EventSender& sender)
    : options_(std::move(options)), origin_(std::make_shared<const EventOrigin>(options_.origin)), sender_(sender) {}

void PayloadLogger::log(PayloadEvent event) const {
  event.origin = origin_;
  const auto& destinations = options_.destinations;
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    if (i + 1 < destinations.size()) {
      sender_.send(destinations[i], event);
    } else {
      sender_.send(destinations[i], std::move(event));
    }
  }
}

}  // namespace jackdaw::serving
