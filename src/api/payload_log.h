// PayloadLog: tells a service's logger of one call, its request at once and its answer when that is complete.
//
// Lives on the call's io thread. Without a logger a call has none, and costs a comparison with null.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/net/exchange.h"
#include "jackdaw/serving/payload_event.h"

namespace jackdaw::serving {
class PayloadLogger;
}

namespace jackdaw::api {

struct Call;

class PayloadLog {
 public:
  PayloadLog(std::shared_ptr<const serving::PayloadLogger> logger, std::string id, std::string metadata, Clock& clock);

  void request(const net::Request& request);
  // KServe logs answers with status 200 only.
  void answered(int status, std::string_view content_type, std::string_view body);
  // A stream that hands everything on and logs it, up to a bound, when it ends.
  std::shared_ptr<net::EventStream> tapped(std::shared_ptr<net::EventStream> stream, int status,
                                           std::string_view content_type);

 private:
  void log(serving::EventKind kind, std::string_view content_type, std::string_view body, bool cut);

  const std::shared_ptr<const serving::PayloadLogger> logger_;
  const std::string id_;
  const std::string metadata_;
  Clock& clock_;
};

// Gives the call a log when its model has a logger and the caller is no kubelet's probe, and logs the request. Once per
// call, as soon as the model is known; the request's bytes must still be there.
void begin_payload_log(Call& call, const std::shared_ptr<const serving::PayloadLogger>& logger);

}  // namespace jackdaw::api
